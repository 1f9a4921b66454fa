"""``orthanc-lab bench --against 'Orthanc {config}'``, and with ``--client`` or ``--faults``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from orthanc_lab.bench import report
from orthanc_lab.bench.client_figures import measure_client
from orthanc_lab.bench.fault_figures import measure_faults
from orthanc_lab.bench.figure import Figure
from orthanc_lab.bench.pairing import Result, measure
from orthanc_lab.bench.sending import PEER
from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.bench.workloads import WORKLOADS, Workload
from orthanc_lab.server.file_words import check_writable, words_of
from orthanc_lab.server.loopback import free_port

__all__ = ["main"]

_OURS = f"{sys.executable} -m orthanc_lab serve {{config}}"


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


def _run(workload: Workload, ours: str, against: str, rounds: int) -> Result:
    dicom_port = free_port()
    peer = ServerProcess("peer", ours, {"DicomServerEnabled": True, "DicomPort": dicom_port, "DicomAet": "PEER"})
    options = dict(workload.options)
    if workload.needs_peer:
        options["OrthancPeers"] = {PEER: [peer.url]}
        options["DicomModalities"] = {PEER: ["PEER", "127.0.0.1", dicom_port]}
    mine, other = ServerProcess("ours", ours, options), ServerProcess("theirs", against, options)
    try:
        for server in (mine, other, peer) if workload.needs_peer else (mine, other):
            server.start()
        return measure(workload, mine, other, rounds, lambda text: print(f"  {text}", file=sys.stderr, flush=True))
    finally:
        for server in (mine, other, peer):
            server.remove()


def _table(figures: Sequence[Figure]) -> int:
    print("| figure | median (spread) | goal | reached |\n|---|--:|--:|---|")
    for figure in figures:
        print(figure.row())
    return 0 if all(figure.reached for figure in figures) else 1


def main(arguments: list[str] | None = None) -> int:
    """Measure both servers side by side; returns 0 if every goal was reached, otherwise 1."""
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
        "--faults", action="store_true", help="measure what the faults of orthanc_lab.testing cost while they are off"
    )
    parser.add_argument("--ours", default=_OURS, help="command line of our server (default: this installation)")
    parser.add_argument("--only", default="", help="run only workloads whose name contains this text")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of A B B A (default 3: six pairs)")
    parser.add_argument("--json", type=Path, help="write all figures to this JSON file")
    parser.add_argument("--chart", type=Path, help="draw a chart into this PNG or SVG file")
    chosen = parser.parse_args(arguments)
    if chosen.client:
        return _table(measure_client(chosen.ours, 2 * chosen.rounds))
    if chosen.faults:
        return _table(measure_faults(chosen.ours, 2 * chosen.rounds))
    if chosen.against is None:
        parser.error("one of --against (the other server), --client and --faults is required")
    workloads = [workload for workload in WORKLOADS if chosen.only.lower() in workload.name.lower()]
    if not workloads:
        names = ", ".join(workload.name for workload in WORKLOADS)
        parser.error(f"no workload's name contains {chosen.only!r}; choose from: {names}")
    for path in (chosen.json, chosen.chart):
        try:
            check_writable(path)
        except OSError as error:
            parser.error(words_of(error))
    print(f"{os.cpu_count()} cores; disk: {_disk()}")
    print(report.title_row(), flush=True)
    results = []
    for workload in workloads:
        results.append(_run(workload, chosen.ours, chosen.against, chosen.rounds))
        print(report.row(results[-1]), flush=True)
    print(f"\n{report.bars(results)}")
    if chosen.json:
        chosen.json.write_text(json.dumps(report.as_json(results), indent=1), encoding="utf-8")
    if chosen.chart:
        report.save_chart(results, chosen.chart)
    return 0 if all(result.reached for result in results) else 1
