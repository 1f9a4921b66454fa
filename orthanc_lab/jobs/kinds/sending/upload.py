"""One instance on its way to a peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

if TYPE_CHECKING:
    from orthanc_lab.peers.client import PeerCall

__all__ = ["Upload"]


class Upload:
    """An instance that was read and sent.

    Parameters
    ----------
    read
        Returns what is sent. What it raises is the outcome, as far as it is an `OrthancError`.
    begin
        Sends it.
    is_alone
        Whether the peer has nothing else to do for us meanwhile.

    Attributes
    ----------
    is_alone
        As given.
    size
        Bytes that were sent.
    failure
        Why it is not at the peer, once the answer is there.
    was_read
        Whether there was something to send.
    """

    __slots__ = ("_call", "failure", "is_alone", "size", "was_read")

    def __init__(self, read: Callable[[], bytes], begin: Callable[[bytes], PeerCall], *, is_alone: bool) -> None:
        self.is_alone = is_alone
        self.size = 0
        self.failure: OrthancError | None = None
        self.was_read = False
        self._call: PeerCall | None = None
        try:
            body = read()
        except OrthancError as error:
            self.failure = error
            return
        self.was_read = True
        self.size = len(body)
        self._call = begin(body)

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the answer, if it is not there; for so many seconds, or as long as the peer's time-out says."""
        call, self._call = self._call, None
        if call is None:
            return
        try:
            if not call.answer(seconds).ok:
                self.failure = OrthancError(ErrorCode.NETWORK_PROTOCOL)
        except OrthancError as error:
            self.failure = error

    def abandon(self) -> None:
        """Wait for no answer."""
        call, self._call = self._call, None
        if call is not None:
            call.abandon()
