"""The body of a request, as ``wsgi.input``: whole, or refused."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.http.head import BadRequest, check_trailer

__all__ = ["Body", "BodySource", "ChunkedBody", "ClientTimeout", "SizedBody"]

_LINE = 4096  # bytes of the longest line between two chunks
_MOST_TRAILERS = 100
_HEX = frozenset(b"0123456789abcdefABCDEF")
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_EXTENSIONS = re.compile(rb"(?:;%b(?:=(?:%b|\"[\t !#-\[\]-~\x80-\xff]*+\"))?+)*+" % (_TOKEN, _TOKEN))
_LONGEST_SIZE = 16  # digits
_MOST_LEFT = 1 << 20  # bytes of an unread body that are skipped; with more of them the connection is closed
_PIECE = 1 << 16
_LINE_PIECE = 1 << 10  # of a line: what follows its end is put back


class ClientTimeout(Exception):
    """Nothing came from the client for too long."""


class BodySource(Protocol):
    """The bytes that a client sends."""

    def take(self, most: int) -> bytes:
        """Return the next bytes, at most so many; as many as that unless the client pauses. b"" at the end.

        Raises
        ------
        ClientTimeout
            If nothing comes.
        """
        ...

    def take_line(self, most: int) -> bytes:
        """Return the next bytes up to a line feed, at most so many."""
        ...

    def give_back(self, data: bytes) -> None:
        """Put bytes back, to be the next ones."""
        ...


class Body:
    """The bytes of one body; what is read of it beyond its end belongs to the next request.

    Parameters
    ----------
    invite
        Called before the first byte is waited for, if the client waits for ``100 Continue``.
    """

    def __init__(self, source: BodySource, invite: Callable[[], None] | None = None) -> None:
        self._source = source
        self._invite = invite
        self._failed = False
        self.stalled = False
        """Whether the client has paused for too long."""

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer only at the end; all for -1.

        Raises
        ------
        OrthancError
            8 if the client disconnected, or was disconnected, before the end.
        """
        wanted = sys.maxsize if size is None or size < 0 else size
        pieces = []
        while wanted and (piece := self._some(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readline(self, size: int = -1) -> bytes:
        """Return one line, or its first `size` bytes (PEP 3333)."""
        pieces: list[bytes] = []
        left = sys.maxsize if size < 0 else size
        while left and (piece := self._some(min(left, _LINE_PIECE))):
            end = piece.find(b"\n") + 1
            if end:
                self._unread(piece[end:])
                pieces.append(piece[:end])
                break
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Return all lines (PEP 3333)."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    @property
    def finished(self) -> bool:
        """Whether all of it was read."""
        raise NotImplementedError

    @property
    def can_finish(self) -> bool:
        """Whether another request may follow, as far as is known."""
        # After a failure, and without the invitation that the client waits for, what comes next may be anything.
        return not self._failed and (self._invite is None or self.finished)

    def finish(self) -> bool:
        """Skip what was not read; False if that is too much, so that no other request can follow."""
        if not self.can_finish:
            return False
        skipped = 0
        try:
            while piece := self._some(_PIECE):
                skipped += len(piece)
                if skipped > _MOST_LEFT:
                    return False
        except OrthancError:
            return False
        return True

    def _some(self, most: int) -> bytes:
        """Return the next bytes of the body, at most so many; b"" at its end."""
        raise NotImplementedError

    def _unread(self, data: bytes) -> None:
        raise NotImplementedError

    def _wait(self, take: Callable[[int], bytes], most: int) -> bytes:
        if self._invite is not None:
            self._invite()
            self._invite = None
        try:
            return take(most)
        except ClientTimeout as error:
            self.stalled = True
            raise self._failure("The body does not come to its end") from error

    def _failure(self, details: str) -> OrthancError:
        self._failed = True
        return OrthancError(ErrorCode.BAD_REQUEST, details)


class SizedBody(Body):
    """A body whose length was announced."""

    def __init__(self, source: BodySource, length: int, invite: Callable[[], None] | None = None) -> None:
        super().__init__(source, invite)
        self._left = length

    @property
    def finished(self) -> bool:
        """Whether all of it was read."""
        return not self._left

    @property
    def can_finish(self) -> bool:
        """Whether another request may follow, as far as is known."""
        return self._left <= _MOST_LEFT and super().can_finish

    def _some(self, most: int) -> bytes:
        if not self._left:
            self._invite = None
            return b""
        piece = self._wait(self._source.take, min(most, self._left))
        if not piece:
            raise self._failure(f"The body ended {self._left} bytes too early")
        self._left -= len(piece)
        return piece

    def _unread(self, data: bytes) -> None:
        self._left += len(data)
        self._source.give_back(data)


class ChunkedBody(Body):
    """A body in chunks (RFC 9112 section 7.1); extensions and trailers are skipped."""

    def __init__(self, source: BodySource, invite: Callable[[], None] | None = None) -> None:
        super().__init__(source, invite)
        self._left = 0  # bytes of this chunk
        self._begun = self._ended = False
        self._returned = b""

    @property
    def finished(self) -> bool:
        """Whether all of it was read."""
        return self._ended and not self._returned

    def _some(self, most: int) -> bytes:
        if self._returned:
            piece, self._returned = self._returned[:most], self._returned[most:]
            return piece
        if not self._left and not self._ended:
            self._next_chunk()
        if self._ended:
            return b""
        piece = self._wait(self._source.take, min(most, self._left))
        if not piece:
            raise self._cut_off()
        self._left -= len(piece)
        return piece

    def _unread(self, data: bytes) -> None:
        self._returned = data + self._returned

    def _next_chunk(self) -> None:
        if self._begun and self._line():
            raise self._cut_off()
        self._begun = True
        size, semicolon, extensions = self._line().partition(b";")
        if not 0 < len(size) <= _LONGEST_SIZE or not _HEX.issuperset(size):
            raise self._failure("The body is not in chunks")
        if semicolon and not _EXTENSIONS.fullmatch(semicolon + extensions):
            raise self._failure("The body is not in chunks")
        self._left = int(size, 16)
        if not self._left:
            self._skip_trailers()
            self._ended = True

    def _skip_trailers(self) -> None:
        for _ in range(_MOST_TRAILERS):
            line = self._line()
            if not line:
                return
            try:
                check_trailer(line)
            except BadRequest as error:
                raise self._cut_off() from error
        raise self._failure("Too many trailers")

    def _line(self) -> bytes:
        line = self._wait(self._source.take_line, _LINE)
        if not line.endswith(b"\r\n"):
            raise self._cut_off()
        return line[:-2]

    def _cut_off(self) -> OrthancError:
        return self._failure("The body in chunks is cut off")
