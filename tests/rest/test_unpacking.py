"""Whatever unpacks in memory asks the budget first, and a client is told when it is spent."""

from __future__ import annotations

import gc
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom, element, meta_header
from tests.create.creator import data_uri
from tests.create.pictures import picture
from tests.waiting import until

BODY = dicom(instance="1.9")[len(meta_header()) :]
FILLED = b'{"Level": "Study", "Query": {}, "x": [' + (b'"' + b"x" * 996 + b'",') * 1200 + b"[]]}"
EMPTY_ITEM = b"\xfe\xff\0\xe0\0\0\0\0"


def deflated(content: bytes) -> bytes:
    return meta_header("1.2.840.10008.1.2.1.99") + zlib.compress(content)[2:-4]


def image(instance: str) -> bytes:
    numbers = {0x00280002: 1, 0x00280010: 8, 0x00280011: 8, 0x00280100: 8, 0x00280101: 8, 0x00280103: 0}
    described = b"".join(element(tag, b"US", struct.pack("<H", number)) for tag, number in numbers.items())
    described += element(0x00280004, b"CS", b"MONOCHROME2")
    return (
        meta_header()
        + dicom(instance=instance)[len(meta_header()) :]
        + described
        + element(0x7FE00010, b"OB", bytes(64))
    )


