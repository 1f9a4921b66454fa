"""A list of jobs and their outputs in dictionaries: what a crash would leave of them, without a disk."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO

from orthanc_lab.jobs.output_store import OutputWriter
from orthanc_lab.jobs.store import Change, Completion, JobRow, OutputsChange, Removal, StatusChange
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Identifiers

__all__ = ["MemoryJobStore", "MemoryOutputs"]


class MemoryJobStore:
    """The list of jobs in a dictionary, as `orthanc_lab.jobs.store.JobStore` asks for it.

    Parameters
    ----------
    left_by
        Another one, whose process was killed: what it had not written yet is not there.
    """

    def __init__(self, left_by: MemoryJobStore | None = None) -> None:
        self._rows: dict[int, JobRow] = {} if left_by is None else left_by._rows
        self._later: list[Change] = []
        self._closed = False

    def rows(self) -> Sequence[JobRow]:
        """Return all jobs in the order of their submission."""
        return [row for _, row in sorted(self._rows.items())]

    def row(self, sequence: int) -> JobRow | None:
        """Return one job, None if it is not in the list."""
        self._check_that_it_is_open()
        return self._rows.get(sequence)

    def write(self, change: Change) -> None:
        """Carry out a change."""
        self._check_that_it_is_open()
        if self._later:
            self._write_the_rest()
        self._carry_out(change)

    def write_later(self, change: Change) -> None:
        """Carry out a change together with the next one."""
        self._later.append(change)

    def close(self) -> None:
        """Write what is left to be written, and refuse what comes later."""
        self._write_the_rest()
        self._closed = True

    def _write_the_rest(self) -> None:
        later, self._later = self._later, []
        for change in later:
            with suppress(OrthancError):  # nobody waits for it
                self._carry_out(change)

    def _check_that_it_is_open(self) -> None:
        if self._closed:
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The jobs engine has stopped")

    def _carry_out(self, change: Change) -> None:
        sequence = change.sequence
        if isinstance(change, JobRow):
            if sequence in self._rows:
                raise OrthancError(ErrorCode.DATABASE, f"There is already a job number {sequence}")
            self._rows[sequence] = change
            return
        row = self._rows.get(sequence)
        if row is None:
            return
        match change:
            case StatusChange(_, state, status, None):
                self._rows[sequence] = replace(row, state=state, status=status)
            case StatusChange(_, state, status, position):
                self._rows[sequence] = replace(row, state=state, status=status, position=position)
            case Completion(_, state, status, outputs):
                changed = replace(row, state=state, status=status, outputs=outputs, payload=None, position=None)
                self._rows[sequence] = changed
            case OutputsChange(_, outputs):
                self._rows[sequence] = replace(row, outputs=outputs)
            case Removal():
                del self._rows[sequence]


class MemoryOutputs:
    """The outputs of jobs in a dictionary, as `orthanc_lab.jobs.output_store.OutputStore` asks for it.

    What was opened can be read until it is closed, as a file whose name is gone.
    """

    def __init__(self, identifiers: Identifiers) -> None:
        self._identifiers = identifiers
        self._contents: dict[str, bytes] = {}

    @property
    def grain(self) -> int:
        """0: any bytes are worth a write."""
        return 0

    def new_name(self, suffix: str) -> str:
        """Return a name that no output has."""
        return f"job-{self._identifiers.uuid()}{suffix}"

    def append(self, name: str, offset: int) -> tuple[OutputWriter, int]:
        """Cut an output back, and go on behind."""
        content = self._contents.get(name, b"")
        start = offset if len(content) >= offset else 0
        self._contents[name] = content[:start]
        return _Writer(self._contents, name), start

    def open(self, name: str) -> BinaryIO:
        """Open an output to read it."""
        if name not in self._contents:
            raise FileNotFoundError(name)
        return io.BytesIO(self._contents[name])

    def take(self, name: str) -> BinaryIO:
        """Open an output and remove it."""
        opened = self.open(name)
        self.remove(name)
        return opened

    def size(self, name: str) -> int | None:
        """Return the size of an output."""
        content = self._contents.get(name)
        return None if content is None else len(content)

    def remove(self, name: str) -> None:
        """Remove an output."""
        self._contents.pop(name, None)

    def names(self) -> Sequence[str]:
        """Return the names of all outputs."""
        return list(self._contents)


class _Writer:
    def __init__(self, contents: dict[str, bytes], name: str) -> None:
        self._contents = contents
        self._name = name

    def write(self, data: bytes) -> None:
        self._contents[self._name] = self._contents.get(self._name, b"") + data

    def close(self) -> None:
        pass
