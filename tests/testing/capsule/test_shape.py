"""A twin has the shape of the original: tags, VRs, lengths, order; documents keep their fields and layout."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from pathlib import Path

import pydicom
import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing import Recorder, make_capsule, recorded
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.recordings import BytesBody, RecordedExchange, RecordingWriter
from tests.testing.capsule.planting import SYNTAXES, Plants, dicom
from tests.testing.capsule.story import Story, read, record

KEY = b"of the tests"
ENDS = ("tags", "simplified-tags")


def twins(contents: list[tuple[str, bytes]], folder: Path, key: bytes | None = KEY) -> list[bytes]:
    """Return the twins of bodies with their media types."""
    with RecordingWriter(folder / "recording") as writer:
        for kind, content in contents:
            headers = (("content-type", kind),)
            writer.add(RecordedExchange("GET", "/", status=200, answer_headers=headers, answer=BytesBody(content)))
    make_capsule(folder / "recording", folder / "capsule", key=key)
    return [one.answer for one in read(folder / "capsule")]


def elements(data_set: pydicom.Dataset, depth: int = 0) -> list[tuple[int, int, str, int]]:
    """Return depth, tag, VR and length of all elements, nested ones too."""
    found = []
    for raw in data_set.values():
        element = raw if isinstance(raw, pydicom.dataelem.RawDataElement) else None
        length = element.length if element else 0
        tag = raw.tag
        vr = data_set[tag].VR
        found.append((depth, int(tag), vr, length))
        if vr == "SQ":
            for item in data_set[tag].value:
                found += elements(item, depth + 1)
    return found


@pytest.mark.parametrize("syntax", [*SYNTAXES, pydicom.uid.JPEGBaseline8Bit], ids=lambda syntax: syntax.name[:30])
def test_tags_vrs_and_lengths_stay(syntax: str, tmp_path: Path) -> None:
    content = dicom(Plants(9), syntax)
    (twin,) = twins([("application/dicom", content)], tmp_path)
    one, other = (pydicom.dcmread(io.BytesIO(data)) for data in (content, twin))
    assert elements(other) == elements(one)
    assert elements(other.file_meta) == elements(one.file_meta)
    assert other.file_meta.TransferSyntaxUID == syntax
    if syntax != pydicom.uid.DeflatedExplicitVRLittleEndian:
        assert len(twin) == len(content)
    pixels = b"".join(pydicom.encaps.generate_fragments(other.PixelData)) if "JPEG" in syntax.name else other.PixelData
    assert not pixels.strip(b"\0")


def test_twins_of_the_samples_are_files_that_a_server_takes(tmp_path: Path) -> None:
    files = [path.read_bytes() for path in (*samples.dicom_files("ct")[:3], *samples.dicom_files("us"))]
    made = twins([("application/dicom", file) for file in files], tmp_path)
    with orthanc_lab.in_process() as server:
        for twin, file in zip(made, files, strict=True):
            assert len(twin) == len(file)
            answer = server.session.post(f"{server.url}/instances", data=twin).json()
            assert answer["Status"] == "Success"
            one, other = (pydicom.dcmread(io.BytesIO(data)) for data in (file, twin))
            for name in ("Modality", "Rows", "Columns", "BitsStored", "InstanceNumber", "PhotometricInterpretation"):
                assert one[name].value == other[name].value
            for name in ("PatientID", "StudyInstanceUID", "SOPInstanceUID", "StudyDate"):
                assert one[name].value != other[name].value
        assert server.session.get(f"{server.url}/statistics").json()["CountInstances"] == len(files)


def test_what_cannot_be_read_is_zero_and_nothing_fails(tmp_path: Path) -> None:
    whole = dicom(Plants(10))
    damaged = [("application/dicom", whole[:length]) for length in range(120, len(whole), 211)]
    for position in range(132, len(whole), 173):
        damaged.append(("application/dicom", whole[:position] + b"\xff\xff" + whole[position + 2 :]))
    document = b'{"a": ["\\u00e9\\ud800", 1e999, {"b": nul}], "c" "d", }]]'
    damaged += [("application/json", document[:length]) for length in range(1, len(document))]
    made = twins(damaged, tmp_path)
    assert [len(twin) for twin in made[: len(damaged) - len(document)]] == [
        len(content) for _, content in damaged[: len(damaged) - len(document)]
    ]


def test_long_bodies_take_linear_time(tmp_path: Path) -> None:
    units = ("a", "1", "1.", '"', "{", "[", "\\", "<", "a-", "/", "%41", "=", "data:", "20200101", "ü", " ")
    for number, unit in enumerate(units):
        folder = tmp_path / str(number)
        folder.mkdir()
        text = (unit * 10_000).encode()
        twins([("application/json", text), ("text/plain", text), ("text/xml", b"<" + text)], folder)


def fields(text: str) -> str:
    """Return a JSON document without its values."""
    without = re.sub(r'("(?:[^"\\]++|\\.)*+")(\s*:)?', lambda match: match[0] if match[2] else "?", text)
    return re.sub(r"(?<![\w\",])-?\d[\d.e-]*(?![\w,]*\")", "?", without)


@pytest.mark.parametrize("name", ["ours", "real"])
def test_fields_of_both_servers_stay_and_the_layout_too(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    serve = orthanc_lab.serve
    if name == "real":
        request.getfixturevalue("real_program")
        serve = RealOrthanc
    with serve() as server:
        record(tmp_path / "recording", server.url)
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    for one, twin in zip(read(tmp_path / "recording"), read(tmp_path / "capsule"), strict=True):
        assert one.target.count("/") == twin.target.count("/")
        if "json" in one.answer_headers.get("content-type", "") and "modalities" not in one.target:
            assert fields(twin.answer.decode()) == fields(one.answer.decode())


def test_a_capsule_is_answered_like_a_recording(tmp_path: Path) -> None:
    with orthanc_lab.serve() as server, Recorder(server.url, tmp_path / "recording") as proxy:
        requests.post(f"{proxy.url}/instances", data=samples.dicom_files("mr")[0].read_bytes(), timeout=30)
        requests.get(f"{proxy.url}/patients?expand", timeout=30)
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    with recorded(tmp_path / "capsule") as replay, orthanc_lab.Client(replay.url) as client:
        (patient,) = client.transport.send("GET", "/patients?expand").json()
        upload = read(tmp_path / "capsule")[0]
        answer = client.transport.send("POST", "/instances", data=upload.body).json()
        assert answer["ParentPatient"] == patient["ID"]


def test_the_twin_of_an_answer_is_what_a_server_answers_about_the_twin(tmp_path: Path) -> None:
    files = [path.read_bytes() for path in (*samples.dicom_files("ct")[:2], *samples.dicom_files("us"))]
    files += [dicom(Plants(number), syntax) for number, syntax in enumerate(SYNTAXES)]
    told: list[tuple[str, bytes]] = []
    with orthanc_lab.in_process() as server:
        for file in files:
            identifier = server.session.post(f"{server.url}/instances", data=file).json()["ID"]
            answers = (server.session.get(f"{server.url}/instances/{identifier}/{end}") for end in ENDS)
            told += [("application/dicom", file), *(("application/json", answer.content) for answer in answers)]
    made = twins(told, tmp_path)
    with orthanc_lab.in_process() as server:
        for file, *answered in zip(*[iter(made)] * 3, strict=True):
            identifier = server.session.post(f"{server.url}/instances", data=file).json()["ID"]
            for end, answer in zip(ENDS, answered, strict=True):
                assert server.session.get(f"{server.url}/instances/{identifier}/{end}").json() == json.loads(answer)


def test_values_are_the_same_wherever_they_come(tmp_path: Path) -> None:
    documents = [
        {"PatientName": "Doe^Jane", "PatientID": "4711-X", "StudyDate": "20240131"},
        {"Query": {"PatientName": "DOE*"}, "Labels": ["jane doe", "20240131", "4711-x"]},
    ]
    contents = [("application/json", json.dumps(one).encode()) for one in documents]
    first, second = map(json.loads, twins(contents, tmp_path))
    family, given = first["PatientName"].split("^")
    assert second["Query"]["PatientName"] == f"{family.upper()}*"
    assert second["Labels"] == [f"{given} {family}".lower(), first["StudyDate"], first["PatientID"].lower()]
    assert {len(family), len(given), len(first["PatientID"])} == {3, 4, 6}


def test_two_capsules_have_other_pseudonyms_unless_the_key_is_given(tmp_path: Path) -> None:
    made = []
    for number, key in enumerate((None, None, KEY, KEY)):
        folder = tmp_path / str(number)
        folder.mkdir()
        made.append(twins([("application/json", b'{"PatientName": "Miller^Abraham^Lawrence"}')], folder, key)[0])
    assert len(set(made)) == 3


def test_compressed_answers_stay_compressed(tmp_path: Path) -> None:
    content = gzip.compress(b'{"State": "Success", "PatientID": "SOMEBODY"}')
    (twin,) = twins([("application/json", content)], tmp_path)
    assert json.loads(gzip.decompress(twin))["State"] == "Success"
    assert b"SOMEBODY" not in gzip.decompress(twin)


def _zipped(*members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.bin", member)
    return out.getvalue()


def test_what_is_packed_in_what_is_packed_counts_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten archives of ten, each of them within the limit, are a hundred times the limit."""
    monkeypatch.setattr("orthanc_lab.testing.capsule.containers._MOST", 1 << 20)
    inner = _zipped(bytes(300 << 10))
    for packed in (_zipped(*[inner] * 10), gzip.compress(_zipped(*[gzip.compress(bytes(300 << 10))] * 10))):
        first, second = twins([("application/zip", packed), ("application/zip", gzip.compress(b"some text"))], tmp_path)
        content = gzip.decompress(first) if packed[:2] == b"\x1f\x8b" else first
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [archive.read(name) for name in archive.namelist()]
        unpacked = [member for member in members if member.count(0) < len(member) - 4]
        assert (len(members), len(unpacked)) == (10, 3)
        assert gzip.decompress(second) != b"some text"  # the next body has a limit of its own
        for name in ("recording", "capsule"):
            (tmp_path / name).unlink()


@pytest.mark.timeout(60)
def test_a_small_file_that_unpacks_to_a_large_one_takes_seconds(tmp_path: Path) -> None:
    (twin,) = twins([("application/octet-stream", gzip.compress(bytes(200 << 20), 1))], tmp_path)
    assert len(gzip.decompress(twin)) == 200 << 20


def test_the_story_is_told_again(tmp_path: Path) -> None:
    record(tmp_path / "recording")
    story = read(tmp_path / "recording")
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    twin = read(tmp_path / "capsule")
    assert isinstance(twin, Story)
    assert [(one.method, one.status, one.complete) for one in story] == [
        (one.method, one.status, one.complete) for one in twin
    ]
