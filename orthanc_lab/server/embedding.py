"""A server inside another program: a notebook, a test, a script."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, overload

import requests

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import Clock, Identifiers, SeededIdentifiers, SystemClock, SystemIdentifiers
from orthanc_lab.rest.services import Services
from orthanc_lab.server.assembly import Assembly, Outside, assemble
from orthanc_lab.server.child_process import ChildServer
from orthanc_lab.server.in_process import InProcessAdapter
from orthanc_lab.server.lifecycle import Server
from orthanc_lab.server.log_lines import log_errors_only
from orthanc_lab.server.sessions import session_of
from orthanc_lab.server.settings import CheckedSettings

__all__ = ["EmbeddedServer", "InProcessServer", "in_process", "serve"]


class EmbeddedServer:
    """A server in a thread of this program; made by `serve`.

    Attributes
    ----------
    url
        Where it serves, without a final slash.
    session
        A `requests.Session` with the credentials of the first registered user.
    folder
        Where its files are.
    errors
        The exceptions inside the server that no client saw.
    """

    def __init__(self, options: Mapping[str, Any], folder: Path | None, outside: Outside, load_jobs: bool) -> None:
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="orthanc-lab-")
        self._generation = 0
        self.folder = folder or self._next_folder()
        self._outside = outside
        self._options = {"HttpPort": 0, "StorageDirectory": str(self.folder), **options}
        self._server = Server(self._settings, outside, load_jobs=load_jobs)
        try:
            self._server.start()
        except BaseException:
            self._remove_folder()
            raise
        self.errors = self._server.errors
        self.session = session_of(self.settings)
        self._thread = threading.Thread(target=self._run, name="orthanc-lab-server", daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def _run(self) -> None:
        try:
            self._server.run()
        except OrthancError as error:  # a reset that failed
            self._server.report(error)

    def _settings(self) -> CheckedSettings:
        return CheckedSettings(self._options, self.folder)

    @property
    def settings(self) -> CheckedSettings:
        """The settings in force."""
        assert self._server.settings is not None
        return self._server.settings

    @property
    def is_running(self) -> bool:
        """False after a stop, or after a client's ``/tools/shutdown``."""
        return self._server.assembly is not None

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._server.port

    @property
    def url(self) -> str:
        """Where the server is, ``http://127.0.0.1:8042``."""
        return f"{'https' if self.settings['SslEnabled'] else 'http'}://127.0.0.1:{self.port}"

    @property
    def services(self) -> Services:
        """The parts inside: storage, jobs engine, metrics.

        Raises
        ------
        RuntimeError
            If the server has stopped.
        """
        assembly = self._server.assembly
        if assembly is None:
            raise RuntimeError("The server has stopped")
        return assembly.services

    def renew(self) -> None:
        """Forget everything: an empty storage, no jobs, fresh metrics, no errors. The port stays.

        Raises
        ------
        RuntimeError
            If the folder was given: its files are not ours to remove.
        """
        old, self.folder = self.folder, self._next_folder()
        self._options["StorageDirectory"] = str(self.folder)
        self._server.replace(self._settings())
        shutil.rmtree(old)
        self.errors.clear()
        self.session.close()
        self.session = session_of(self.settings)

    def _next_folder(self) -> Path:
        if self._temporary is None:
            raise RuntimeError("Only a server in a temporary folder can be renewed")
        self._generation += 1
        return Path(self._temporary.name) / f"storage-{self._generation}"

    def stop(self) -> None:
        """Finish what is in work and stop; a temporary folder is removed."""
        atexit.unregister(self.stop)
        self._server.shutdown()
        self._thread.join()
        self.session.close()
        self._remove_folder()

    def _remove_folder(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class InProcessServer:
    """The application without a socket; made by `in_process`.

    ``server.session.get("http://orthanc/system")`` calls it on the thread of the caller.
    """

    url = "http://orthanc"

    def __init__(self, options: Mapping[str, Any], folder: Path | None, outside: Outside) -> None:
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="orthanc-lab-")
        self.folder = Path(self._temporary.name) if self._temporary else Path(folder or ".")
        self._outside = outside
        self.errors: list[BaseException] = []
        self._reset_asked = False
        self._assembly: Assembly | None = None
        try:
            self.settings = CheckedSettings({"StorageDirectory": str(self.folder), **options}, self.folder)
            self._assembly = assemble(self.settings, self, outside)
        except BaseException:
            self._remove_folder()
            raise
        self.session = session_of(self.settings)
        self.session.mount(self.url, InProcessAdapter(self._answer))

    @property
    def services(self) -> Services:
        """The parts inside: storage, jobs engine, metrics.

        Raises
        ------
        RuntimeError
            If the server has stopped.
        """
        if self._assembly is None:
            raise RuntimeError("The server has stopped")
        return self._assembly.services

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        if self._assembly is not None and self._reset_asked:
            self._reset_asked = False
            self._assembly.close()
            self._assembly = assemble(self.settings, self, self._outside)
        if self._assembly is None:
            raise requests.ConnectionError("The server has stopped")
        return self._assembly.application(environ, start_response)

    def reset(self) -> None:
        """Start again before the next request."""
        self._reset_asked = True

    def shutdown(self) -> None:
        """Answer no further request."""
        assembly, self._assembly = self._assembly, None
        if assembly is not None:
            assembly.close()

    def report(self, error: BaseException) -> None:
        """Keep an error of the server."""
        self.errors.append(error)

    def stop(self) -> None:
        """Stop; a temporary folder is removed."""
        self.shutdown()
        self.session.close()
        self._remove_folder()

    def _remove_folder(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@overload
def serve(
    options: Mapping[str, Any] | None = ...,
    *,
    folder: str | Path | None = ...,
    process: Literal[False] = ...,
    load_jobs: bool = ...,
    seed: int | None = ...,
    clock: Clock | None = ...,
    identifiers: Identifiers | None = ...,
    **named: Any,
) -> EmbeddedServer: ...
@overload
def serve(
    options: Mapping[str, Any] | None = ...,
    *,
    folder: str | Path | None = ...,
    process: Literal[True],
    load_jobs: bool = ...,
    seed: int | None = ...,
    **named: Any,
) -> ChildServer: ...
def serve(
    options: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
    process: bool = False,
    load_jobs: bool = True,
    seed: int | None = None,
    clock: Clock | None = None,
    identifiers: Identifiers | None = None,
    **named: Any,
) -> EmbeddedServer | ChildServer:
    """Start a server; it is a context manager that stops it.

    Parameters
    ----------
    options, **named
        Options of Orthanc's configuration, ``serve(StableAge=1)``. Without ``HttpPort`` a free port is taken.
    folder
        Where the files are kept; None for a temporary folder that is removed at the end.
    process
        True runs it in a process of its own, which can be killed and ends with this program.
    load_jobs
        False forgets the jobs that are on disk.
    seed
        Makes the identifiers the same at every run.
    clock, identifiers
        Replace the time and the random source of the machine (not with `process`).

    Raises
    ------
    OrthancError
        For options that Orthanc refuses, a folder in use, a port in use.

    Examples
    --------
    >>> with serve(Name="Example") as server:
    ...     server.session.get(f"{server.url}/system").json()["Name"]
    'Example'
    """
    log_errors_only()
    merged = {**(options or {}), **named}
    place = None if folder is None else Path(folder).absolute()
    if process:
        if clock is not None or identifiers is not None:
            raise ValueError("A clock and identifiers cannot be handed to another process; a seed can")
        return ChildServer(merged, place, load_jobs=load_jobs, seed=seed)
    return EmbeddedServer(merged, place, _outside(seed, clock, identifiers), load_jobs)


def in_process(
    options: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
    seed: int | None = None,
    clock: Clock | None = None,
    identifiers: Identifiers | None = None,
    **named: Any,
) -> InProcessServer:
    """Return the same server without a socket: its `session` calls the application directly.

    Parameters are those of `serve`.

    Examples
    --------
    >>> with in_process() as server:
    ...     server.session.get("http://orthanc/studies").json()
    []
    """
    log_errors_only()
    place = None if folder is None else Path(folder).absolute()
    return InProcessServer({**(options or {}), **named}, place, _outside(seed, clock, identifiers))


def _outside(seed: int | None, clock: Clock | None, identifiers: Identifiers | None) -> Outside:
    if identifiers is None:
        identifiers = SystemIdentifiers() if seed is None else SeededIdentifiers(seed)
    return Outside(clock or SystemClock(), identifiers)