def zipped(*members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(str(number), member)
    return out.getvalue()


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def server(clock: ManualClock) -> Iterator[orthanc_lab.InProcessServer]:
    with orthanc_lab.in_process(MaximumUnpackedSize=1, clock=clock) as server:
        for content in (image("1.9.1"), deflated(dicom(instance="1.9.2")[len(meta_header()) :])):
            assert server.session.post(f"{server.url}/instances", data=content).status_code == 200
        items = meta_header() + BODY + element(0x00081115, b"SQ", EMPTY_ITEM * 11_000)
        assert server.session.post(f"{server.url}/instances", data=items).status_code == 200
        yield server


@pytest.mark.parametrize("body", [FILLED, FILLED[:-1], b"[" + FILLED + b"]"])
@pytest.mark.parametrize("path", ["/tools/find", "/tools/create-archive", "/tools/create-dicom", "/tools/bulk-modify"])
def test_the_memory_of_a_body_is_given_back(server: orthanc_lab.InProcessServer, path: str, body: bytes) -> None:
    server.session.post(server.url + path, data=body)
    assert server.services.memory.used == 0


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def path_of(server: orthanc_lab.InProcessServer, uid: str) -> str:
    (found,) = server.session.post(f"{server.url}/tools/lookup", data=uid).json()
    path: str = found["Path"]
    return path


def broken() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return uploads that are refused after memory was reserved for them, by name: a path, and its arguments."""
    cut_off = deflated(dicom()[len(meta_header()) :])[:-9]
    no_data_set = deflated(dicom()[len(meta_header()) : -1])
    no_identifiers = deflated(element(0x00100020, b"LO", b"P "))
    damaged = data_uri(picture("RGB")[:-30], "image/png")
    uploads: dict[str, tuple[str, dict[str, Any]]] = {
        "PNG": ("/tools/create-dicom", {"json": {"Tags": {}, "Content": damaged}}),
        "PNGs": ("/tools/create-dicom", {"json": {"Tags": {}, "Content": [PNG, damaged]}}),
    }
    files = {"cut off": cut_off, "no data set": no_data_set, "no identifiers": no_identifiers}
    for name, content in files.items():
        zipped_twice = gzip.compress(content)
        uploads |= {
            name: ("/instances", {"data": content}),
            f"{name}, with arguments": ("/instances?a", {"data": content}),
            f"{name}, gzip": ("/instances", {"data": zipped_twice, "headers": {"Content-Encoding": "gzip"}}),
            f"{name}, ZIP": ("/instances", {"data": zipped(dicom(instance="1.9.3"), content)}),
            f"{name}, form": ("/instances", {"files": {"a": content}}),
        }
    return uploads


PNG = data_uri(picture("RGB"), "image/png")
BROKEN = broken()
JPEG = data_uri(picture("RGB", form="JPEG"), "image/jpeg")
UPLOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "gzip": ("/instances", {"data": gzip.compress(dicom()), "headers": {"Content-Encoding": "gzip"}}),
    "ZIP": ("/instances", {"data": zipped(dicom(pixels=LARGE))}),
    "deflated": ("/instances", {"data": deflated(dicom()[len(meta_header()) :])}),
    "PNG": ("/tools/create-dicom", {"json": {"Tags": {}, "Content": PNG}}),
    "JPEG": ("/tools/create-dicom", {"json": {"Tags": {}, "Content": JPEG}}),
    "PNGs": ("/tools/create-dicom", {"json": {"Tags": {}, "Content": [PNG, PNG]}}),
    "JSON": ("/tools/find", {"data": FILLED}),
}
VIEWS = {
    "preview": ("1.9.1", "/preview"), "rendered": ("1.9.1", "/rendered"), "numpy": ("1.9.1", "/numpy"),
    "matlab": ("1.9.1", "/matlab"), "tags of a deflated file": ("1.9.2", "/tags"), "many items": ("1.9", "/tags"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*UPLOADS, *VIEWS])
def test_the_budget_is_asked(server: orthanc_lab.InProcessServer, clock: ManualClock, name: str) -> None:
    if name in UPLOADS:
        path, arguments = UPLOADS[name]
        verb = "POST"
    else:
        uid, view = VIEWS[name]
        verb, path, arguments = "GET", path_of(server, uid) + view, {}
    with ThreadPoolExecutor(1) as pool, server.services.memory.reserve(1 << 20):
        asked = pool.submit(server.session.request, verb, server.url + path, **arguments)
        until(lambda: clock.advance(5) or asked.done())
    answer = asked.result()
    assert (answer.status_code, answer.json()["OrthancStatus"]) == (503, 4)
    assert "MaximumUnpackedSize" in answer.json()["Details"]
    assert server.services.memory.used == 0
    assert server.session.request(verb, server.url + path, **arguments).status_code == 200
    assert server.services.memory.used == 0
    assert server.errors == []


AGAIN = element(0x00080060, b"CS", b"CT") * 120_000


@pytest.mark.parametrize(
    ("form", "many"),
    [
        ("gzip", EMPTY_ITEM * 120_000),
        ("ZIP", EMPTY_ITEM * 120_000),
        (
            "ZIP",
            EMPTY_ITEM[:4] + struct.pack("<I", len(AGAIN)) + AGAIN,
        ),  # one element, which stands there again and again
    ],
    ids=["gzip", "ZIP", "repeated"],
)
def test_items_that_pack_to_nothing(server: orthanc_lab.InProcessServer, form: str, many: bytes) -> None:
    """Each takes hundreds of bytes, or time, wherever the file is read."""
    items = element(0x00081115, b"SQ", many)
    content = dicom(patient="packed", instance="1.9.4") + items
    data = gzip.compress(content) if form == "gzip" else zipped(dicom(patient="packed", instance="1.9.5"), content)
    headers = {"Content-Encoding": "gzip"} if form == "gzip" else {}
    answer = server.session.post(f"{server.url}/instances", data=data, headers=headers)
    assert (answer.status_code, answer.json()["OrthancStatus"]) == (400, 15)
    assert "elements" in answer.json()["Details"]
    assert server.session.post(f"{server.url}/tools/lookup", data="packed").json() == []
    assert server.services.memory.used == 0
    assert server.session.post(f"{server.url}/instances", data=content).status_code == 200
    server.session.delete(server.url + path_of(server, "packed"))


@pytest.mark.parametrize("route", ["instances-tags", "shared-tags"])
def test_the_files_of_one_request_do_not_wait_for_each_other(
    server: orthanc_lab.InProcessServer, clock: ManualClock, route: str
) -> None:
    for instance in ("1.9.6", "1.9.7"):
        content = dicom(patient="dense", instance=instance) + element(0x00081115, b"SQ", EMPTY_ITEM * 11_000)
        assert server.session.post(f"{server.url}/instances", data=content).status_code == 200
    path = path_of(server, "dense")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.session.get, f"{server.url}{path}/{route}")
        until(lambda: clock.advance(5) or asked.done())
    assert asked.result().status_code == 200
    assert server.services.memory.used == 0
    server.session.delete(server.url + path)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("name", list(BROKEN))
def test_the_memory_of_what_is_refused_is_given_back(server: orthanc_lab.InProcessServer, name: str) -> None:
    """At once: the collector of circles comes late in a server, whose budget is spent by then."""
    path, arguments = BROKEN[name]
    server.session.post(server.url + path, **arguments)
    assert server.services.memory.used == 0
    assert server.errors == []
