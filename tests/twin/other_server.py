"""The application under another WSGI server than ours: cheroot, CherryPy's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cheroot.wsgi import Server

from orthanc_lab.server.assembly import assemble
from orthanc_lab.server.embedding.own_folder import OwnFolder
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["OtherServer"]


class OtherServer:
    """Serves for the duration of a ``with`` block; it is also the control of the application."""

    def __init__(self, *, folder: Path | None = None, **options: Any) -> None:
        self._own = OwnFolder(folder)
        settings = CheckedSettings({"StorageDirectory": str(self._own.path), **options}, self._own.path)
        self.errors: list[BaseException] = []
        self._assembly = assemble(settings, self, Environment.of_system())
        # The pause is that of its loop; a stop waits for it.
        self._server = Server(("127.0.0.1", 0), self._assembly.application, numthreads=4, timeout=30)
        self._server.expiration_interval = 0.01
        self._server.prepare()
        settings.change("HttpPort", self._server.bind_addr[1])
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._ends: list[Callable[[], object]] = [self._server.stop, self._thread.join, self._assembly.close]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.bind_addr[1]}"

    def __enter__(self) -> OtherServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._own.remove()
        assert self.errors == []

    def stop(self) -> None:
        """Stop it properly."""
        while self._ends:
            self._ends.pop(0)()

    def report(self, error: BaseException) -> None:
        """Keep an error inside of the application."""
        self.errors.append(error)

    def reset(self) -> None:
        """Do nothing: the process belongs to the other server."""

    def shutdown(self) -> None:
        """Do nothing either."""
