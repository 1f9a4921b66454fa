"""What a server holds from one start to its end, so that it can end at once, as a killed process does."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from orthanc_lab.protocol.seeded import Crashed, SeededExecutor, TaskGroup
from orthanc_lab.server.environment import Environment
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.log_file import LogFile

__all__ = ["Lifetime"]


class _HeldLog:
    """A file that grows, of a server that may crash: its descriptor may belong to another file then."""

    def __init__(self, log: LogFile, lifetime: Lifetime) -> None:
        self._log = log
        self._lifetime = lifetime

    def read(self) -> bytes:
        self._lifetime.check()
        return self._log.read()

    def append(self, data: bytes) -> None:
        self._lifetime.check()
        self._log.append(data)

    def truncate(self, size: int) -> None:
        self._lifetime.check()
        self._log.truncate(size)

    def rewrite(self, content: bytes) -> None:
        self._lifetime.check()
        self._log.rewrite(content)

    def sync(self) -> None:
        self._lifetime.check()
        self._log.sync()

    def close(self) -> None:
        self._log.close()


class _HeldArea:
    """The files of a server that may crash, also while it writes or removes one."""

    def __init__(self, area: FileArea, lifetime: Lifetime) -> None:
        self._area = area
        self._lifetime = lifetime

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        self._lifetime.check()
        self._area.write(name, data, sync=sync)
        self._lifetime.check()

    def sync(self, name: str) -> None:
        self._lifetime.check()
        self._area.sync(name)

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        self._lifetime.check()
        return self._area.read(name, size, offset)

    def remove(self, name: str) -> None:
        self._lifetime.check()
        self._area.remove(name)
        self._lifetime.check()


Held = TypeVar("Held", sqlite3.Connection, _HeldLog)


class Lifetime:
    """Tasks, connections to files and the lock of a folder: what the system takes back from a killed process.

    Nothing is finished, written or removed by `end`: what was not handed to the operating system is gone.

    Attributes
    ----------
    environment
        What the server is to be assembled with.
    """

    def __init__(self, environment: Environment, executor: SeededExecutor) -> None:
        self._tasks = TaskGroup(executor)
        self._held: list[sqlite3.Connection | _HeldLog] = []
        self._give_up: Callable[[], None] | None = None
        self._outside = environment
        self.environment = replace(
            environment,
            executor=self._tasks,
            file_area=lambda area: _HeldArea(environment.file_area(area), self),
            connect_index=lambda path: self._kept(environment.connect_index(path)),
            connect_jobs=lambda path: self._kept(environment.connect_jobs(path)),
            open_log=lambda path: self._kept(_HeldLog(environment.open_log(path), self)),
            lock=self._lock,
        )

    @property
    def has_ended(self) -> bool:
        """Whether it is over."""
        return self._tasks.has_ended

    def check(self) -> None:
        """End what goes on inside of a server that has crashed.

        Raises
        ------
        Crashed
            If it has.
        """
        if self.has_ended:
            raise Crashed

    def end(self) -> None:
        """End at once.

        Raises
        ------
        RuntimeError
            If one of its own tasks calls this.
        """
        self._tasks.check_that_none_runs()
        self._tasks.has_ended = True
        for held in self._held:
            with contextlib.suppress(OSError, sqlite3.Error):  # it was closed already
                held.close()
        self._tasks.drop_all()
        if self._give_up is not None:
            self._give_up()

    def _kept(self, held: Held) -> Held:
        self._held.append(held)
        return held

    def _lock(self, folder: Path) -> Callable[[], None]:
        give_up = self._outside.lock(folder)

        def once() -> None:
            if self._give_up is not None:
                self._give_up = None
                give_up()

        self._give_up = once
        return once
