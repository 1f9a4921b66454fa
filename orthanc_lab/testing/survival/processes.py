"""Cells in processes of their own, a few at a time, each with a limit of time.

A process that has loaded everything, and has no threads, makes a copy of itself for each cell: so a cell takes a
tenth of the time that a new interpreter would need, and what hangs is killed.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import selectors
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.survival.cell import Cell, Outcome, failure, run_cell

__all__ = ["run_cells"]

_READ = 1 << 16
_LOADED = (
    "orthanc_lab.client",
    "orthanc_lab.server.embedding.embedded_server",
    "orthanc_lab.testing.faults.faulty_environment",
    "pydicom.filereader",
)


@dataclass
class _Running:
    cell: Cell
    process: int
    pipe: int
    deadline: float  # monotonic
    folder: Path
    received: bytearray = field(default_factory=bytearray)


def run_cells(
    cells: Sequence[Cell], *, limit: float, at_once: int, real: bool = False
) -> Iterator[tuple[Cell, Outcome]]:
    """Run cells, and yield each with its outcome as it ends.

    Parameters
    ----------
    limit
        Seconds for a cell; one that takes longer hangs.
    at_once
        How many run at a time.
    real
        Whether the server is a real Orthanc.

    Raises
    ------
    RuntimeError
        If a cell cannot be run at all.
    """
    for module in _LOADED:
        importlib.import_module(module)
    waiting = list(reversed(cells))
    running: dict[int, _Running] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    one = _begin(waiting.pop(), limit, free_port() if real else 0)
                    running[one.pipe] = one
                    selector.register(one.pipe, selectors.EVENT_READ)
                pause = max(0.0, min(one.deadline for one in running.values()) - time.monotonic())
                ready = {int(key.fd) for key, _ in selector.select(pause)}
                for pipe in ready:
                    if piece := os.read(pipe, _READ):
                        running[pipe].received += piece
                        ready = ready - {pipe}
                now = time.monotonic()
                for one in [one for one in running.values() if one.pipe in ready or one.deadline <= now]:
                    selector.unregister(one.pipe)
                    del running[one.pipe]
                    yield one.cell, _end(one, hangs=one.pipe not in ready)
        finally:
            for one in running.values():
                _end(one, hangs=True)


def _begin(cell: Cell, limit: float, real_port: int) -> _Running:
    folder = Path(tempfile.mkdtemp(prefix="orthanc-lab-survival-"))
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        _be_a_cell(cell, folder, writing, limit, real_port)
    os.close(writing)
    return _Running(cell, process, reading, time.monotonic() + limit, folder)


def _be_a_cell(cell: Cell, folder: Path, pipe: int, limit: float, real_port: int) -> None:
    """Run a cell in a process that was just made, and end it."""
    os.setpgid(0, 0)
    logging.disable()  # errors of the server are what it is about
    try:
        document = run_cell(cell, folder, limit=limit, real_port=real_port).document()
    except BaseException as error:
        document = {"failure": failure(error)}
    with os.fdopen(pipe, "wb") as file:
        file.write(json.dumps(document).encode())
    sys.stderr.flush()
    os._exit(0)


def _end(one: _Running, *, hangs: bool) -> Outcome:
    if hangs:
        os.killpg(one.process, signal.SIGKILL)  # a real Orthanc is in its group
    os.close(one.pipe)
    os.waitpid(one.process, 0)
    shutil.rmtree(one.folder, ignore_errors=True)
    if hangs:
        return Outcome("hangs")
    document = json.loads(bytes(one.received) or b"{}")
    if "result" not in document:
        raise RuntimeError(f"{one.cell} could not be run: {document.get('failure', 'its process ended')}")
    return Outcome(**document)
