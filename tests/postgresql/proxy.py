"""A way to PostgreSQL that fails at the worst moment."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from dataclasses import replace
from enum import Enum
from types import TracebackType

from orthanc_lab.postgresql.options import PostgresqlOptions

_COMMIT = b"COMMIT\0"


class Fault(Enum):
    NONE = "nothing"
    CUT_BEFORE = "the commit does not arrive"
    CUT_AFTER = "the commit arrives, its answer does not"
    STALL_BEFORE = "the commit does not arrive, and nobody hears of it"
    STALL_AFTER = "the commit arrives, and its answer never comes"


class Proxy:
    """Passes connections on to PostgreSQL. The next commit meets `fault`, the ones after it do not."""

    def __init__(self, options: PostgresqlOptions) -> None:
        self._target = options.host, options.port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self.fault = Fault.NONE
        self.options = replace(options, port=self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut all connections."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._lines += [client, server]
                threading.Thread(target=self._pass, args=(client, server), daemon=True).start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client, server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    if ready is client and _COMMIT in data and self.fault is not Fault.NONE:
                        fault, self.fault = self.fault, Fault.NONE
                        self._fail(fault, data, client, server)
                        return
                    (server if ready is client else client).sendall(data)

    @staticmethod
    def _fail(fault: Fault, data: bytes, client: socket.socket, server: socket.socket) -> None:
        if fault in (Fault.CUT_AFTER, Fault.STALL_AFTER):
            server.sendall(data)
            while b"COMMIT" not in server.recv(1 << 16):
                pass
        if fault in (Fault.STALL_BEFORE, Fault.STALL_AFTER):
            while client.recv(1 << 16):
                pass
