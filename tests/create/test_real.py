"""The same bodies on a real Orthanc: answers, and the new files element by element."""

from __future__ import annotations

import re
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
import requests

import orthanc_lab
from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.testing.real import RealOrthanc
from tests.create.comparing import differences
from tests.create.creator import DICTIONARY, Creator, data_uri
from tests.create.pictures import chunks, pam, picture, png_of
from tests.programs import program

pytestmark = pytest.mark.real

RAW = "data:application/octet-stream;base64,"
GRAY = data_uri(picture("L"))
COLOUR = data_uri(picture("RGB"))
PDF = data_uri(b"%PDF-1.4\n", "application/pdf")
STL = data_uri(b"solid", "model/stl")
MAP = "image/x-portable-arbitrarymap"

VALUES: tuple[Any, ...] = (
    "", "5", "abc", "5\\6", " 5", "5 ", "-1", "70000", "4294967296", "5.5", "1e3", "0x10", "5\\", "+5", "005", "-65535",
    "0010,0010", "PatientName", "é", "1.5\\x", "inf", "nan(1)", "1e400", "A\\B", "A  ", "a\0b", "山田^é", "x" * 70,
    RAW + "QQ==", RAW, RAW + "QUI=", RAW + "A*", "data:foo/bar;base64,AA", GRAY[:30], "=SecondaryCaptureImageStorage",
    "=NoSuchName", "=", "=CT ImageStorage", "= CTImageStorage", "=JPEGBaseline", "=CTImageStorage ",
    None, 5, True, 1.5, [], {}, ["a"], [{}], [5], [None], [[]], [{"PatientID": "x"}], [{"Rows": "abc"}], [{"foo": "x"}],
    [{"PatientID": "é", "0010-0020": "y", "0009-1001": "z", "0002-0010": "q", "ReferencedImageSequence": [{}]}],
)  # fmt: skip
TAGS = (
    "PatientName", "PatientID", "Rows", "0028-9001", "0018-6020", "0028-9503", "0028-0106", "0018-9309", "0010-9431",
    "0028-0009", "0066-0016", "0066-0040", "0008-040c", "0072-0082", "0042-0011", "0028-1201", "5400-1010", "6000-3000",
    "0008-9999", "0009-0010", "0009-1001", "SOPClassUID", "ImageType", "TextValue", "0008-0120", "PatientBirthDate",
    "ReferencedImageSequence", "0405-1001", "0405-1002", "StudyInstanceUID", "PixelData", "StudyDate", "0002-0003",
    "SpecificCharacterSet", "foo", "(0010,0010)", "patientid", "10,10", "0405,02", "0004-1130", "0001-0002",
    "0002-0010",
)  # fmt: skip


class Servers:
    """Ours and the real one."""

    def __init__(self, ours: orthanc_lab.InProcessServer, real: RealOrthanc) -> None:
        self.ours = Creator(ours.session, ours.url)
        self.real = Creator(requests.Session(), real.url)

    def compare(self, body: Any) -> list[str]:
        """Return how the outcomes of a body differ."""
        name = body.decode("latin-1") if isinstance(body, bytes) else str(body)
        return [f"{name[:150]}: {line}" for line in differences(self.ours.outcome(body), self.real.outcome(body))]


@pytest.fixture(scope="module")
def servers(real_program: str) -> Iterator[Servers]:
    options = {"Dictionary": DICTIONARY, "KeepAliveTimeout": 60}  # a pause of a busy machine closes no connection
    with RealOrthanc(**options) as real, orthanc_lab.in_process(Dictionary=DICTIONARY) as ours:
        yield Servers(ours, real)
        assert not ours.errors


