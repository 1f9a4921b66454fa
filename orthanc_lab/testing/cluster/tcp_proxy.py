"""A line that can be cut or stall, between a server and what it works with."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType

__all__ = ["TcpProxy"]

_PIECE = 1 << 16  # bytes
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, and what waits to be sent is dropped
_CONNECT_SECONDS = 5.0
_LONGEST_END = 5.0

Filter = Callable[[bytes], bool]


class TcpProxy:
    """Passes on what comes over TCP, on a free port of the loopback interface.

    Attributes
    ----------
    port
        Where it listens.

    Examples
    --------
    >>> import orthanc_lab, requests
    >>> with orthanc_lab.serve() as server, TcpProxy("127.0.0.1", server.port) as proxy:
    ...     requests.get(f"http://127.0.0.1:{proxy.port}/system").status_code
    ...     proxy.cut()
    200
    0
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._lock = threading.Lock()  # guards the two below
        self._lines: set[_Line] = set()
        self._refusing = False
        self._flowing = threading.Event()
        self._flowing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="tcp-proxy", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        host, port = self._address
        return f"<{type(self).__name__} from 127.0.0.1:{self.port} to {host}:{port}>"

    def __enter__(self) -> TcpProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def lines(self) -> int:
        """How many connections there are now."""
        with self._lock:
            return len(self._lines)

    def cut(self) -> int:
        """Reset all connections, whatever is on its way; return how many there were."""
        with self._lock:
            lines, self._lines = self._lines, set()
        for line in lines:
            line.cut()
        return len(lines)

    def refuse(self) -> None:
        """Reset all connections, and new ones at once, until `go_on`."""
        with self._lock:
            self._refusing = True
        self.cut()

    def stall(self) -> None:
        """Pass nothing on until `go_on`; connections stay, and new ones are accepted."""
        self._flowing.clear()

    def go_on(self) -> None:
        """Pass on what has come meanwhile and what comes from now on."""
        with self._lock:
            self._refusing = False
        self._flowing.set()

    def stop(self) -> None:
        """Reset all connections, and listen no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flowing.set()
        self._thread.join(_LONGEST_END)
        self.cut()

    def _filters(self) -> tuple[Filter, Filter]:
        """Return what lets bytes of one connection pass, or (False) cuts it: of the client, of the server."""
        return _pass_all, _pass_all

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._connect, args=(client,), name="tcp-proxy-line", daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._address, _CONNECT_SECONDS)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        line = _Line(client, server)
        with self._lock:
            is_welcome = not self._refusing
            if is_welcome:
                self._lines.add(line)
        if not is_welcome:
            line.cut()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        of_client, of_server = self._filters()
        back = threading.Thread(target=self._pump, args=(line, server, client, of_server), daemon=True)
        back.start()
        self._pump(line, client, server, of_client)
        back.join()
        with self._lock:
            self._lines.discard(line)
        line.close()

    def _pump(self, line: _Line, source: socket.socket, sink: socket.socket, passes: Filter) -> None:
        try:
            while data := source.recv(_PIECE):
                self._flowing.wait()
                if not passes(data):
                    line.cut()
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            line.cut()


class _Line:
    """A connection: its two sockets."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._ends = client, server

    def cut(self) -> None:
        """Reset both ends, also while another thread waits for one."""
        for end in self._ends:
            _reset(end)

    def close(self) -> None:
        for end in self._ends:
            end.close()


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        end.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits in `recv`; only `close` sends the RST
    end.close()


def _pass_all(data: bytes) -> bool:
    return True
