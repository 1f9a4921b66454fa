"""``/file``, ``/pdf``, ``/export``."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orthanc_lab.dicom.files.read import read_file
from tests.dicom.build import file_of, real_file
from tests.examples import examples
from tests.rest.checks import error_of, is_empty
from tests.rest.conftest import Rest
from tests.waiting import until

CT = real_file("CT_small.dcm")
LARGE = real_file("examples_overlay.dcm")  # more than a pipe holds
JPEG = "1.2.840.10008.1.2.4."


@pytest.fixture(scope="module")
def ct(library: Rest) -> str:
    return library.upload(CT)["ID"]


def test_the_file_is_the_one_that_was_stored(library: Rest, ct: str) -> None:
    answer = library("GET", f"/instances/{ct}/file")
    assert answer.content == CT
    assert answer.headers["Content-Type"] == "application/dicom"
    assert answer.headers["Content-Disposition"] == f'filename="{ct}.dcm"'


@pytest.mark.parametrize(
    ("query", "disposition"),
    [
        ("filename=x.dcm", 'filename="x.dcm"'),
        ("filename=a%20b", 'filename="a%20b"'),
        ("filename=", None),
        ("filename", None),
        ("filename=x&transcode=1.2.840.10008.1.2", 'filename="x"'),
    ],
)
def test_the_name_of_the_download(library: Rest, ct: str, query: str, disposition: str | None) -> None:
    assert library("GET", f"/instances/{ct}/file?{query}").headers.get("Content-Disposition") == disposition


def test_transcoding(library: Rest, ct: str) -> None:
    for syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", JPEG + "70"):
        answer = library("GET", f"/instances/{ct}/file?transcode={syntax}")
        assert read_file(answer.content).transfer_syntax == syntax
    assert library("GET", f"/instances/{ct}/file?transcode=1.2.840.10008.1.2.1").content == CT


@pytest.mark.parametrize("syntax", [JPEG + "50", JPEG + "53", "1.2.840.10008.1.2.4.100"])
def test_what_cannot_be_transcoded(library: Rest, ct: str, syntax: str) -> None:
    assert is_empty(library("GET", f"/instances/{ct}/file?transcode={syntax}"), 404)


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("transcode=foo", "Unknown transfer syntax: foo"),
        ("transcode", "Unknown transfer syntax: "),
        (
            f"transcode={JPEG}50&lossy-quality=abc",
            'Expected a Unsigned Int for GET argument "lossy-quality", found: abc',
        ),
        ("transcode=foo&lossy-quality=abc", 'Expected a Unsigned Int for GET argument "lossy-quality", found: abc'),
    ],
)
def test_arguments_that_are_refused(library: Rest, ct: str, query: str, details: str) -> None:
    assert error_of(library("GET", f"/instances/{ct}/file?{query}")) == (400, 3, details)


def test_a_lossy_download_is_the_same_when_it_is_repeated(library: Rest) -> None:
    id = library.upload(real_file("examples_palette.dcm"))["ID"]
    files = [
        library("GET", f"/instances/{id}/file?transcode={JPEG}50&lossy-quality={quality}").content
        for quality in (90, 50, 90)
    ]
    assert files[0] == files[2]
    uids = [pydicom.dcmread(BytesIO(file)).SOPInstanceUID for file in files]
    assert uids[0] != uids[1]


@pytest.mark.parametrize("query", ["lossy-quality=abc", f"transcode={JPEG}70&lossy-quality=200"])
def test_a_quality_that_does_not_matter(library: Rest, ct: str, query: str) -> None:
    assert library("GET", f"/instances/{ct}/file?{query}").status_code == 200


def test_the_data_set_for_dicomweb_clients(library: Rest, ct: str) -> None:
    answer = library("GET", f"/instances/{ct}/file", Accept="application/dicom+json")
    assert answer.headers["Content-Type"] == "application/dicom+json"
    assert answer.json()["00100020"] == {"vr": "LO", "Value": ["1CT1"]}
    answer = library("GET", f"/instances/{ct}/file", Accept="application/dicom+xml")
    assert answer.text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<NativeDicomModel')
    for accept in ("text/html", "*/*", "application/dicom+json;q=1", "application/dicom+json, text/html"):
        assert library("GET", f"/instances/{ct}/file", Accept=accept).content == CT


def test_unknown_instances(library: Rest) -> None:
    assert error_of(library("GET", "/instances/nope/file?transcode=foo")) == (404, 17, "")
    assert library("GET", "/instances/nope/file?transcode=foo&lossy-quality=abc").status_code == 400
    assert error_of(library("GET", "/instances/nope/file")) == (404, 17, "")
    assert error_of(library("GET", "/instances/nope/pdf")) == (404, 17, "")


def encapsulated(
    document: bytes, sop_class: bytes = b"1.2.840.10008.5.1.4.1.1.104.1\0", mime: bytes = b"application/pdf "
) -> bytes:
    return file_of({0x00080016: ("UI", sop_class), 0x00420011: ("OB", document), 0x00420012: ("LO", mime)})


@settings(examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40).filter(lambda body: not body.endswith(b"\0")))
def test_a_pdf_comes_out_as_it_went_in(library: Rest, body: bytes) -> None:
    stored = library("POST", "/instances", encapsulated(b"%PDF-" + body)).json()
    answer = library("GET", f"/instances/{stored['ID']}/pdf")
    library("DELETE", f"/instances/{stored['ID']}")
    assert answer.content == b"%PDF-" + body
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "Content-Disposition" not in answer.headers


def test_the_length_of_a_document_goes_before_the_padding_rule(rest: Rest) -> None:
    dicom = file_of(
        {
            0x00080016: ("UI", b"1.2.840.10008.5.1.4.1.1.104.1\0"),
            0x00420011: ("OB", b"%PDF-\0\0\0"),
            0x00420012: ("LO", b"application/pdf "),
            0x00420015: ("UL", b"\7\0\0\0"),
        }
    )
    assert rest("GET", f"/instances/{rest.upload(dicom)['ID']}/pdf").content == b"%PDF-\0\0"


@pytest.mark.parametrize(
    "dicom",
    [
        CT,
        encapsulated(b"%PDF-1.4", mime=b"text/xml"),
        encapsulated(b"%PDF-1.4", sop_class=b"1.2.840.10008.5.1.4.1.1.104.2\0"),
    ],
    ids=["image", "other type", "other class"],
)
def test_no_pdf(rest: Rest, dicom: bytes) -> None:
    assert is_empty(rest("GET", f"/instances/{rest.upload(dicom)['ID']}/pdf"), 404)


def test_export_is_off(library: Rest, ct: str, tmp_path: Path) -> None:
    assert is_empty(library("POST", f"/instances/{ct}/export", str(tmp_path / "x.dcm")), 403)


class TestIndexOnly:
    @pytest.fixture
    def options(self) -> dict[str, bool | int]:
        return {"StoreDicom": False, "MaximumStorageCacheSize": 0}

    @pytest.mark.parametrize("dicom", [real_file("MR_small.dcm"), CT], ids=["small", "large"])
    def test_no_file_is_kept(self, rest: Rest, dicom: bytes) -> None:
        stored = rest.upload(dicom)
        path = f"/instances/{stored['ID']}"
        assert rest("GET", path).json()["FileSize"] == len(dicom)
        for what in ("file", "tags", "attachments/dicom/data"):
            assert error_of(rest("GET", f"{path}/{what}"))[:2] == (404, 17)
        kept = [file for file in rest.server.folder.rglob("*") if file.is_file()]
        assert not [file for file in kept if dicom[:2000] in file.read_bytes()]


class TestExport:
    @pytest.fixture
    def options(self) -> dict[str, bool]:
        return {"RestApiWriteToFileSystemEnabled": True}

    def test_the_file_is_written(self, rest: Rest, tmp_path: Path) -> None:
        path = f"/instances/{rest.upload(CT)['ID']}/export"
        answer = rest("POST", path, str(tmp_path / "x.dcm"))
        assert (answer.status_code, answer.content) == (200, b"{}")
        assert (tmp_path / "x.dcm").read_bytes() == CT
        for target in (str(tmp_path / "none" / "x.dcm"), "", "a\0b"):
            assert error_of(rest("POST", path, target))[:2] == (500, 14)

    @pytest.mark.timeout(20)
    def test_what_is_no_file(self, rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever stands at the path, nobody is waited for: a pipe without a reader, or one that nobody empties."""
        path = f"/instances/{rest.upload(LARGE)['ID']}/export"
        monkeypatch.setattr("orthanc_lab.rest.instances.files._PATIENCE", 0.1)
        stuck, read = tmp_path / "stuck", tmp_path / "read"
        for pipe in (stuck, read):
            os.mkfifo(pipe)
        with ThreadPoolExecutor() as pool:
            taken = pool.submit(read.read_bytes)
            until(lambda: rest("POST", path, str(read)).status_code == 200, what="the pipe has no reader")
            assert taken.result() == LARGE
        full = os.open(stuck, os.O_RDWR | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while os.write(full, bytes(4096)):
                pass
        assert error_of(rest("POST", path, str(stuck)))[:2] == (500, 14)
        os.close(full)
        (tmp_path / "file").write_bytes(b"")
        (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "x")
        for target in ("stuck", "", "new/", "file/x", "dangling", "a" * 256, "a/" * 2500):
            assert error_of(rest("POST", path, f"{tmp_path}/{target}"))[:2] == (500, 14)
        assert error_of(rest("POST", path, "/dev/full"))[:2] == (500, 14)
        assert not (tmp_path / "new").exists()
