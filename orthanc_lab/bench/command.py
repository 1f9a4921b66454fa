"""``orthanc-lab bench --against 'Orthanc {config}'``, and with ``--client`` or ``--faults``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orthanc_lab.bench import report
from orthanc_lab.bench.client_figures import measure_client
from orthanc_lab.bench.cluster_figures import measure_cluster
from orthanc_lab.bench.databases import Databases
from orthanc_lab.bench.fault_figures import measure_faults
from orthanc_lab.bench.figure import Figure
from orthanc_lab.bench.on_postgresql import COMPARED_WITH_SQLITE, ON_POSTGRESQL
from orthanc_lab.bench.pairing import Result, measure
from orthanc_lab.bench.sending import PEER
from orthanc_lab.bench.servers import ServerError, ServerProcess
from orthanc_lab.bench.workload import Workload
from orthanc_lab.bench.workloads import WORKLOADS
from orthanc_lab.server.file_words import check_writable, words_of
from orthanc_lab.server.loopback import free_port

__all__ = ["main"]

_FAILED = 255
_OURS = f"{sys.executable} -m orthanc_lab serve {{config}}"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two servers that are compared."""

    name: str
    command: str
    options: Callable[[], dict[str, Any]] = dict  # besides those of the workload, for one process
    check: Callable[[dict[str, Any]], None] = lambda options: None  # that the process which was given them uses them


