"""The server that is certified: its address with credentials, and how to reach it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from orthanc_lab.testing.exchange import Answer, Exchange, send

__all__ = ["Target", "TargetError"]

_LONGEST = 120  # seconds of one answer
_LARGEST = 256 << 20  # bytes of one answer


class TargetError(Exception):
    """A server that cannot be certified, with the reason."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server at an address."""

    url: str
    authorization: str = field(default="", repr=False)
    verify: bool = True  # whether its certificate has to be valid

    @classmethod
    def at(cls, address: str, *, verify: bool = True) -> Target:
        """Make a target from an address, which may hold credentials.

        Raises
        ------
        ValueError
            If it is not the address of an HTTP server.
        """
        try:
            parts = urlsplit(address if "://" in address else f"http://{address}")
            is_plain = not (parts.query or parts.fragment)
            fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and is_plain
        except ValueError:  # of brackets, or of the port
            fits = False
        if not fits:
            raise ValueError(f"not the address of an HTTP server: {address.rpartition('@')[2]}")
        netloc = parts.netloc.rpartition("@")[2]
        authorization = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Basic " + base64.b64encode(pair.encode()).decode()
        return cls(urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", "")), authorization, verify)

    def reach(self, url: str, exchange: Exchange) -> Answer:
        """Send an exchange, with the credentials unless it has its own."""
        headers = dict(exchange.headers)
        if self.authorization and not any(name.lower() == "authorization" for name in headers):
            headers["Authorization"] = self.authorization
        exchange = Exchange(exchange.method, exchange.path, exchange.body, headers)
        return send(url, exchange, longest=_LONGEST, largest=_LARGEST, verify=self.verify)

    def ask(self, method: str, path: str, body: str | None = None) -> Answer:
        """Send a request of our own."""
        return self.reach(self.url, Exchange(method, path, None if body is None else body.encode()))

    def get(self, path: str) -> Any:
        """Return the JSON value at a path.

        Raises
        ------
        TargetError
            If the server answers something else.
        """
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise TargetError(f"GET {path} was answered with {answer.status}")
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise TargetError(f"GET {path} was answered with something that is not JSON") from None
