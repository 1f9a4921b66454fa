"""Identifiers that were planted in a recording are not in its capsule, wherever they were."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pydicom
import pytest

from orthanc_lab.protocol.identifiers import orthanc_id
from orthanc_lab.testing import Recording, make_capsule
from orthanc_lab.testing.recordings import BytesBody, RecordedExchange, RecordingWriter
from tests.testing.capsule.planting import Plants, dicom, every_field, every_tag, exchanges, hashes
from tests.testing.capsule.scan import dates_in, found_in


def look(number: int, seed: int, folder: Path) -> tuple[set[str], int]:
    """Return the planted identifiers that are in the capsule, and how many were planted."""
    plants = Plants(seed)
    digests: list[str] = []
    with RecordingWriter(folder / "recording") as writer:
        for exchange in exchanges(plants, number):
            writer.add(exchange)
            digests += hashes(exchange)
    make_capsule(folder / "recording", folder / "capsule")
    found = found_in(folder / "capsule", [*plants.secrets, *digests])
    return found | (dates_in(folder / "capsule") & set(plants.dates)), len(plants.secrets)


def test_no_planted_identifier_is_found(tmp_path: Path) -> None:
    found, planted = look(500, 1, tmp_path)
    assert planted >= 500
    assert found == set()


@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.long)])
def test_none_is_found_in_any_tag_or_field(step: int, tmp_path: Path) -> None:
    plants = Plants(5)
    with RecordingWriter(tmp_path / "recording") as writer:
        for make in (every_tag, every_field):
            body = BytesBody(make(plants, step))
            writer.add(RecordedExchange("GET", "/", status=200, answer=body))
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    assert len(plants.secrets) > 20_000 / step
    assert found_in(tmp_path / "capsule", plants.secrets) == set()
    assert dates_in(tmp_path / "capsule") & set(plants.dates) == set()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_none_of_ten_thousand_planted_identifiers_is_found(tmp_path: Path) -> None:
    found, planted = look(10_000, 2, tmp_path)
    assert planted >= 10_000
    assert found == set()


def test_the_scan_finds_what_is_there(tmp_path: Path) -> None:
    plants = Plants(3)
    with RecordingWriter(tmp_path / "recording", small=True) as writer:
        for exchange in exchanges(plants, 400):
            writer.add(exchange)
    assert found_in(tmp_path / "recording", plants.secrets) == {secret.lower() for secret in plants.secrets}
    assert dates_in(tmp_path / "recording") >= set(plants.dates)


def test_short_numbers_that_name_somebody_are_replaced(tmp_path: Path) -> None:
    targets = ("/patients/4711", "/tools/x?PatientID=4711", "/dicom-web/studies?PatientID=4711", "/x/4711.dcm")
    counted = ("/instances/frames/4711", "/changes?since=4711&limit=12", "/studies/content/0010-0010/3")
    document = b'{"PatientID": "4711", "Labels": ["4711"], "x": 4711, "Details": "Patient 4711 not found"}'
    with RecordingWriter(tmp_path / "recording") as writer:
        for target in (*targets, *counted):
            writer.add(RecordedExchange("GET", target, status=200, answer=BytesBody(document)))
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    with Recording(tmp_path / "capsule") as capsule:
        made = [one.target for one in capsule]
        assert [target for target in made[: len(targets)] if "4711" in target] == []
        assert made[len(targets) + 1 :] == ["/changes?since=4711&limit=12", "/studies/content/0010-0010/3"]
        assert made[len(targets)].endswith("/frames/4711")
        assert capsule.exchanges[0].answer is not None
        assert b"4711" not in capsule.exchanges[0].answer.read()


def test_letters_of_other_scripts_are_replaced_however_they_are_written(tmp_path: Path) -> None:
    name = "やまだ"
    seven_bits = name.encode("iso2022_jp")[3:-3].decode()  # as Orthanc shows some files
    document = json.dumps({"PatientName": seven_bits, "Labels": [name, "Škoda", "α", "पाटिल"]}).encode()
    with RecordingWriter(tmp_path / "recording") as writer:
        writer.add(RecordedExchange("GET", "/", status=200, answer=BytesBody(document)))
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    with Recording(tmp_path / "capsule") as capsule:
        assert capsule.exchanges[0].answer is not None
        twin = json.loads(capsule.exchanges[0].answer.read())
    assert set(twin["PatientName"]) <= set("_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    assert [len(label) for label in twin["Labels"]] == [3, 5, 1, 5]
    assert not {letter for label in twin["Labels"] for letter in label} & set("やまだαपाटिल")


def test_identifiers_of_orthanc_are_those_of_the_pseudonyms(tmp_path: Path) -> None:
    content = dicom(Plants(4))
    original = pydicom.dcmread(io.BytesIO(content))
    parts = [original[tag].value for tag in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
    with RecordingWriter(tmp_path / "recording") as writer:
        writer.add(RecordedExchange("GET", f"/instances/{orthanc_id(*parts)}", status=200))
        writer.add(RecordedExchange("POST", "/instances", body=BytesBody(content), status=200))
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    with Recording(tmp_path / "capsule") as capsule:
        first, second = capsule
        assert second.body is not None
        twin = pydicom.dcmread(io.BytesIO(second.body.read()))
    parts = [twin[tag].value for tag in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
    assert first.target == f"/instances/{orthanc_id(*parts)}"
