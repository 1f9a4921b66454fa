"""The cost of our client compared with bare `requests`, pyorthanc and pydicom, on the same server; and of frames."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

from orthanc_lab.bench import material
from orthanc_lab.bench.figure import Figure
from orthanc_lab.bench.frame_figures import frame_of_jobs, frame_of_scrape
from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.bench.volume_figures import volume_gain
from orthanc_lab.client.client import Client

__all__ = ["measure_client", "overhead", "upload_gain"]

_CALLS = 300
_FILES = 1000


def overhead(url: str, pairs: int, calls: int = _CALLS) -> Figure:
    """Measure the CPU time of a call of the client against the same call with `requests`."""
    client, session = Client(url), requests.Session()
    session.trust_env = False

    def bare() -> None:
        for _ in range(calls):
            session.get(f"{url}/system", timeout=30).json()

    def ours() -> None:
        for _ in range(calls):
            client.transport.get("/system")

    with client, session:
        ratios = _ratios(ours, bare, pairs, time.process_time)
    return Figure("client: CPU of a call / bare requests", ratios, 1.15, at_most=True)


def upload_gain(url: str, pairs: int, files: int = _FILES) -> Figure:
    """Measure the wall time of uploading a folder of small files with pyorthanc against ours.

    Raises
    ------
    ModuleNotFoundError
        If pyorthanc is not installed.
    """
    try:
        import pyorthanc  # noqa: PLC0415 - it is installed by the extra for tests
    except ModuleNotFoundError as error:
        if error.name != "pyorthanc":
            raise
        raise ModuleNotFoundError("it is compared with pyorthanc: pip install pyorthanc", name="pyorthanc") from None

    logging.getLogger("httpx").setLevel(logging.WARNING)
    with Client(url) as client, pyorthanc.Orthanc(url, timeout=60) as other, tempfile.TemporaryDirectory() as name:
        root = Path(name)

        def fresh() -> Path:
            folder = Path(tempfile.mkdtemp(dir=root))
            for number, content in enumerate(material.small_instances(files)):
                (folder / f"{number:05}.dcm").write_bytes(content)
            os.sync()
            return folder

        ratios = []
        for pair in range(pairs):
            seconds = {}
            for who in ("ours", "theirs") if pair % 2 else ("theirs", "ours"):
                folder = fresh()
                start = time.perf_counter()
                if who == "ours":
                    client.upload(folder, progress=False)
                else:
                    pyorthanc.upload(other, folder, recursive=True)
                seconds[who] = time.perf_counter() - start
            ratios.append(seconds["theirs"] / seconds["ours"])
        if len(client.instances) != 2 * pairs * files:
            raise RuntimeError(f"{len(client.instances)} of {2 * pairs * files} files arrived")
    return Figure(f"client: upload of {files:,} small files, pyorthanc / ours", ratios, 3, at_most=False)


def _ratios(
    first: Callable[[], None], second: Callable[[], None], pairs: int, clock: Callable[[], float]
) -> list[float]:
    """Return the cost of the first divided by the second, pair by pair, in alternating order."""
    first()
    second()
    ratios = []
    for pair in range(pairs):
        costs = {}
        for run in (first, second) if pair % 2 else (second, first):
            start = clock()
            run()
            costs[run] = clock() - start
        ratios.append(costs[first] / costs[second])
    return ratios


def measure_client(command: str, pairs: int) -> list[Figure]:
    """Start a server and measure all figures on it, in pairs of runs."""
    server = ServerProcess("server", command, {})
    try:
        server.start()
        url = f"http://127.0.0.1:{server.port}"
        figures = [overhead(url, pairs)]
        try:
            figures.append(upload_gain(url, pairs))
        except ModuleNotFoundError as missing:
            print(f"Skipping the upload: {missing}", file=sys.stderr)
        try:
            with Client(url) as client:
                figures.append(volume_gain(client, pairs))
                figures += [frame_of_jobs(client, pairs), frame_of_scrape(client, pairs)]
        except ModuleNotFoundError as missing:
            print(f"Skipping the frames: {missing}", file=sys.stderr)
        return figures
    finally:
        server.remove()
