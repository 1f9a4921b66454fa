"""PDUs read from a socket (PS3.8 section 9.3): bounded in length and time, a few system calls for many of them."""

from __future__ import annotations

import socket
import ssl
import struct
import time

__all__ = ["P_DATA", "PduError", "PduReader", "limit_socket"]

P_DATA = 0x04
"""The type of a PDU with fragments of messages."""

_HEADER = struct.Struct(">BxI")
_KINDS = range(1, 8)
_LONGEST_OTHER = 256 << 10  # bytes: 128 presentation contexts with 50 transfer syntaxes each
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux; it has to be said again each time
_FIRST_SIZE = 8 << 10
_LARGEST_SIZE = 256 << 10


def limit_socket(sock: socket.socket, direction: int, seconds: float | None) -> None:
    """Let the reads (``SO_RCVTIMEO``) or writes (``SO_SNDTIMEO``) of a socket that blocks fail after some time."""
    microseconds = 0 if seconds is None else max(1, int(seconds * 1e6))  # 0 is for no limit
    sock.setsockopt(socket.SOL_SOCKET, direction, struct.pack("@ll", *divmod(microseconds, 1_000_000)))


class PduError(Exception):
    """What came is no PDU, or a longer one than was agreed on.

    Attributes
    ----------
    words
        What DCMTK, and so Orthanc, says about it.
    """

    def __init__(self, text: str, words: str) -> None:
        super().__init__(text)
        self.words = words


class PduReader:
    """Reads one PDU after the other.

    Parameters
    ----------
    longest_data
        The longest P-DATA-TF PDU, without its header.
    """

    def __init__(self, longest_data: int) -> None:
        self._longest_data = longest_data
        self._buffer = bytearray(_FIRST_SIZE)
        self._start = self._end = 0  # of what was received and not taken yet
        self._is_busy = False  # the last read filled the buffer
        self._limited: float | None = -1  # seconds that a read waits; at first unknown

    def has_some(self) -> bool:
        """Whether something was received that is not taken yet."""
        return self._end > self._start

    def forget(self) -> None:
        """Release the memory of what was received."""
        self._buffer, self._start, self._end = bytearray(), 0, 0

    def read(self, sock: socket.socket, wait: float | None, patience: float | None) -> tuple[int, memoryview] | None:
        """Return the type of the next PDU and the whole of it, None if none begins in time.

        The view is valid until the next call.

        Parameters
        ----------
        wait
            Seconds until the first byte; None for no limit.
        patience
            Seconds for a read, and from there to the beginning of the last one; None for no limit.

        Raises
        ------
        PduError
            If it is none, or too long.
        EOFError
            If the connection is closed.
        TimeoutError
            If the rest does not come in time.
        OSError
            If the connection fails.
        """
        if not self.has_some() and not self._receive(sock, _HEADER.size, wait):
            return None
        deadline = None if patience is None else time.monotonic() + patience
        self._complete(sock, _HEADER.size, patience, deadline)
        kind, length = _HEADER.unpack_from(self._buffer, self._start)
        if kind not in _KINDS:
            raise PduError(f"a PDU of the unknown type 0x{kind:02x}", f"Unrecognized PDU type: {kind:2x}")
        if length > (self._longest_data if kind == P_DATA else _LONGEST_OTHER):
            raise PduError(f"a PDU of {length} bytes", "DUL Illegal/Unrecognized PDU length")
        size = _HEADER.size + length
        self._complete(sock, size, patience, deadline)
        start = self._start
        self._start += size
        return kind, memoryview(self._buffer)[start : start + size]

    def _complete(self, sock: socket.socket, size: int, patience: float | None, deadline: float | None) -> None:
        """Receive until there are so many bytes."""
        while (missing := size - (self._end - self._start)) > 0:
            late = deadline is not None and time.monotonic() > deadline
            if late or not self._receive(sock, missing, patience):
                raise TimeoutError("a PDU was not sent to its end in time")

    def _receive(self, sock: socket.socket, missing: int, timeout: float | None) -> bool:
        """Receive some bytes; False if none come in time."""
        self._make_room(missing)
        self._limit(sock, timeout)
        if _QUICK_ACK is not None:
            # DCMTK writes a PDU in two pieces, and its system holds the second one back until the first is
            # acknowledged, which ours would put off for 40 ms.
            sock.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        room = memoryview(self._buffer)[self._end :]
        try:
            count = sock.recv_into(room)
        except (TimeoutError, BlockingIOError):
            return False
        if not count:
            raise EOFError("the connection was closed")
        self._is_busy = count == len(room)
        self._end += count
        return True

    def _limit(self, sock: socket.socket, timeout: float | None) -> None:
        """Let the next read wait no longer; said once for many reads."""
        if timeout == self._limited:
            return
        self._limited = timeout
        if isinstance(sock, ssl.SSLSocket):
            sock.settimeout(timeout)
        else:
            # By the system: Python would ask before each read whether there is something.
            sock.settimeout(None)
            limit_socket(sock, socket.SO_RCVTIMEO, timeout)

    def _make_room(self, missing: int) -> None:
        rest = self._end - self._start
        wanted = rest + missing
        if self._is_busy:
            wanted = max(wanted, min(4 * len(self._buffer), _LARGEST_SIZE))
            self._is_busy = False
        if wanted > len(self._buffer):
            larger = bytearray(wanted)  # a new one: as long as somebody has a view of it, the old one cannot grow
            larger[:rest] = memoryview(self._buffer)[self._start : self._end]
            self._buffer = larger
        elif not rest:
            self._start = self._end = 0
            return
        elif self._end + missing > len(self._buffer):
            self._buffer[:rest] = self._buffer[self._start : self._end]
        else:
            return
        self._start, self._end = 0, rest
