"""One cell of the matrix: a client does a task on a server with a fault."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orthanc_lab
from orthanc_lab.testing.faults.faults import Faults
from orthanc_lab.testing.faults.kind import FaultKind
from orthanc_lab.testing.faults.kinds import KINDS
from orthanc_lab.testing.faults.proxy import FaultyProxy
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.survival.clients import CLIENTS, Patience
from orthanc_lab.testing.survival.tasks import NODE, TASKS, Task

__all__ = ["Cell", "Outcome", "Result", "run_cell"]

Result = Literal["survives", "says so", "wrong", "hangs", "not met"]

_ADDRESS = re.compile(r"(http://)?127\.0\.0\.1:\d+")
_LONGEST = 400  # characters of an error
_FOREVER = 4.0  # times the limit of a cell, for what is late
_OPTIONS = {"DicomServerEnabled": False}


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in the matrix."""

    fault: str
    client: str
    task: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened there."""

    result: Result
    words: str = ""  # of the error

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def run_cell(cell: Cell, folder: Path, *, limit: float, real_port: int = 0) -> Outcome:
    """Run a cell in this process; it may take for ever.

    Parameters
    ----------
    folder
        An empty folder.
    limit
        The seconds after which it is stopped from outside; time-outs are parts of it.
    real_port
        Where a real Orthanc is to listen, behind a proxy with the faults; 0 for the server of this package.
    """
    kind, task, faults = KINDS[cell.fault], TASKS[cell.task], Faults()
    with ExitStack() as stack:
        url, server = stack.enter_context(_server(folder, faults, real_port))
        judge = stack.enter_context(_node(folder, faults, server)) if task.has_node else server
        study = task.prepare(server, folder)
        client = CLIENTS[cell.client](url, Patience(limit))
        fault = faults.on(kind.name, optional=True, **_trigger(kind, task, limit))
        error: Exception | None = None
        try:
            task.do(client, study, folder)
        except Exception as problem:  # the words of a client are its own
            error = problem
        faults.off()
        if fault.happened == 0:
            return Outcome("not met", _words(error))
        if error is not None:
            return Outcome("says so", _words(error))
        return Outcome("survives" if task.is_done(judge, folder) else "wrong")


@contextmanager
def _server(folder: Path, faults: Faults, real_port: int) -> Iterator[tuple[str, orthanc_lab.Client]]:
    """Start a server; return where it fails, and a client for which it does not."""
    if real_port:
        real = RealOrthanc(folder=folder / "real", HttpPort=real_port)
        with real as orthanc, FaultyProxy(orthanc.url, faults) as proxy:
            yield proxy.url, orthanc_lab.Client(orthanc.url)
        return
    with orthanc_lab.serve(_OPTIONS, folder=folder / "storage", faults=faults) as server:
        yield server.url, orthanc_lab.Client.from_server(server)


@contextmanager
def _node(folder: Path, faults: Faults, sender: orthanc_lab.Client) -> Iterator[orthanc_lab.Client]:
    """Start a DICOM node with faults, which the server knows; return a client of it."""
    with orthanc_lab.serve(folder=folder / "node", faults=faults, DicomAet="ARCHIVE") as node:
        sender.modalities.add(NODE, AET="ARCHIVE", Host="127.0.0.1", Port=node.dicom_port)
        yield orthanc_lab.Client.from_server(node)


def _trigger(kind: FaultKind, task: Task, limit: float) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if kind.place == "HTTP" and kind.name not in ("slow peer", "peer that accepts and loses", "stale since of changes"):
        options["where"] = task.where
    if kind.name in ("answer slower than the time-out", "download slower than the time-out", "slow peer"):
        options["seconds"] = limit * _FOREVER
    return options


def _words(error: Exception | None) -> str:
    if error is None:
        return ""
    text = str(error) or repr(error)
    name = "" if isinstance(error, orthanc_lab.ClientError) else f"{type(error).__name__}: "
    return _ADDRESS.sub("the server", " ".join(f"{name}{text}".split()))[:_LONGEST]


def failure(error: BaseException) -> str:
    """Return the words for a cell that could not be run at all."""
    return "".join(traceback.format_exception(error))