def _disk() -> str:
    """Return the speed of plain writes with one fsync per file, which limits every durable upload."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="orthanc-bench-") as folder:
        for size, count in ((4096, 200), (524_288, 60)):
            content = os.urandom(size)
            start = time.perf_counter()
            for index in range(count):
                with (Path(folder) / f"{size}-{index}").open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            seconds = time.perf_counter() - start
            figures.append(
                f"{count / seconds:.0f} fsyncs/s, {count * size / seconds / 1e6:.0f} MB/s at {size // 1024} kB"
            )
    return "; ".join(figures)


def _run(workload: Workload, sides: tuple[Side, Side], rounds: int) -> Result:
    with ExitStack() as made:

        def process(name: str, command: str, options: dict[str, Any]) -> ServerProcess:
            server = ServerProcess(name, command, options)
            made.callback(server.remove)
            return server

        ours, _ = sides
        dicom_port = free_port()
        peer = process("peer", ours.command, {"DicomServerEnabled": True, "DicomPort": dicom_port, "DicomAet": "PEER"})
        options = dict(workload.options)
        if workload.needs_peer:
            options["OrthancPeers"] = {PEER: [peer.url]}
            options["DicomModalities"] = {PEER: ["PEER", "127.0.0.1", dicom_port]}
        own = [side.options() for side in sides]
        mine, other = (
            process(side.name, side.command, {**options, **its}) for side, its in zip(sides, own, strict=True)
        )
        for server in (mine, other, peer) if workload.needs_peer else (mine, other):
            server.start()
        for side, its in zip(sides, own, strict=True):
            side.check(its)
        return measure(workload, mine, other, rounds, lambda text: print(f"  {text}", file=sys.stderr, flush=True))


def _table(figures: Sequence[Figure]) -> int:
    print("| figure | median (spread) | goal | reached |\n|---|--:|--:|---|")
    for figure in figures:
        print(figure.row())
    return 0 if all(figure.reached for figure in figures) else 1


def _cluster(ours: str, uri: str, *, grow: bool) -> int:
    figures = []
    print("| figure | median (spread) | goal | reached |\n|---|--:|--:|---|", flush=True)
    with Databases(uri) as databases:
        for figure in measure_cluster(ours, databases, grow=grow):
            print(figure.row(), flush=True)
            figures.append(figure)
    return 0 if all(figure.reached for figure in figures) else 1


def main(arguments: list[str] | None = None) -> int:
    """Measure both servers side by side; returns 0 if every goal was reached, 1 if not, 255 if that cannot be told."""
    parser = argparse.ArgumentParser(
        prog="orthanc-lab bench", description="Measure this server side by side with another one, in pairs."
    )
    parser.add_argument("--against", help="command line of the other server, e.g. 'Orthanc {config}'")
    parser.add_argument(
        "--client",
        action="store_true",
        help="measure our client against requests, pyorthanc and pydicom, and the frames",
    )
    parser.add_argument(
        "--postgresql",
        nargs="?",
        const="",
        metavar="URI",
        help="keep the index of both servers in PostgreSQL: a throw-away one from the installed programs, or the one "
        "where databases may be made, e.g. postgresql://user:password@host/postgres; "
        "without --against, ours on PostgreSQL is compared with ours on SQLite",
    )
    parser.add_argument(
        "--cluster", action="store_true", help="measure three of our servers on one PostgreSQL (see --postgresql)"
    )
    parser.add_argument("--growth", action="store_true", help="with --cluster: also with 100,000 instances")
    parser.add_argument(
        "--faults", action="store_true", help="measure what the faults of orthanc_lab.testing cost while they are off"
    )
    parser.add_argument("--ours", default=_OURS, help="command line of our server (default: this installation)")
    parser.add_argument(
        "--only",
        action="append",
        metavar="TEXT",
        help="run only workloads whose name contains this text; may be repeated",
    )
    parser.add_argument("--rounds", type=_rounds, default=3, help="rounds of A B B A (default 3: six pairs)")
    parser.add_argument("--json", type=Path, help="write all figures to this JSON file")
    parser.add_argument("--chart", type=Path, help="draw a chart into this PNG or SVG file")
    chosen = parser.parse_args(arguments)
    try:
        return _measured(chosen, parser)
    except (ServerError, OSError, ImportError) as error:
        print(f"orthanc-lab bench: {words_of(error) if isinstance(error, OSError) else error}", file=sys.stderr)
        return _FAILED


def _rounds(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"at least one round is needed, not {text!r}")
    return int(text)


def _measured(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if (chosen.client or chosen.faults or chosen.cluster) and (chosen.json or chosen.chart):
        parser.error("--json and --chart are of a comparison of two servers: not with --client, --faults or --cluster")
    if chosen.client:
        return _table(measure_client(chosen.ours, 2 * chosen.rounds))
    if chosen.faults:
        return _table(measure_faults(chosen.ours, 20 * chosen.rounds))
    if chosen.cluster:
        return _cluster(chosen.ours, chosen.postgresql or "", grow=chosen.growth)
    if chosen.against is None and chosen.postgresql is None:
        parser.error("one of --against (the other server), --postgresql, --cluster, --client and --faults is required")
    workloads = _workloads(chosen, parser)
    try:
        for path in (chosen.json, chosen.chart):
            check_writable(path)
        if chosen.chart:
            report.check_chart(chosen.chart)
    except OSError as error:
        parser.error(words_of(error))
    except ValueError as error:
        parser.error(str(error))
    print(f"{os.cpu_count()} cores; disk: {_disk()}")
    print(report.title_row(), flush=True)
    results = []
    with ExitStack() as stack:
        sides = _sides(chosen, stack)
        for workload in workloads:
            results.append(_run(workload, sides, chosen.rounds))
            print(report.row(results[-1]), flush=True)
    print(f"\n{report.bars(results)}")
    if chosen.json:
        chosen.json.write_text(json.dumps(report.as_json(results), indent=1), encoding="utf-8")
    if chosen.chart:
        report.save_chart(results, chosen.chart)
    return 0 if all(result.reached for result in results) else 1


def _workloads(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Workload]:
    if chosen.postgresql is None:
        every = WORKLOADS
    else:
        every = COMPARED_WITH_SQLITE if chosen.against is None else ON_POSTGRESQL
    if not chosen.only:
        return every
    for text in chosen.only:
        if not any(text.lower() in workload.name.lower() for workload in every):
            names = "\n".join(f"  {workload.name}" for workload in every)
            parser.error(f"no workload's name contains {text!r}; choose from:\n{names}")
    return [workload for workload in every if any(text.lower() in workload.name.lower() for text in chosen.only)]


def _sides(chosen: argparse.Namespace, stack: ExitStack) -> tuple[Side, Side]:
    """Return the two sides; the databases that they need end with the stack."""
    if chosen.postgresql is None:
        return Side("ours", chosen.ours), Side("theirs", chosen.against)
    databases = stack.enter_context(Databases(chosen.postgresql))
    ours = Side("ours", chosen.ours, databases.options, databases.check)
    if chosen.against is None:
        return ours, Side("SQLite", chosen.ours)
    return ours, Side("theirs", chosen.against, databases.options, databases.check)
