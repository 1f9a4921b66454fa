"""Letting go of clients that stop in the middle of a request.

A thread that reads a body waits for its client, for ever if need be, and Granian has no time-out for that.
A watch looks at the reads that make no progress: such a client is answered 408, and on Linux its connection is
cut, which ends the read. (A client that does not read its answer is cut by TCP_USER_TIMEOUT.)
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["TimedBody", "Watch"]

_PIECE = 65536
_LARGEST_408 = 512  # bytes on the wire; a download sends more in the meantime


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
                    self._let_go(entry[1])

    def _let_go(self, proto: Any) -> None:
        """Answer 408, then cut the connection that sent just that answer and received nothing for long."""
        before = {fd: sent for fd, sent, silent in _connections(self._port) if silent >= self._timeout}
        proto.response_bytes(408, [("Connection", "close")], b"")
        for _ in range(20):
            time.sleep(0.005)
            answered = [
                fd
                for fd, sent, silent in _connections(self._port)
                if fd in before and silent >= self._timeout and 0 < sent - before[fd] <= _LARGEST_408
            ]
            if len(answered) == 1:
                _cut(answered[0])
                return


def _connections(port: int) -> Iterator[tuple[int, int, float]]:
    """Yield descriptor, bytes sent, and seconds since the last received byte of each connection of the server."""
    if sys.platform != "linux":
        return
    for entry in Path("/proc/self/fd").iterdir():
        try:
            descriptor = int(entry.name)
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as connection:
                if connection.getsockname()[1] != port:
                    continue
                info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        except (OSError, IndexError):
            continue  # closed meanwhile, or another kind of socket
        if info[0] == 1 and len(info) >= 208:  # established; the fields of Linux 4.19 are there
            yield descriptor, struct.unpack_from("Q", info, 200)[0], struct.unpack_from("I", info, 52)[0] / 1000


def _cut(descriptor: int) -> None:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it closed by itself
