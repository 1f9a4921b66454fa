"""Panels that are looked at for a while, with 200 jobs: memory, messages and the notebook's file stand still.

With ``--full-size`` (or ``--long``) they are looked at for two minutes, else for some seconds. The figures are kept
beside the pictures; among them is the CPU of the kernel, which depends too much on the machine to be a test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.holding_peer import HoldingPeer

JOBS = 200
SETTLING = 5  # seconds: imports, first drawings, caches
MOST_MESSAGES = 5  # a refresh
MOST_BYTES = 100_000  # a refresh: 200 rows, each of whose times has moved
PANELS = 2  # each is refreshed once a second
MOST_GROWTH = 10_000_000  # bytes
CELL = """\
import os
import orthanc_lab
from orthanc_lab.widgets import JobsPanel, MetricsPanel
from ipywidgets import VBox

client = orthanc_lab.Client("{url}")
print("pid", os.getpid())
VBox([JobsPanel(client), MetricsPanel(client)])"""


@dataclass
class Frames:
    """What came from the kernel over the web socket."""

    messages: int = 0
    size: int = 0

    def came(self, frame: str | bytes) -> None:
        self.messages += 1
        self.size += len(frame)


@dataclass(frozen=True)
class Moment:
    """How things stand."""

    kernel: int  # bytes
    page: int  # bytes of the JavaScript heap, without what is garbage
    cpu: float  # seconds
    messages: int
    size: int


@pytest.fixture
def many_jobs():
    with HoldingPeer() as peer, orthanc_lab.serve(JobsHistorySize=JOBS, process=True) as server:
        client = orthanc_lab.Client.from_server(server)
        (instance,) = client.upload(samples.dicom_files("mr")[0]).instances
        client.transport.send("PUT", "/peers/held", json={"Url": peer.url})
        peer.hold()
        for _ in range(JOBS):
            client.jobs.submit("/peers/held/store", {"Resources": [instance]})
        yield server
        server.kill()


def seconds_of(row: Any) -> int:
    """Return the elapsed time that stands in a row of the jobs."""
    minutes, _, seconds = row.locator("td").nth(5).inner_text().removesuffix(" s").rpartition(":")
    return 60 * int(minutes or 0) + int(seconds)


def until_elapsed(row: Any, seconds: int) -> None:
    row.page.wait_for_function(
        """([row, goal]) => {
            const [seconds, minutes = 0] = row.cells[5].innerText.replace(" s", "").split(":").map(Number).reverse();
            return 60 * minutes + seconds >= goal;
        }""",
        arg=[row.element_handle(), seconds],
        timeout=(seconds + 60) * 1000,
        polling=1000,
    )


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nothing_grows(notebook, many_jobs, artefacts, request):
    duration = 120 if request.config.getoption("--full-size") else 10
    frames = Frames()
    book = notebook(CELL.format(url=many_jobs.url), heard=frames.came)
    book.run_all()
    kernel = psutil.Process(int(book.area.locator(".jp-OutputArea-output pre", has_text="pid").inner_text().split()[1]))
    rows = book.area.locator("tbody tr")
    rows.nth(JOBS - 1).wait_for()
    session = book.page.context.new_cdp_session(book.page)

    def now() -> Moment:
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        times = kernel.cpu_times()
        return Moment(kernel.memory_info().rss, int(heap), times.user + times.system, frames.messages, frames.size)

    row = rows.first
    book.save()
    size_before = book.path.stat().st_size
    begin = seconds_of(row) + SETTLING
    until_elapsed(row, begin)
    before = now()
    until_elapsed(row, begin + duration)
    after = now()
    book.save()

    figures = {
        "seconds": duration,
        "messages per refresh": (after.messages - before.messages) / duration / PANELS,
        "bytes per refresh": (after.size - before.size) / duration / PANELS,
        "kernel growth, MB": (after.kernel - before.kernel) / 1e6,
        "page growth, MB": (after.page - before.page) / 1e6,
        "kernel CPU": (after.cpu - before.cpu) / duration,
        "notebook growth, bytes": book.path.stat().st_size - size_before,
    }
    (artefacts / f"live-{duration}.json").write_text(json.dumps(figures, indent=1))
    assert figures["messages per refresh"] <= MOST_MESSAGES, figures
    assert figures["bytes per refresh"] <= MOST_BYTES, figures
    assert after.kernel - before.kernel <= MOST_GROWTH, figures
    assert after.page - before.page <= MOST_GROWTH, figures
    assert figures["notebook growth, bytes"] == 0, figures
