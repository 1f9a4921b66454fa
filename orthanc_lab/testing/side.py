"""One of the two servers in a twin test: fills in captured values, sends exchanges, waits for jobs."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from orthanc_lab.testing.exchange import Answer, Exchange, send
from orthanc_lab.testing.holding_peer import HoldingPeer
from orthanc_lab.testing.host import Host
from orthanc_lab.testing.scenario import Capture, Send, Wait

__all__ = ["Node", "Side", "Waited"]

_NAME = re.compile(r"\{([a-z][\w:.-]*)\}")
_FINAL = frozenset({"Success", "Failure"})
_TEXTS = frozenset({"application/json", "text/plain", "application/xml", "text/html"})


class Node(Protocol):
    """A DICOM node that tells what it has seen."""

    port: int
    seen: list[str]

    def wait_until_idle(self) -> None:
        """Wait until no association is open."""
        ...


class Waited(NamedTuple):
    """How the wait for a job ended."""

    state: str  # the last state, empty if there is no such job
    reached: bool  # False after a timeout


class Side:
    """A server under comparison, with the values captured from its responses.

    Parameters
    ----------
    url
        Its address.
    bodies
        Named request bodies.
    peer
        The HTTP server that acts as its peer, if the scenario needs one.
    host
        The host that started it, needed for restarts.
    node
        The DICOM node that it knows, if the scenario needs one.
    reach
        Sends an exchange to an address.
    """

    def __init__(
        self,
        url: str,
        bodies: Mapping[str, bytes],
        peer: HoldingPeer | None = None,
        host: Host | None = None,
        node: Node | None = None,
        *,
        reach: Callable[[str, Exchange], Answer] = send,
    ) -> None:
        self.url = url
        self._reach = reach
        self.peer = peer
        self._node = node
        self._host = host
        self._bodies = bodies
        self._values = {"peer": peer.url} if peer else {}
        if node is not None:
            self._values["node"] = str(node.port)

    def restart(self, options: Mapping[str, Any]) -> None:
        """Stop the server and start it again with the same data, and with these options besides."""
        assert self._host is not None
        self._host.restart(options)
        self.url = self._host.url

    def exchange(self, step: Send) -> Exchange:
        """Return the exchange for a line, with names filled in."""
        return Exchange(
            step.method,
            self._filled(step.path),
            None if step.body is None else self._body(step.body),
            {name: self._filled(value) for name, value in step.headers.items()},
        )

    def send(self, exchange: Exchange) -> Answer:
        """Send an exchange; the addresses of server and peer in the response are made equal for both sides."""
        answer = self._reach(self.url, exchange)
        if answer.media_type not in _TEXTS:
            return answer
        body = answer.body.replace(urlsplit(self.url).netloc.encode(), b"server:8042")
        if self.peer is not None:
            body = body.replace(self.peer.url.partition("//")[2].encode(), b"peer:8042")
        if self._node is not None:
            body = body.replace(b'"Port" : %d' % self._node.port, b'"Port" : 104')
        return Answer(answer.status, answer.headers, body, answer.complete)

    def take_seen(self) -> tuple[list[str], list[str]]:
        """Return what the peer, and what the node has received since the last call."""
        taken: tuple[list[str], list[str]] = ([], [])
        if self._node is not None:
            self._node.wait_until_idle()
        for one, seen in zip((self.peer, self._node), taken, strict=True):
            if one is not None:
                seen.extend(one.seen)
                one.seen.clear()
        return taken

    def capture(self, captures: tuple[Capture, ...], answer: Answer) -> None:
        """Capture values from a response; an absent value is captured as ``missing``."""
        for capture in captures:
            self._values[capture.name] = _picked(answer, capture.where)

    def wait(self, step: Wait, seconds: float = 20) -> Waited:
        """Poll a job until it reaches the state or is gone, or until a timeout."""
        job = self._filled(step.job)
        wanted = {step.state} if step.state else _FINAL
        deadline = time.monotonic() + seconds
        while True:
            answer = self._reach(self.url, Exchange("GET", f"/jobs/{job}"))
            state = _picked(answer, "State") if answer.status == 200 else ""
            reached = state in wanted or (not state and not step.state)
            if reached or time.monotonic() > deadline:
                return Waited(state, reached)
            time.sleep(0.01)

    def filled_options(self, options: Any) -> Any:
        """Return configuration options with names in their texts filled in."""
        if isinstance(options, Mapping):
            return {key: self.filled_options(value) for key, value in options.items()}
        if isinstance(options, list):
            return [self.filled_options(value) for value in options]
        return self._filled(options) if isinstance(options, str) else options

    def _body(self, body: str) -> bytes:
        return self._bodies[body[1:]] if body.startswith("@") else self._filled(body).encode()

    def _filled(self, text: str) -> str:
        return _NAME.sub(lambda match: self._value(match[1]), text)

    def _value(self, name: str) -> str:
        if name.startswith("b64:"):
            return base64.b64encode(self._bodies[name[4:]]).decode()
        return self._values[name]


def _picked(answer: Answer, where: str) -> str:
    try:
        value = json.loads(answer.body)
    except ValueError:
        return answer.body.decode("utf-8", "replace") if where == "ID" else "missing"
    if where == "ETag":
        return answer.headers.get("etag", "missing")
    for key in where.split("."):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            return "missing"
    return str(value)
