"""Calls to the peer of a transfer, on as many connections as there are calls at the same time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.peers.peer import Peer
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

if TYPE_CHECKING:
    from orthanc_lab.peers.client import PeerAnswer, PeerClient

__all__ = ["LONGEST_LOOKUP", "PeerCalls", "RefusedError"]

LONGEST_LOOKUP = 64 << 20
"""Bytes of the list of half a million instances."""

_LONGEST_ANSWER = 1 << 20  # bytes; of all but instances and lists of them


class RefusedError(OrthancError):
    """An answer with another status than 200.

    Attributes
    ----------
    answered
        The status.
    """

    def __init__(self, verb: str, path: str, answered: int) -> None:
        super().__init__(ErrorCode.NETWORK_PROTOCOL, f"{verb} {path} was answered with status {answered}")
        self.answered = answered


class PeerCalls:
    """Calls a peer, from many threads; its connections stay open from one call to the next."""

    def __init__(self, peer: Peer, tools: JobTools) -> None:
        self._peer = peer
        self._tools = tools
        self._opened: PeerClient | None = None
        self._opening = threading.Lock()

    def call(
        self,
        verb: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: int | None = None,
        longest: int = _LONGEST_ANSWER,
    ) -> PeerAnswer:
        """Return an answer with status 200; see `orthanc_lab.peers.client.PeerClient.call`.

        Raises
        ------
        RefusedError
            For any other status.
        OrthancError
            9 if there is no answer.
        """
        answer = self._client.call(verb, path, body, headers, timeout=timeout, longest=longest)
        if answer.status != 200:
            raise RefusedError(verb, path.partition("?")[0], answer.status)
        return answer

    def close(self) -> None:
        """Close the connections; the next call opens others."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def cut(self) -> None:
        """Cut the connections, from another thread: whoever waits for an answer gets an error."""
        opened = self._opened
        if opened is not None:
            opened.cut()

    @property
    def _client(self) -> PeerClient:
        with self._opening:
            if self._opened is None:
                # It loads an HTTP client that most servers never need.
                from orthanc_lab.peers.client import PeerClient  # noqa: PLC0415

                self._opened = PeerClient(self._peer, self._tools.http, self._tools.clock)
            return self._opened
