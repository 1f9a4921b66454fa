"""What a server holds from one start to its end, so that it can end at once, as a killed process does."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from orthanc_lab.protocol.seeded import SeededExecutor, TaskGroup
from orthanc_lab.server.assembly import Environment
from orthanc_lab.storage.files.log_file import LogFile

__all__ = ["Lifetime"]

Held = TypeVar("Held", sqlite3.Connection, LogFile)


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
        self._held: list[sqlite3.Connection | LogFile] = []
        self._give_up: Callable[[], None] | None = None
        self._outside = environment
        self.environment = replace(
            environment,
            executor=self._tasks,
            connect_index=self._kept(environment.connect_index),
            connect_jobs=self._kept(environment.connect_jobs),
            open_log=self._kept(environment.open_log),
            lock=self._lock,
        )
        self.has_ended = False

    def end(self) -> None:
        """End at once.

        Raises
        ------
        RuntimeError
            If one of its own tasks calls this.
        """
        self._tasks.check_that_none_runs()
        self.has_ended = True
        for held in self._held:
            with contextlib.suppress(OSError, sqlite3.Error):  # it was closed already
                held.close()
        self._tasks.drop_all()
        if self._give_up is not None:
            self._give_up()

    def _kept(self, open: Callable[[Path], Held]) -> Callable[[Path], Held]:
        def opened(path: Path) -> Held:
            made = open(path)
            self._held.append(made)
            return made

        return opened

    def _lock(self, folder: Path) -> Callable[[], None]:
        give_up = self._outside.lock(folder)

        def once() -> None:
            if self._give_up is not None:
                self._give_up = None
                give_up()

        self._give_up = once
        return once
