"""``python -m orthanc_lab.testing.survival``: which client survives which fault."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orthanc_lab.testing.survival.cell import Cell

_LIBRARIES = ("pyorthanc", "orthanc_api_client")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix, and write it as JSON."""
    options = _parser().parse_args(arguments)
    try:
        for library in _LIBRARIES:
            __import__(library)
    except ModuleNotFoundError as error:
        print(f"{error}; the clients are compared with: pip install 'orthanc-lab[test]'", file=sys.stderr)
        return 1
    from orthanc_lab.testing.survival.matrix import all_cells, make_matrix  # noqa: PLC0415

    try:
        cells = all_cells(options.fault, options.client, options.task, real=options.real)
        _check(cells)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    matrix = make_matrix(
        cells,
        limit=options.limit,
        at_once=options.at_once,
        real=options.real,
        tell=lambda line: print(line, file=sys.stderr),
    )
    if options.keep is not None:
        matrix = _with_other_cells(matrix, json.loads(options.keep.read_text("utf-8")))
    text = json.dumps(matrix, indent=1) + "\n"
    if options.out is None:
        print(text, end="")
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0


def _with_other_cells(matrix: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Return a matrix with those cells of an older one that were not run again, in the order of both."""
    new = {_place(cell): cell for cell in matrix["cells"]}
    cells = [new.pop(_place(cell), cell) for cell in old["cells"]]
    return {**matrix, "cells": [*cells, *new.values()]}


def _place(cell: dict[str, Any]) -> tuple[str, ...]:
    return cell["fault"], cell["task"], cell["client"]


def _check(cells: Sequence[Cell]) -> None:
    from orthanc_lab.testing.faults.switches import kind_of  # noqa: PLC0415
    from orthanc_lab.testing.survival.clients import CLIENTS  # noqa: PLC0415
    from orthanc_lab.testing.survival.tasks import TASKS  # noqa: PLC0415

    for cell in cells:
        kind_of(cell.fault)
        for name, known in ((cell.client, CLIENTS), (cell.task, TASKS)):
            if name not in known:
                raise ValueError(f"There is no {name!r}; there are: {', '.join(known)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orthanc_lab.testing.survival", description=main.__doc__)
    parser.add_argument("out", type=Path, nargs="?", help="the file to write; standard output if there is none")
    parser.add_argument("--fault", action="append", default=[], help="this fault alone (may be given several times)")
    parser.add_argument("--client", action="append", default=[], help="this client alone")
    parser.add_argument("--task", action="append", default=[], help="this task alone")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="take the other cells from this file")
    parser.add_argument("--real", action="store_true", help="on a real Orthanc, behind a proxy with the faults of HTTP")
    parser.add_argument("--limit", type=float, default=8.0, help="seconds for a cell (%(default)s)")
    parser.add_argument("--at-once", type=int, default=4, help="cells that run at a time (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
