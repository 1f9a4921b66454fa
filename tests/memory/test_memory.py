"""What the server needs, read from Linux: streamed archives, many instances, nothing to do.

The usual run takes 1/32 of the sizes; ``--full-size`` (or ``--long``) takes 4 GB and 50,000 instances.
The limits are the same in both.
"""

from __future__ import annotations

import base64
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

import orthanc_lab
from tests.rest.files import dicom_file
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.timeout(1800),
]
IMAGE = 4 << 20  # bytes of one instance of the large series
GROWTH = 96  # MiB
MANY = 150  # MiB
IDLE = 90  # MiB
PATTERNS = 30  # MiB, for what four of 50,000 characters become
AFTER_PICTURES = 110  # MiB


def memory(server: orthanc_lab.ChildServer, name: str = "VmRSS") -> float:
    """Return the memory that is resident, or (VmHWM) the most that it was since `forget_peak`, in MiB."""
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def forget_peak(server: orthanc_lab.ChildServer) -> None:
    Path(f"/proc/{server.pid}/clear_refs").write_text("5", encoding="ascii")


@pytest.fixture(scope="module")
def part(request: pytest.FixtureRequest) -> int:
    """By what the full sizes are divided."""
    return 1 if request.config.getoption("--full-size") else 32


def images(number: int) -> Iterator[bytes]:
    """Yield DICOM files of one series, each with `IMAGE` bytes that can be compressed to about the half."""
    noise = np.random.default_rng(1).integers(0, 16, IMAGE, dtype=np.uint8).tobytes()
    made = dicom_file("large", "1.2", "1.2.3", "1.2.3.10000", EncapsulatedDocument=noise)
    for index in range(number):
        yield made.replace(b"1.2.3.10000", f"1.2.3.{index + 10001}".encode())


@pytest.fixture(scope="module")
def large(part: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[orthanc_lab.ChildServer, str]]:
    """A server with a series whose archive has 4 GB (or its part), freshly started; and the path of the series."""
    options = {"SaveJobs": False, "MediaArchiveSize": 1}
    with orthanc_lab.serve(folder=tmp_path_factory.mktemp("large"), process=True, **options) as server:
        for content in images(2000 // part):
            stored = server.session.post(f"{server.url}/instances", data=content)
            assert stored.status_code == 200
        yield server, f"/series/{stored.json()['ParentSeries']}"


@pytest.mark.parametrize("way", ["archive", "media", "asynchronous"])
def test_streaming_an_archive(large: tuple[orthanc_lab.ChildServer, str], part: int, way: str) -> None:
    server, series = large
    server.restart()
    server.session.get(f"{server.url}{series}")
    forget_peak(server)
    before = memory(server)
    path = f"{series}/{way}"
    if way == "asynchronous":
        job = server.session.post(f"{server.url}{series}/archive", json={"Synchronous": False, "Priority": 1}).json()

        def has_succeeded() -> bool:
            state = server.session.get(f"{server.url}/jobs/{job['ID']}").json()["State"]
            assert state in ("Pending", "Running", "Success")
            return bool(state == "Success")

        until(has_succeeded, seconds=1200)
        path = f"/jobs/{job['ID']}/archive"
    size = 0
    with server.session.get(server.url + path, stream=True) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_content(1 << 20):
            size += len(piece)
    growth = memory(server, "VmHWM") - before
    print(f"{way}: {size >> 20} MiB sent, grown by {growth:.0f} MiB")
    assert size > 2000 // part * IMAGE // 3
    assert growth <= GROWTH


def zipped(start: int, number: int) -> bytes:
    """Return a ZIP of small instances, ten a series, five series a study."""
    made = dicom_file("P10000", "1.2.10000", "1.3.10000", "1.4.10000", PatientName="Many^One", Modality="OT")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for index in range(start, start + number):
            content = made
            for text, value in (("P", index // 50), ("1.2.", index // 50), ("1.3.", index // 10), ("1.4.", index)):
                content = content.replace(f"{text}10000".encode(), f"{text}{value + 10001}".encode())
            archive.writestr(str(index), content)
    return out.getvalue()


def test_many_instances(part: int) -> None:
    """Stored, listed, searched, and after a restart."""
    number = 50_000 // part
    with orthanc_lab.serve(process=True) as server:
        for start in range(0, number, 1250):
            stored = server.session.post(f"{server.url}/instances", data=zipped(start, min(1250, number - start)))
            assert stored.status_code == 200
        assert server.session.get(f"{server.url}/statistics").json()["CountInstances"] == number
        after_upload = memory(server)
        assert len(server.session.get(f"{server.url}/instances").json()) == number
        assert server.session.get(f"{server.url}/studies?expand&since=0&limit=100").status_code == 200
        body = {"Level": "Study", "Query": {"PatientName": "MANY*"}, "Limit": 100, "Expand": True}
        found = server.session.post(f"{server.url}/tools/find", json=body).json()
        assert len(found) == min(100, -(-number // 50))
        after_use = memory(server)
        server.restart()
        server.session.get(f"{server.url}/statistics")
        after_restart = memory(server)
    figures = [round(value) for value in (after_upload, after_use, after_restart)]
    print(f"{number} instances: {figures} MiB after the upload, after some use, after a restart")
    assert max(figures) <= MANY


def test_pictures_from_several_clients() -> None:
    """Large blocks of memory, taken and freed by one thread after the other."""
    noise = np.random.default_rng(1).integers(0, 16, (1500, 2000, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG", compress_level=1)
    content = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    with orthanc_lab.serve(process=True) as server, ThreadPoolExecutor(4) as clients:

        def create(number: int) -> int:
            body = {"Tags": {"PatientID": str(number)}, "Content": content}
            return requests.post(f"{server.url}/tools/create-dicom", json=body, timeout=60).status_code

        assert set(clients.map(create, range(16))) == {200}
        before = memory(server)
        until(lambda: memory(server) <= AFTER_PICTURES, seconds=20)
        print(f"after pictures: {before:.0f} MiB, and {memory(server):.0f} MiB a moment later")


def test_patterns_are_not_kept() -> None:
    """The longest that are taken, with many parts."""
    with orthanc_lab.serve(process=True) as server:
        named = dicom_file("many", "1.2", "1.2.3", "1.2.3.4", PatientName="b" * 64, ImageComments="b" * 1000)
        assert server.session.post(f"{server.url}/instances", data=named).status_code == 200

        def find(pattern: str) -> None:
            for level, tag in (("Study", "PatientName"), ("Instance", "ImageComments")):
                answer = server.session.post(f"{server.url}/tools/find", json={"Level": level, "Query": {tag: pattern}})
                assert answer.json() == []

        find("a*")
        before = memory(server)
        for number in range(20):
            find("*a?b" * 12_490 + str(number))
        until(lambda: memory(server) - before <= PATTERNS, seconds=20)


def test_nothing_to_do() -> None:
    with orthanc_lab.serve(process=True) as server:
        server.session.get(f"{server.url}/system")
        figure = memory(server)
        print(f"idle: {figure:.0f} MiB")
        assert figure <= IDLE
