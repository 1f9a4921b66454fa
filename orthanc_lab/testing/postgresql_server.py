"""A throw-away PostgreSQL, made from the programs that are installed."""

from __future__ import annotations

import getpass
import importlib
import os
import shutil
import stat
import subprocess
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from orthanc_lab.protocol.optional import needs_extra
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.watching import Watcher

__all__ = ["MISSING", "PostgresqlDatabase", "PostgresqlServer", "execute", "find_programs"]

MISSING = "PostgreSQL is not installed; on Debian and Ubuntu: apt-get install postgresql"

_LONGEST = 60.0  # seconds, for a start or a stop

_REMOVE = '"$0" -D "$1/data" -m immediate stop; rm -rf -- "$1"'


def _needs_psycopg() -> AbstractContextManager[None]:
    return needs_extra("PostgreSQL", "cluster", "psycopg")


def find_programs() -> Path | None:
    """Return the folder of ``initdb``, ``pg_ctl`` and ``postgres``; None if they are not installed."""
    names = ("initdb", "pg_ctl", "postgres")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: _version(folder.parent.name))
    for folder in (*map(Path, os.environ.get("PATH", "").split(os.pathsep)), *reversed(installed)):
        if all(os.access(folder / name, os.X_OK) for name in names):
            return folder
    return None


def execute(uri: str, statement: str) -> tuple[Any, ...] | None:
    """Execute a statement in a database; return the first row of its result, if it has one.

    Raises
    ------
    ModuleNotFoundError
        If the extra ``cluster`` is not installed.
    ConnectionError
        If the database cannot be reached.
    """
    with _needs_psycopg():
        import psycopg  # noqa: PLC0415 - not installed without the extra ``cluster``
    try:
        opened = psycopg.connect(uri, autocommit=True)
    except psycopg.OperationalError as error:
        raise ConnectionError(str(error).strip()) from error
    with opened as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchone() if cursor.description else None


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


def _open_to_all() -> Path:
    """Return a folder for temporary files that any user can reach, which the one of this process may not be."""
    for place in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - mkdtemp follows
        if place.is_dir() and all(folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents)):
            return place
    return Path(tempfile.gettempdir())


@dataclass(frozen=True, slots=True)
class PostgresqlDatabase:
    """A database, and how it is reached."""

    host: str
    port: int
    name: str
    user: str

    @property
    def section(self) -> dict[str, Any]:
        """The section ``PostgreSQL`` of a server that keeps its index there."""
        return {
            "EnableIndex": True,
            "Host": self.host,
            "Port": self.port,
            "Database": self.name,
            "Username": self.user,
            "Password": "",
            "Lock": False,
        }

    @property
    def settings(self) -> dict[str, Any]:
        """The options of such a server."""
        return {"PostgreSQL": self.section}

    @property
    def uri(self) -> str:
        """What psycopg connects with."""
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"


class PostgresqlServer:
    """A PostgreSQL on a free port of the loopback interface, for the duration of a ``with`` block.

    Its folder is temporary. It runs as the user ``postgres`` if we are root, since PostgreSQL refuses to run as root.
    If this process is killed, the server stops too, and its folder is removed.

    Parameters
    ----------
    durable
        Wait for the disk at each commit. Without that, nothing is lost by a crash of PostgreSQL either, only by one of
        the machine, and tests are faster.
    **settings
        Further ones of ``postgresql.conf``.

    Raises
    ------
    FileNotFoundError
        If it is not installed; the message says how to install it.
    ModuleNotFoundError
        If psycopg (extra ``cluster``) is not installed.
    """

    def __init__(self, *, durable: bool = False, **settings: Any) -> None:
        programs = find_programs()
        if programs is None:
            raise FileNotFoundError(MISSING)
        with _needs_psycopg():
            importlib.import_module("psycopg")
        self._programs = programs
        quick = {} if durable else {"fsync": "off", "full_page_writes": "off"}
        self._settings = {"timezone": "UTC", "max_connections": 200, **quick, **settings}
        self._count = 0
        self._is_root = os.geteuid() == 0
        self.port = free_port()
        self.user = "postgres" if self._is_root else getpass.getuser()

    def __repr__(self) -> str:
        return f"<PostgresqlServer at 127.0.0.1:{self.port}>"

    def __enter__(self) -> PostgresqlServer:
        place = _open_to_all() if self._is_root else None
        self.folder = Path(tempfile.mkdtemp(prefix="orthanc-lab-postgresql-", dir=place))
        if self._is_root:
            shutil.chown(self.folder, self.user)
        self._watcher = Watcher(_REMOVE, self._programs / "pg_ctl", self.folder, user=self._as_user())
        try:
            self._run("initdb", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop("immediate")
        self._remove()

    @property
    def is_running(self) -> bool:
        """Whether it has been started and not been stopped."""
        return (self.folder / "data" / "postmaster.pid").exists()

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "log.txt").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            **self._settings,
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log.txt"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; the mode ``immediate`` is as a crash. Nothing happens if it does not run."""
        if self.is_running:
            self._run("pg_ctl", "-w", "-m", mode, "stop")

    def restart(self, mode: str = "fast") -> None:
        """Stop it and start it again."""
        self.stop(mode)
        self.start()

    def create_database(self) -> PostgresqlDatabase:
        """Make an empty database."""
        self._count += 1
        name = f"orthanc_{self._count}"
        self._execute(f'CREATE DATABASE "{name}"')
        return PostgresqlDatabase("127.0.0.1", self.port, name, self.user)

    def drop_database(self, database: PostgresqlDatabase) -> None:
        """Remove a database; connections to it are closed."""
        self._execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        execute(PostgresqlDatabase("127.0.0.1", self.port, "postgres", self.user).uri, statement)

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._watcher.end()

    def _as_user(self, *command: str) -> list[str]:
        return ["runuser", "-u", self.user, "--", *command] if self._is_root else list(command)

    def _run(self, program: str, *arguments: str) -> None:
        result = subprocess.run(  # noqa: S603 - the programs were found by their names, the rest is ours
            self._as_user(str(self._programs / program), "-D", str(self.folder / "data"), *arguments),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_LONGEST,
            check=False,
        )
        if result.returncode:
            text = result.stderr.decode("utf-8", "replace")
            log = self.log if (self.folder / "log.txt").exists() else ""
            raise RuntimeError(f"{program} failed with code {result.returncode}:\n{text}{log}")
