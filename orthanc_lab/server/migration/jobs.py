"""The list of jobs is moved, with the outputs that its jobs still have."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import BinaryIO

from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.store import JobRow
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.migration.target import JobRows

__all__ = ["migrate_jobs"]

_PIECE = 1 << 20  # bytes


def migrate_jobs(
    rows: Sequence[JobRow], outputs: OutputStore, target: JobRows, target_outputs: OutputStore, report: Report
) -> None:
    """Add jobs to the end of a list, in the order of their submission; those that are in it already stay.

    A job is there with its outputs or not at all: those of a job that is not yet in the list are removed by the
    next start of a server.
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
                except OSError as error:
                    with suppress(OSError):
                        target_outputs.remove(name)  # else a part of it would be downloaded as the whole
                    report.lose(f"output {name} of the job {row.id}", error.strerror or str(error))
                else:
                    copied += 1
        sequence += 1
        try:
            target.write(replace(row, sequence=sequence))
        except OrthancError as error:
            report.lose(f"job {row.id}", error.details or error.text)
        else:
            taken += 1
    report.notes.append(
        f"{taken} jobs were {report.verb} with {copied} outputs, {len(rows) - taken} were there already"
    )


def _copy(outputs: OutputStore, target: OutputStore, name: str) -> None:
    """Copy an output, and read it back."""
    with outputs.open(name) as source:
        writer, _ = target.append(name, 0)
        with closing(writer):
            while piece := source.read(_PIECE):
                writer.write(piece)
        source.seek(0)
        with target.open(name) as stored:
            if _md5(source) != _md5(stored):
                raise OSError("the target returns other bytes")


def _md5(file: BinaryIO) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()
