"""Calls to the peer of a transfer, on as many connections as there are calls at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.peers.peer import Peer
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

if TYPE_CHECKING:
    from orthanc_lab.peers.client import PeerAnswer, PeerClient

__all__ = ["PeerCalls", "RefusedError"]

_LONGEST_ANSWER = 256 << 20  # bytes


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
        self._idle: deque[PeerClient] = deque()

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
        client = self._client()
        try:
            answer = client.call(verb, path, body, headers, timeout=timeout, longest=longest)
        finally:
            self._idle.append(client)
        if answer.status != 200:
            raise RefusedError(verb, path.partition("?")[0], answer.status)
        return answer

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    def _client(self) -> PeerClient:
        try:
            return self._idle.pop()
        except IndexError:
            # It loads requests: 0.1 s that most servers never need.
            from orthanc_lab.peers.client import PeerClient  # noqa: PLC0415

            return PeerClient(self._peer, self._tools.http, self._tools.clock)