def check(servers: Servers, *bodies: Any) -> None:
    found = [line for body in bodies for line in servers.compare(body)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", TAGS)
def test_values_of_tags(servers: Servers, name: str, request: pytest.FixtureRequest) -> None:
    """The usual run tries a third of the values at each tag, another third at the next one."""
    values = VALUES if request.config.getoption("--long") else VALUES[TAGS.index(name) % 3 :: 3]
    check(
        servers, *({"Tags": {name: value}} for value in values if not (name == "0028-0009" and value in (None, "a\0b")))
    )


def test_every_tag_of_the_dictionary(servers: Servers) -> None:
    names = Dictionary()
    lines = (Path(orthanc_lab.__file__).parent / "dicom/dictionary/dictionary_public.txt").read_text().splitlines()
    keys = [line[:8].replace("x", "2") for line in lines if not line.startswith(("#", "fffe", "0000", "0002", "0004"))]
    skipped = {"00080005", "00281200", "00283006"}  # two look-up tables which the real server refuses to fill
    tags = {
        key: "1" for key in keys if key not in skipped and names.vr_of(int(key, 16)) not in ("AT", "SQ", "OW", "OV")
    }
    tags = {key: value for key, value in tags.items() if names.vr_of(int(key, 16)) not in ("SV", "UV")}
    check(servers, {"Tags": tags, "Force": True})
    sequences = {key: [{"PatientID": "x"}] for key in keys if names.vr_of(int(key, 16)) == "SQ"}
    check(servers, {"Tags": sequences, "Force": True})


def test_pictures(servers: Servers) -> None:
    tags = {"Rows": "5", "SamplesPerPixel": "9", "PlanarConfiguration": "1", "PhotometricInterpretation": "MONOCHROME1"}
    pngs = [picture(mode, size) for mode in ("L", "RGB", "RGBA", "I;16") for size in ((1, 1), (7, 5), (64, 64))]
    pngs += [picture(mode) for mode in ("LA", "P", "1")] + [picture("L", transparency=3)]
    check(servers, *({"Tags": tags, "Content": data_uri(png)} for png in pngs))


def test_jpegs(servers: Servers) -> None:
    options: list[dict[str, Any]] = [{}, {"progressive": True}, {"quality": 30}, {"optimize": True}]
    jpegs = [
        picture(mode, size, "JPEG", **option)
        for mode in ("L", "RGB", "CMYK")
        for size in ((17, 13), (100, 80))
        for option in options
    ]
    whole = picture("RGB", (200, 200), "JPEG")
    jpegs += [b"", b"hello", b"\xff\xd8", b"\xff\xd8\xff\xd9", whole[:5000], whole[:620], whole[:300], whole + b"junk"]
    for encapsulate in (False, True):
        check(
            servers,
            *({"Tags": {}, "Content": data_uri(jpeg, "image/jpeg"), "Encapsulate": encapsulate} for jpeg in jpegs),
        )


def test_damaged_pngs(servers: Servers) -> None:
    parts = chunks(picture("RGB", (20, 15)))
    head, (_, deflated), end = parts[0], parts[1], parts[-1]
    rows = zlib.decompress(deflated)
    damaged = [png_of(parts, index) for index in range(len(parts))]
    damaged += [png_of(parts)[:-count] for count in (1, 4, 12, 13, 100)]
    damaged += [
        png_of([head, (b"IDAT", zlib.compress(rows + b"z" * 100)), end]),
        png_of([head, (b"IDAT", zlib.compress(rows[:-1])), end]),
        png_of([head, (b"IDAT", deflated[:-4]), end]),
        png_of([head, (b"IDAT", deflated + b"xx"), end]),
        png_of([head, (b"ABCD", b""), (b"IDAT", deflated), end]),
        png_of([head, (b"abcd", b""), (b"IDAT", deflated), end]),
        png_of([head, (b"PLTE", bytes(9)), (b"IDAT", deflated), end]),
    ]
    check(servers, *({"Tags": {}, "Content": data_uri(png)} for png in damaged))


def test_maps_and_documents(servers: Servers) -> None:
    contents = [data_uri(pam(bytes(range(6))), MAP), data_uri(pam(bytes(range(12)), maximum=65535), MAP)]
    contents += [data_uri(pam(bytes(range(18)), "RGB", 3), MAP), data_uri(pam(bytes(6), maximum=1), MAP)]
    contents += [data_uri(pam(bytes(5)), MAP), PDF, STL, STL.replace("stl", "obj"), STL.replace("stl", "mtl")]
    contents += ["data:model/stl;base64,", "data:text/plain;base64,AA", "data:foo/bar;base64,AA", RAW + "AAEC", RAW]
    contents += [RAW + data for data in ("A", "A=AA", "AB==", "A-_A", " AAAA", "AAAA\n", "=")]
    tags: list[dict[str, Any]] = [{}, {"SOPClassUID": "1.2"}, {"Modality": "XX"}, {"0042-0012": "x/y"}]
    check(servers, *({"Tags": tag, "Content": content} for tag in tags for content in contents))
    documents: list[dict[str, Any]] = [{"EncapsulatedDocument": value} for value in ("q", PDF, GRAY, PDF[:-4] + "*")]
    check(servers, *({"Tags": tag, "InterpretBinaryTags": decode} for tag in documents for decode in (True, False)))


def test_series(servers: Servers) -> None:
    bad: list[Any] = [
        {},
        {"Tags": {}},
        5,
        None,
        [],
        "x",
        {"Content": 5},
        {"Content": "x"},
        {"Content": GRAY, "Tags": 5},
    ]
    bad += [{"Content": GRAY, "Tags": tags} for tags in ({"foo": "x"}, {"StudyInstanceUID": "1.2"}, {"Rows": "abc"})]
    bad += [{"Content": GRAY, "Tags": {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "é"}}, PDF[:-4] + "*"]
    check(servers, *({"Tags": {}, "Content": contents} for item in bad for contents in ([item], [GRAY, item, item])))
    check(
        servers,
        {"Tags": {"PatientName": "A", "InstanceNumber": "9", "StudyDate": "2020"}, "Content": [GRAY, COLOUR]},
        {"Tags": {"SOPInstanceUID": "1.2.3", "StudyInstanceUID": "1.2.4"}, "Force": True, "Content": [GRAY, GRAY]},
        {"Tags": {"PatientName": "A"}, "Content": [{"Content": GRAY, "Tags": {"PatientName": "B"}}], "Force": True},
        {"Tags": {}, "Content": [{"Content": GRAY, "Tags": {"ImageComments": "x"}}, {"Content": PDF}]},
    )


def test_bodies(servers: Servers) -> None:
    texts = ["{", "[]", "null", "5", '"x"', "{} x", '{"Tags":{},}', '{"Tags":{} /*c*/}', '{"Tags":[]}', '{"Tags":null}']
    fields = ["Force", "InterpretBinaryTags", "PrivateCreator", "Encapsulate", "Parent", "Content"]
    values = ["1", '"x"', "null", "true", "[]", "{}"]
    texts += [f'{{"Tags":{{}},"{field}":{value}}}' for field in fields for value in values]
    check(servers, *(text.encode() for text in texts))
    legacy: list[dict[str, Any]] = [
        {}, {"PatientName": "é"}, {"PatientName": 5}, {"foo": "x"}, {"Content": "x"}, {"PixelData": GRAY},
        {"PixelData": "x"}, {"PixelData": PDF, "Rows": "7"}, {"StudyInstanceUID": "1.2"}, {"0009-1001": "x"},
        {"SpecificCharacterSet": "foo"}, {"0042-0011": RAW + "AAAA"}, {"Rows": "abc"}, {"Force": True},
    ]  # fmt: skip
    check(servers, *legacy)


def test_private_tags(servers: Servers) -> None:
    tags: list[dict[str, Any]] = [
        {"0405-0010": "My Company", "0405-1001": "xé"}, {"0405-1002": [{"0405-1001": "x", "PatientID": "z"}]},
        {"0405-1003": "5"}, {"0405-1003": "abc"}, {"MyPrivateXMLTag": "z"}, {"0405,02": "z"}, {"0009-0010": "z"},
        {"0405-1002": "x"}, {"0405-1002": []},
    ]  # fmt: skip
    check(servers, *({"Tags": tag, "PrivateCreator": creator} for tag in tags for creator in ("My Company", "", "X")))


def test_parents(servers: Servers) -> None:
    for file in ("chrGreek", "chrRuss", "chrX1", "chrX2", "chrH31", "chrFren"):
        upload = (Path(pydicom.data.__file__).parent / "charset_files" / f"{file}.dcm").read_bytes()
        parent: dict[str, str] = {}
        for server in (servers.ours, servers.real):
            parent = server.session.post(f"{server.url}/instances", data=upload, timeout=30).json()
        for level in ("ParentPatient", "ParentStudy", "ParentSeries", "ID"):
            tags: list[dict[str, Any]] = [
                {"PatientComments": "é山"},
                {"PatientName": "x"},
                {"SpecificCharacterSet": "x"},
            ]
            check(servers, *({"Tags": tag, "Parent": parent[level]} for tag in tags))


@pytest.mark.parametrize(
    "body",
    [
        {"Tags": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"}, "Content": GRAY},
        {"Tags": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "XC"}, "Content": COLOUR},
        {"Tags": {"PatientName": "A^B", "DocumentTitle": "t", "BurnedInAnnotation": "NO"}, "Content": PDF},
        {"Tags": {"PatientName": "A^B"}, "Content": STL},
        {"Tags": {}, "Content": data_uri(picture("RGB", (16, 16), "JPEG"), "image/jpeg"), "Encapsulate": True},
    ],
)  # fmt: skip
def test_dciodvfy_says_the_same(servers: Servers, body: dict[str, Any], tmp_path: Path) -> None:
    dciodvfy = program("dciodvfy")
    said = []
    for server in (servers.ours, servers.real):
        path = tmp_path / "file.dcm"
        path.write_bytes(server.file(server.answer(body)["ID"]))
        told = subprocess.run([dciodvfy, str(path)], capture_output=True, text=True, check=False)
        said.append(sorted(re.sub(r"[0-9.]{20,}", "UID", line) for line in told.stderr.splitlines()))
    assert said[0] == said[1]
    assert said[0]
