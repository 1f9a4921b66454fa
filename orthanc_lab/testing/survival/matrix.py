"""The whole matrix, with the day and the versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from orthanc_lab.protocol.version import VERSION
from orthanc_lab.testing.faults.kinds import KINDS
from orthanc_lab.testing.survival.cell import Cell
from orthanc_lab.testing.survival.clients import CLIENTS, DISTRIBUTIONS
from orthanc_lab.testing.survival.processes import run_cells
from orthanc_lab.testing.survival.tasks import TASKS

__all__ = ["all_cells", "make_matrix"]

_NOT_MET = ("DICOM association aborted", "stale since of changes")  # by these tasks


def all_cells(faults: Iterable[str] = (), clients: Iterable[str] = (), tasks: Iterable[str] = ()) -> list[Cell]:
    """Return the cells of some faults, clients and tasks; none stands for all."""
    met = [name for name in KINDS if name not in _NOT_MET]
    return [
        Cell(fault, client, task) for fault in faults or met for task in tasks or TASKS for client in clients or CLIENTS
    ]


def make_matrix(
    cells: Sequence[Cell], *, limit: float, at_once: int, tell: Callable[[str], object] = lambda line: None
) -> dict[str, Any]:
    """Run cells, and return their outcomes as JSON.

    Parameters
    ----------
    limit
        Seconds for a cell.
    at_once
        How many cells run at a time.
    tell
        Called with a line for each cell that has ended.
    """
    outcomes = {}
    for cell, outcome in run_cells(cells, limit=limit, at_once=at_once):
        outcomes[cell] = outcome
        tell(f"{cell.fault} | {cell.task} | {cell.client}: {outcome.result} {outcome.words}".rstrip())
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "limit": limit,
        "server": f"orthanc-lab {VERSION}",
        "versions": {name: version(DISTRIBUTIONS.get(name, name)) for name in CLIENTS},
        "cells": [
            {"fault": cell.fault, "task": cell.task, "client": cell.client, **outcomes[cell].document()}
            for cell in cells
        ],
    }
