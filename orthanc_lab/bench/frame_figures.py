"""The wall time for turning a server's responses into frames, without the request itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from orthanc_lab.bench.figure import Figure
from orthanc_lab.client.client import Client

__all__ = ["frame_of_jobs", "frame_of_scrape"]

_JOBS = 10_000
_SAMPLES = 60
_TIME = "%Y%m%dT%H%M%S.%f"


def frame_of_jobs(client: Client, rounds: int, count: int = _JOBS) -> Figure:
    """Measure `frames.jobs_frame` for `count` jobs: copies of one job of the server, with different ids and times.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.
    """
    from orthanc_lab.frames.job_table import jobs_frame  # noqa: PLC0415 - pandas comes with an extra

    pattern = _one_job(client)
    documents = [_job(pattern, number) for number in range(count)]
    times = _milliseconds(lambda: len(jobs_frame(documents)), count, rounds)
    return Figure(f"frames: frame of {count:,} jobs", times, 150, at_most=True, unit="ms")


def frame_of_scrape(client: Client, rounds: int, samples: int = _SAMPLES) -> Figure:
    """Measure `frames.read_text` for the server's metrics, filled up with made-up ones to `samples` lines.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.
    """
    from orthanc_lab.frames.metric_table import read_text  # noqa: PLC0415 - pandas comes with an extra

    lines = client.metrics_text().splitlines()
    lines += [f"plugin_queue_{number}_count {number} 1767225600000" for number in range(samples)]
    text = "".join(f"{line}\n" for line in lines[:samples])
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    times = _milliseconds(lambda: len(read_text(text, moment)), samples, rounds)
    return Figure(f"frames: scrape of {samples} samples to frame", times, 3, at_most=True, unit="ms")


def _one_job(client: Client) -> dict[str, Any]:
    client.create_dicom(tags={"PatientName": "Bench", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"})
    job = next(iter(client.patients)).archive_job().wait()
    return dict(client.transport.get(f"/jobs/{job.id}"))


def _job(pattern: dict[str, Any], number: int) -> dict[str, Any]:
    created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=7.000013 * number)
    return {
        **pattern,
        "ID": f"{number:08x}-0000-4000-8000-000000000000",
        "CreationTime": created.strftime(_TIME),
        "CompletionTime": (created + timedelta(seconds=1.5)).strftime(_TIME),
    }


def _milliseconds(make: Callable[[], int], rows: int, rounds: int) -> list[float]:
    make()  # the first call also loads modules
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        made = make()
        times.append((time.perf_counter() - start) * 1000)
        if made != rows:
            raise RuntimeError(f"The frame has {made} rows instead of {rows}")
    return times
