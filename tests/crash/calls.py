"""A server each of whose calls that reach the disk can fail, and be looked at as a killed process would leave it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orthanc_lab.server.environment import Environment
from orthanc_lab.storage.files.log_file import DiskLog

_CODES = {errno.ENOSPC: sqlite3.SQLITE_FULL, errno.EMFILE: sqlite3.SQLITE_CANTOPEN}
_WRITING = ("BEGIN", "INSERT", "UPDATE", "DELETE", "COMMIT")


@dataclass
class Calls:
    """What counts calls, while it is told to; those whose numbers are in `failing` fail with `error`."""

    error: int = errno.EIO
    failing: Collection[int] = ()
    before: Callable[[], None] | None = None
    is_counting: bool = False
    made: list[str] = field(default_factory=list)

    def __enter__(self) -> Calls:
        self.made, self.is_counting = [], True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_counting, self.failing, self.before = False, (), None

    def fails(self, what: str) -> bool:
        if not self.is_counting:
            return False
        self.made.append(what)
        if self.before is not None:
            self.before()
        return len(self.made) - 1 in self.failing

    def check(self, what: str) -> None:
        if self.fails(what):
            raise OSError(self.error, os.strerror(self.error))

    def around(self, environment: Environment) -> Environment:
        def connecting(connect: Callable[[Path], sqlite3.Connection], what: str) -> Callable[[Path], Any]:
            return lambda path: Connection(connect(path), what, self)

        return replace(
            environment,
            file_area=lambda area: _Part(area, self, ("read", "sync", "remove", "write")),
            open_log=lambda path: _Log(path, self),
            connect_index=connecting(environment.connect_index, "index"),
            connect_jobs=connecting(environment.connect_jobs, "jobs"),
            outputs=lambda outputs: _Outputs(outputs, self, ("new_name", "open", "take", "remove")),
        )


class _Part:
    """A part of the server whose methods of some names can fail."""

    def __init__(self, part: Any, calls: Calls, names: Collection[str]) -> None:
        self._part, self._calls, self._names = part, calls, names

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)
        if name not in self._names:
            return method

        def checked(*arguments: Any, **named: Any) -> Any:
            self._calls.check(f"{type(self._part).__name__}.{name}")
            return method(*arguments, **named)

        return checked


class _Outputs(_Part):
    def append(self, name: str, offset: int) -> tuple[_Part, int]:
        self._calls.check("outputs.append")
        writer, start = self._part.append(name, offset)
        return _Part(writer, self._calls, ("write",)), start


class _Log(DiskLog):
    def __init__(self, path: Path, calls: Calls) -> None:
        self._calls = calls
        super().__init__(path)

    def append(self, data: bytes) -> None:
        if self._calls.fails("log.append"):
            super().append(data[: len(data) // 2])
            raise OSError(self._calls.error, os.strerror(self._calls.error))
        super().append(data)

    def truncate(self, size: int) -> None:
        self._calls.check("log.truncate")
        super().truncate(size)

    def rewrite(self, content: bytes) -> None:
        self._calls.check("log.rewrite")
        super().rewrite(content)

    def sync(self) -> None:
        self._calls.check("log.sync")
        super().sync()


class Connection(_Part):
    """A connection that fails as SQLite does: it takes back the transaction by itself."""

    def __init__(self, connection: sqlite3.Connection, what: str, calls: Calls) -> None:
        super().__init__(connection, calls, ())
        self._what = what

    def execute(self, statement: str, *parameters: Any) -> Any:
        self._fail(statement)
        return self._part.execute(statement, *parameters)

    def executemany(self, statement: str, parameters: Any) -> Any:
        self._fail(statement)
        return self._part.executemany(statement, parameters)

    def _fail(self, statement: str) -> None:
        verb = statement.split(None, 1)[0].upper()
        error = self._calls.error
        if verb == "ROLLBACK" or not self._calls.fails(f"{self._what}: {verb}"):
            return
        if error == errno.ENOSPC and verb not in _WRITING:
            return
        if self._part.in_transaction:
            self._part.execute("ROLLBACK")
        failure = sqlite3.OperationalError("injected")
        failure.sqlite_errorcode = _CODES.get(error, sqlite3.SQLITE_IOERR)
        raise failure
