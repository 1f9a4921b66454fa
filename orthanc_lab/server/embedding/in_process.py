"""The server without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.protocol.seeded import Crashed, SeededExecutor
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.rest.services import Services
from orthanc_lab.server.assembly import Assembly, assemble
from orthanc_lab.server.embedding.interrupts import interrupts_later
from orthanc_lab.server.embedding.lifetime import Lifetime
from orthanc_lab.server.embedding.own_folder import OwnFolder, Stoppable
from orthanc_lab.server.embedding.restartable import dicom_on_a_free_port
from orthanc_lab.server.embedding.sessions import session_of
from orthanc_lab.server.embedding.stepping import Goal, run_until
from orthanc_lab.server.embedding.wsgi_transport import WsgiTransport
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.server.reported_errors import keep_error

if TYPE_CHECKING:
    from orthanc_lab.server.dicom_listener import DicomListener

__all__ = ["InProcessServer"]

_CRASHED = "The server has crashed"


class InProcessServer(Stoppable):
    """The application without a socket; made by `in_process`.

    With ``DicomServerEnabled=True``, and where there are threads, it listens for DICOM over TCP.

    ``server.session.get("http://orthanc/system")`` calls it on the thread of the caller.

    Attributes
    ----------
    url
        ``http://orthanc``: an address that only the session of this server understands.
    session
        A `requests.Session` that reaches it, with the credentials of the first registered user.
    folder
        Where its files are.
    errors
        The last errors inside the server that no client saw: their texts, with the traceback as a note.

    Examples
    --------
    >>> import orthanc_lab
    >>> with orthanc_lab.in_process(Name="Example") as server:
    ...     server.session.get(f"{server.url}/system").json()["Name"]
    'Example'
    """

    url = "http://orthanc"

    def __init__(self, options: Mapping[str, Any], folder: Path | None, environment: Environment) -> None:
        self._own = OwnFolder(folder)
        self.folder = self._own.path
        self._environment = environment
        self.errors: list[BaseException] = []
        self._reset_asked = False
        self._assembly: Assembly | None = None
        self._lifetime: Lifetime | None = None
        wanted = options.get("DicomServerEnabled") and isinstance(environment.executor, ThreadExecutor)
        self._dicom = _dicom_listener() if wanted else None
        try:
            defaults = dicom_on_a_free_port(options) if self._dicom else {"DicomServerEnabled": False}
            self.settings = CheckedSettings({**defaults, "StorageDirectory": str(self.folder), **options}, self.folder)
            self._start()
        except BaseException:
            self.shutdown()
            self._own.remove()
            raise
        self.session = session_of(self.settings)
        self.session.mount(self.url, WsgiTransport(self.application))

    def __repr__(self) -> str:
        state = "without a socket" if self._assembly is not None else "(stopped)"
        return f"<Orthanc {state} in this process: use its session>"

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

    @property
    def is_running(self) -> bool:
        """False after a stop."""
        return self._assembly is not None

    @property
    def dicom_port(self) -> int:
        """The TCP port of DICOM; 0 unless ``DicomServerEnabled`` is given, and there are threads."""
        return self._dicom.port if self._dicom else 0

    @property
    def aet(self) -> str:
        """The title of its application entity, ``DicomAet``."""
        title: str = self.settings["DicomAet"]
        return title

    # -- step by step, with a seeded executor ----------------------------------------

    @property
    def clock(self) -> ManualClock:
        """The time of the server, which moves in `run_until` and by hand.

        Raises
        ------
        RuntimeError
            Without an executor made by `orthanc_lab.seeded`.
        """
        return self._seeded().clock

    def step(self) -> bool:
        """Let one task go on to its next pause, drawn from the seed; False if none can.

        A task is a worker of the jobs engine, or what the server does beside requests. No time passes.

        Raises
        ------
        RuntimeError
            Without an executor made by `orthanc_lab.seeded`.
        """
        return self._seeded().turn()

    def run_until(self, goal: Goal, *, patience: float = 3600.0) -> None:
        """Let tasks go on, drawn from the seed, until a condition holds or a time has come.

        Time passes only where no task can go on: at once, to the moment at which the next one is due.

        Parameters
        ----------
        goal
            A function that returns whether the condition holds; or a time: seconds of `clock`, or a `datetime`.
        patience
            How many seconds of `clock` a condition is waited for.

        Raises
        ------
        TimeoutError
            If the condition does not hold after that time.
        RuntimeError
            If nothing goes on any more; without an executor made by `orthanc_lab.seeded`.

        Examples
        --------
        >>> import orthanc_lab
        >>> with orthanc_lab.in_process(executor=orthanc_lab.seeded(7)) as server:
        ...     server.run_until(90)
        ...     server.clock.now().isoformat()
        '2026-01-01T00:01:30+00:00'
        """
        run_until(self._seeded(), goal, patience)

    def crash(self) -> None:
        """End as ``kill -9`` ends a process, and start again on the same folder.

        What was not handed to the operating system is gone; answers that are still being read break off.

        Raises
        ------
        RuntimeError
            Without an executor made by `orthanc_lab.seeded`; inside a step.

        Examples
        --------
        >>> import orthanc_lab
        >>> with orthanc_lab.in_process(executor=orthanc_lab.seeded(7)) as server:
        ...     made = server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}}).json()
        ...     server.crash()
        ...     server.session.get(f"{server.url}/instances").json() == [made["ID"]]
        True
        """
        self._seeded()
        if self._lifetime is None:
            raise RuntimeError("The server has stopped")
        self._lifetime.end()
        self._assembly = None
        self._start()

    def _seeded(self) -> SeededExecutor:
        executor = self._environment.executor
        if not isinstance(executor, SeededExecutor):
            raise RuntimeError("This server runs by itself; start it with in_process(executor=orthanc_lab.seeded(7))")
        return executor

    # -- life ------------------------------------------------------------------------

    def _start(self) -> None:
        environment = self._environment
        if isinstance(environment.executor, SeededExecutor):
            self._lifetime = Lifetime(environment, environment.executor)
            environment = self._lifetime.environment
        self._assembly = assemble(self.settings, self, environment)
        if self._dicom:
            self._dicom.start(self._assembly)

    def application(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a request (WSGI); the same for all that is started after a reset or a crash.

        An interrupt comes once it is answered, a second one at once.
        """
        with interrupts_later():
            return self._answer(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        if self._assembly is not None and self._reset_asked:
            self._reset_asked = False
            self.shutdown()
            self._start()
        if self._assembly is None:
            raise requests.ConnectionError("The server has stopped")
        lifetime = self._lifetime
        try:
            answer = self._assembly.application(environ, start_response)
        except Crashed:
            raise requests.ConnectionError(_CRASHED) from None
        self._environment.executor.run_pending()
        return answer if lifetime is None else _until_its_end(answer, lifetime)

    def reset(self) -> None:
        """Start again before the next request."""
        self._reset_asked = True

    def shutdown(self) -> None:
        """Answer no further request."""
        assembly, self._assembly = self._assembly, None
        self._lifetime = None
        if assembly is not None:
            if self._dicom:
                self._dicom.stop()
            assembly.close()

    def report(self, error: BaseException) -> None:
        """Keep the words of an error of the server."""
        keep_error(self.errors, error)

    def stop(self) -> None:
        """Stop; a temporary folder is removed."""
        try:
            self.shutdown()
        finally:
            self.session.close()
            self._own.remove()


def _until_its_end(answer: Iterable[bytes], lifetime: Lifetime) -> Iterator[bytes]:
    """Pass an answer on until the server crashes."""
    pieces = iter(answer)
    try:
        while not lifetime.has_ended:
            try:
                piece = next(pieces)
            except StopIteration:
                return
            yield piece
        raise Crashed
    except Crashed:
        raise requests.ConnectionError(_CRASHED) from None
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()


def _dicom_listener() -> DicomListener:
    # It needs modules that are not there on every platform without threads.
    from orthanc_lab.server.dicom_listener import DicomListener  # noqa: PLC0415

    return DicomListener()
