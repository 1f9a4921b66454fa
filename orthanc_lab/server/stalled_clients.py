"""Letting go of clients that stop in the middle of a request.

A thread that reads a body waits for its client, for ever if need be, and Granian has no time-out for that.
A watch looks at the reads that make no progress: such a client is answered 408, and on Linux its connection is
cut, which ends the read. (A client that does not read its answer is cut by TCP_USER_TIMEOUT.)
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.connections import cut_where_sent, written

__all__ = ["TimedBody", "Watch"]

_PIECE = 65536
_SIZE_OF_408 = range(1, 512)  # bytes on the wire


class TimedBody:
    """The body of a request: read in pieces under a watch, refused if it ends before its announced length."""

    def __init__(self, environ: dict[str, Any], proto: Any, watch: Watch) -> None:
        self._source = environ["wsgi.input"]
        self._missing: int | None = int(environ["CONTENT_LENGTH"]) if environ.get("CONTENT_LENGTH") else None
        self._proto = proto
        self._watch = watch

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer only at the end; all for -1.

        Raises
        ------
        OrthancError
            8 if the client left, or was let go, before the end.
        """
        wanted = sys.maxsize if size is None or size < 0 else size
        if wanted <= _PIECE:
            return self._piece(wanted)
        pieces = []
        while wanted:
            piece = self._piece(min(wanted, _PIECE))
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def _piece(self, size: int) -> bytes:
        entry = self._watch.begin(self._proto)
        try:
            piece: bytes = self._source.read(size)
        finally:
            self._watch.end(entry)
        if self._missing is not None:
            self._missing -= len(piece)
            if len(piece) < size and self._missing > 0:
                raise OrthancError(ErrorCode.BAD_REQUEST, f"The body ended {self._missing} bytes too early")
        return piece

    def readline(self, size: int = -1) -> bytes:
        """Return one line (PEP 3333)."""
        line: bytes = self._source.readline()
        return line

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(_PIECE), b"")


class Watch:
    """The reads in work, and a thread that ends those which stand still.

    Parameters
    ----------
    port
        The port of the server, by which its connections are known.
    timeout
        Seconds without progress.
    """

    def __init__(self, port: int, timeout: float) -> None:
        self._port = port
        self._timeout = timeout
        self._reads: dict[int, tuple[float, Any]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def begin(self, proto: Any) -> int:
        """Note that a read begins; returns what `end` wants."""
        key = id(proto)
        self._reads[key] = (time.monotonic(), proto)
        if self._thread is None:
            self._start()
        return key

    def end(self, key: int) -> None:
        """Note that a read has ended."""
        del self._reads[key]

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="orthanc-lab-stalled", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(min(5.0, self._timeout / 4)):
            limit = time.monotonic() - self._timeout
            stalled = [(key, entry) for key, entry in list(self._reads.items()) if entry[0] < limit]
            for key, entry in stalled:
                if self._reads.get(key) is entry:
                    with suppress(OSError):  # no file descriptor left: the next round
                        self._let_go(entry[1])

    def _let_go(self, proto: Any) -> None:
        """Answer 408, and cut the connection on which just that answer went out."""
        before = written(self._port)
        proto.response_bytes(408, [("Connection", "close")], b"")
        cut_where_sent(self._port, before, _SIZE_OF_408, silent=self._timeout)
