"""The whole matrix, with the day and the versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import orthanc_lab
from orthanc_lab.protocol.version import VERSION
from orthanc_lab.testing.faults.kinds import KINDS
from orthanc_lab.testing.faults.requests import FAULTS_OF_REQUESTS
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.survival.cell import Cell
from orthanc_lab.testing.survival.clients import CLIENTS, DISTRIBUTIONS
from orthanc_lab.testing.survival.processes import run_cells
from orthanc_lab.testing.survival.tasks import TASKS

__all__ = ["all_cells", "make_matrix"]


def all_cells(
    faults: Iterable[str] = (), clients: Iterable[str] = (), tasks: Iterable[str] = (), *, real: bool = False
) -> list[Cell]:
    """Return the cells of some faults, clients and tasks; none stands for all that there are.

    Parameters
    ----------
    real
        Only faults that happen in front of a real Orthanc, or at the DICOM node that it sends to.
    """
    outside = (*FAULTS_OF_REQUESTS, *(name for name, kind in KINDS.items() if kind.place == "DICOM"))
    return [
        Cell(fault, client, task)
        for fault in faults or (outside if real else KINDS)
        for task in tasks or TASKS
        if fault not in KINDS or task not in TASKS or TASKS[task].may_meet(KINDS[fault])
        for client in clients or CLIENTS
    ]


def _version_of_real() -> str:
    with RealOrthanc() as real:
        return f"Orthanc {orthanc_lab.Client(real.url).system['Version']}"


def make_matrix(
    cells: Sequence[Cell],
    *,
    limit: float,
    at_once: int,
    real: bool = False,
    tell: Callable[[str], object] = lambda line: None,
) -> dict[str, Any]:
    """Run cells, and return their outcomes as JSON.

    Parameters
    ----------
    limit
        Seconds for a cell.
    at_once
        How many cells run at a time.
    real
        Whether the server is a real Orthanc, behind a proxy with the faults.
    tell
        Called with a line for each cell that has ended.
    """
    outcomes = {}
    for cell, outcome in run_cells(cells, limit=limit, at_once=at_once, real=real):
        outcomes[cell] = outcome
        tell(f"{cell.fault} | {cell.task} | {cell.client}: {outcome.result} {outcome.words}".rstrip())
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "limit": limit,
        "server": _version_of_real() if real else f"orthanc-lab {VERSION}",
        "versions": {name: version(DISTRIBUTIONS.get(name, name)) for name in CLIENTS},
        "cells": [
            {"fault": cell.fault, "task": cell.task, "client": cell.client, **outcomes[cell].document()}
            for cell in cells
        ],
    }
