"""The list of jobs is moved, with the outputs that its jobs still have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.store import JobRow
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.adoption.source_rows import FileError
from orthanc_lab.server.migration.target import JobRows
from orthanc_lab.storage.files.disk_errors import SCARCE

__all__ = ["migrate_jobs"]

_PIECE = 1 << 20  # bytes
_REFUSED = (ErrorCode.BAD_SEQUENCE_OF_CALLS, ErrorCode.CORRUPTED_FILE)  # the job, and not by a disk that fails


def migrate_jobs(
    rows: Sequence[JobRow], outputs: OutputStore, target: JobRows, target_outputs: OutputStore, report: Report
) -> None:
    """Add jobs to the end of a list, in the order of their submission; those that are in it already stay.

    A job is there with its outputs or not at all: those of a job that is not yet in the list are removed by the
    next start of a server.

    Raises
    ------
    OSError
        If an output cannot be written; the jobs that are not in the list yet are added when this is done again.
    OrthancError
        If the list cannot be written; also then.
    """
    there = target.rows()
    known = {row.id for row in there}
    sequence = max((row.sequence for row in there), default=0)
    names = sorted(outputs.names())
    taken = copied = 0
    for row in rows:
        if row.id in known:
            continue
        text = f"{row.outputs}{row.payload or ''}{row.position or ''}"
        for name in names:
            if name in text:
                try:
                    _copy(outputs, target_outputs, name)
                except FileError as error:
                    target_outputs.remove(name)  # else a part of it would be downloaded as the whole
                    report.lose(f"output {name} of the job {row.id}", str(error))
                else:
                    copied += 1
        sequence += 1
        try:
            target.write(replace(row, sequence=sequence))
        except OrthancError as error:
            if error.code not in _REFUSED:
                raise
            report.lose(f"job {row.id}", error.details or error.text)
        else:
            taken += 1
    present = sum(row.id in known for row in rows)
    report.notes.append(f"{taken} jobs were {report.verb} with {copied} outputs, {present} were there already")


def _copy(outputs: OutputStore, target: OutputStore, name: str) -> None:
    """Copy an output, and read it back.

    Raises
    ------
    FileError
        If the source cannot be read, or the target returns other bytes.
    OSError
        If the target cannot be written or read.
    """
    wanted, found = (hashlib.md5(usedforsecurity=False) for _ in range(2))
    writer, _ = target.append(name, 0)
    with closing(writer):
        for piece in _pieces(outputs, name):
            wanted.update(piece)
            writer.write(piece)
    with target.open(name) as stored:
        while piece := stored.read(_PIECE):
            found.update(piece)
    if found.digest() != wanted.digest():
        raise FileError("the target returns other bytes")


def _pieces(outputs: OutputStore, name: str) -> Iterator[bytes]:
    """Yield the bytes of an output of the source."""
    try:
        with outputs.open(name) as source:
            while piece := source.read(_PIECE):
                yield piece
    except OSError as error:
        if error.errno in SCARCE:
            raise
        raise FileError(error.strerror or str(error)) from error
