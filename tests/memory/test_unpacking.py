"""A request of half a megabyte never takes 200 MB, whatever it unpacks to, and nothing is kept."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import orthanc_lab
from orthanc_lab.testing.contracts.dicom_files import dicom, element
from tests.dicom.build import file_of, image_of
from tests.hostile.asking import refusal
from tests.memory import bombs
from tests.memory.test_memory import forget_peak, memory

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"), pytest.mark.timeout(900)]
GROWTH = 190  # MiB, in a server of 60 MiB


@pytest.fixture(scope="module")
def server() -> Iterator[orthanc_lab.ChildServer]:
    """A server that has numpy and Pillow already, and keeps no files in memory."""
    with orthanc_lab.serve(process=True, MaximumStorageCacheSize=0) as server:
        server.session.get(f"{server.url}/app/images/unsupported.png")
        yield server


def measured(server: orthanc_lab.ChildServer, name: str, verb: str, path: str, arguments: dict[str, Any]) -> Any:
    forget_peak(server)
    before = memory(server)
    answer = server.session.request(verb, server.url + path, timeout=300, **arguments)
    growth = memory(server, "VmHWM") - before
    print(f"{name}: {answer.status_code}, grown by {growth:.0f} MiB")
    assert growth <= GROWTH, name
    if answer.status_code not in (404, 415) and not answer.ok:
        refusal(answer)
    return answer


def test_uploads_and_new_instances(server: orthanc_lab.ChildServer, pytestconfig: pytest.Config) -> None:
    for name, path, arguments in bombs.requests(pytestconfig.getoption("--full-size")):
        answer = measured(server, name, "POST", path, arguments)
        if "too much" in name or "two headers" in name:
            assert refusal(answer) == (400, 15), name
        elif "JSON" not in name:
            assert answer.status_code == 200, name
        delete_all(server)
    assert server.errors == []


@pytest.mark.long
def test_views_of_a_file(server: orthanc_lab.ChildServer, pytestconfig: pytest.Config) -> None:
    """The usual run takes each third file, and every other view of it."""
    full = pytestconfig.getoption("--full-size")
    files = list(bombs.files(full))
    for number, (name, content) in enumerate(files if full else files[::3]):
        assert len(content) <= bombs.SENT + 10_000
        answer = measured(server, name, "POST", "/instances", {"data": content})
        if answer.ok:
            for view, media_type in bombs.VIEWS if full else bombs.VIEWS[number % 2 :: 2]:
                arguments = {"headers": {"Accept": media_type}}
                measured(server, f"{name}{view} {media_type}", "GET", answer.json()["Path"] + view, arguments)
        delete_all(server)
    assert server.errors == []


@pytest.mark.parametrize("frames", [1, 20])
def test_a_large_picture_is_converted_while_it_is_sent(server: orthanc_lab.ChildServer, frames: int) -> None:
    """As 80 MB of float32; the file, its samples and those of the frames take 38 MB each."""
    rows, columns = 4000 // frames, 5000
    values = np.arange(rows * columns * frames, dtype="<u2")
    content = file_of(image_of(values.tobytes(), columns, rows, bits=16, frames=frames))
    path = server.session.post(f"{server.url}/instances", data=content).json()["Path"]
    for view in ("numpy", "numpy?rescale=false", "numpy?compress"):
        forget_peak(server)
        before = memory(server)
        answer = server.session.get(f"{server.url}{path}/{view}", timeout=300)
        assert memory(server, "VmHWM") - before <= 130
        found = np.load(io.BytesIO(answer.content))
        assert np.array_equal(found["arr_0"] if "compress" in view else found, values.reshape(frames, rows, columns, 1))
    delete_all(server)
    assert server.errors == []


def test_the_same_file_again_and_again(server: orthanc_lab.ChildServer) -> None:
    """In one bucket of a transfer."""
    content = gzip.compress(dicom(pixels=bytes(38 << 20)))
    sent = server.session.post(f"{server.url}/instances", data=content, headers={"Content-Encoding": "gzip"})
    ids = ".".join([sent.json()["ID"]] * 8)
    answer = measured(server, "bucket", "GET", f"/transfers/chunks/{ids}?compression=gzip", {})
    assert answer.status_code == 200
    delete_all(server)
    assert server.errors == []


@pytest.mark.long
@pytest.mark.parametrize("media_type", ["application/dicom+json", "application/dicom+xml"])
def test_many_values_are_sent_while_they_are_written(server: orthanc_lab.ChildServer, media_type: str) -> None:
    """Nobody knows any more how little was sent for them."""
    content = gzip.compress(dicom() + element(0x00104000, b"UT", b"1\\" * (4 << 20)))
    sent = server.session.post(f"{server.url}/instances", data=content, headers={"Content-Encoding": "gzip"})
    path, headers = f"{sent.json()['Path']}/file", {"Accept": media_type}
    before = memory(server)
    with measured(server, media_type, "GET", path, {"headers": headers, "stream": True}) as answer:
        size = sum(map(len, answer.iter_content(1 << 20)))
    assert size > 12 << 20
    assert memory(server, "VmHWM") - before < GROWTH
    delete_all(server)
    assert server.errors == []


def delete_all(server: orthanc_lab.ChildServer) -> None:
    for patient in server.session.get(f"{server.url}/patients").json():
        server.session.delete(f"{server.url}/patients/{patient}")
