"""Reconstruction: rest-core §3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.storage.indexed_storage import IndexedStorage
from tests.rest.checks import error_of, is_nothing
from tests.rest.conftest import OPTIONS, Rest
from tests.rest.files import dicom_file, orthanc_id

SERIES = orthanc_id("P", "1", "1.1")
EXTRA = {"Patient": ["PatientAge"], "Study": ["StudyComments"], "Series": ["StationAETitle"], "Instance": ["Rows"]}

Starts = Callable[..., Rest]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starts]:
    """Starts a server on the same folder, after the one before it has ended."""
    servers: list[orthanc_lab.InProcessServer] = []

    def start(**options: Any) -> Rest:
        if servers:
            servers.pop().stop()
        servers.append(orthanc_lab.in_process({**OPTIONS, **options}, folder=tmp_path))
        return Rest(servers[-1])

    yield start
    servers.pop().stop()


def fill(rest: Rest) -> list[str]:
    """Store three instances that do not agree on the patient; return their identifiers, sorted."""
    for number in range(3):
        tags = {"Rows": 10 + number, "PatientAge": f"00{number}Y", "PatientName": f"N{number}"}
        rest.upload(dicom_file("P", "1", "1.1", f"1.1.{number}", InstanceNumber=number, **tags))
    rest("PUT", f"/series/{SERIES}/metadata/reader", "Smith")
    rest("PUT", f"/series/{SERIES}/labels/kept")
    rest("PUT", f"/series/{SERIES}/attachments/notes", "kept")
    found: list[str] = rest.json("/instances")
    return found


def test_an_instance_speaks_for_those_above(start: Starts) -> None:
    instances = fill(start())
    rest = start(ExtraMainDicomTags=EXTRA)
    before = rest.json("/changes")
    patient = rest.json("/patients?expand")[0]
    assert patient["MainDicomTags"] == {"PatientID": "P", "PatientName": "N0"}
    chosen = rest.json(f"/instances/{instances[1]}?requested-tags=PatientAge;PatientName")
    number = chosen["MainDicomTags"]["InstanceNumber"]
    assert chosen["RequestedTags"] == {"PatientAge": f"00{number}Y", "PatientName": "N0"}  # read from the file

    assert is_nothing(rest("POST", f"/instances/{instances[1]}/reconstruct"))
    tags = {"PatientAge": f"00{number}Y", "PatientID": "P", "PatientName": f"N{number}"}
    assert rest.json("/patients?expand")[0]["MainDicomTags"] == tags
    assert rest.json("/studies?expand")[0]["PatientMainDicomTags"] == tags
    assert rest.json(f"/instances/{instances[1]}")["MainDicomTags"]["Rows"] == str(10 + int(number))
    assert "Rows" not in rest.json(f"/instances/{instances[0]}")["MainDicomTags"]
    assert rest.json("/changes") == before
    assert rest.json("/patients?expand")[0]["LastUpdate"] == patient["LastUpdate"]


def test_tags_that_are_no_longer_kept(start: Starts) -> None:
    instances = fill(start(ExtraMainDicomTags=EXTRA))
    assert "Rows" in start(ExtraMainDicomTags=EXTRA).json(f"/instances/{instances[0]}")["MainDicomTags"]
    rest = start()
    shown = rest.json(f"/instances/{instances[0]}?requested-tags=Rows")
    assert "Rows" not in shown["MainDicomTags"]
    assert "Rows" in shown["RequestedTags"]
    assert rest.json("/patients?expand")[0]["MainDicomTags"] == {"PatientID": "P", "PatientName": "N0"}
    assert "PatientAge" not in rest.json("/studies?expand")[0]["PatientMainDicomTags"]


@pytest.mark.parametrize(
    "path", ["/tools/reconstruct", f"/series/{SERIES}/reconstruct", f"/studies/{SERIES}/reconstruct"]
)
def test_all_below_and_what_people_added(start: Starts, path: str) -> None:
    instances = fill(start())
    rest = start(ExtraMainDicomTags=EXTRA)
    assert rest.json("/tools/find", {"Level": "Instance", "Query": {"Rows": "11"}, "Since": 0}) == []
    assert is_nothing(rest("POST", path, "{}"))
    assert all("Rows" in rest.json(f"/instances/{id}")["MainDicomTags"] for id in instances)
    last = rest.json(f"/instances/{instances[-1]}")["MainDicomTags"]["InstanceNumber"]
    assert rest.json("/patients?expand")[0]["MainDicomTags"]["PatientName"] == f"N{last}"
    assert len(rest.json("/tools/find", {"Level": "Instance", "Query": {"Rows": "11"}, "Since": 0})) == 1
    metadata = rest.json(f"/series/{SERIES}/metadata?expand")
    assert metadata["reader"] == "Smith"
    assert "0008,1010;0008,103e" in metadata["MainDicomTagsSignature"]
    assert "0028,0010" in rest("GET", f"/instances/{instances[0]}/metadata/MainDicomTagsSignature").text
    assert rest.json(f"/series/{SERIES}")["Labels"] == ["kept"]
    assert rest("GET", f"/series/{SERIES}/attachments/notes/data").text == "kept"


def test_files_are_written_as_the_configuration_says(start: Starts) -> None:
    instances = fill(start())
    rest = start(StorageCompression=True)
    path = f"/instances/{instances[0]}/attachments/dicom"
    content = rest("GET", f"{path}/data").content
    assert rest("GET", f"{path}/is-compressed").text == "0"
    assert is_nothing(rest("POST", f"/instances/{instances[0]}/reconstruct", '{"ReconstructFiles": false}'))
    assert rest("GET", f"{path}/is-compressed").text == "0"
    assert is_nothing(rest("POST", f"/instances/{instances[0]}/reconstruct", '{"ReconstructFiles": true}'))
    assert rest("GET", f"{path}/is-compressed").text == "1"
    assert rest("GET", f"{path}/data").content == content
    assert is_nothing(rest("POST", "/tools/reconstruct", '{"ReconstructFiles": true}'))
    assert {rest("GET", f"/instances/{id}/attachments/dicom/is-compressed").text for id in instances} == {"1"}


NO_BOOLEAN = (400, 15, "The field ReconstructFiles must contain a Boolean")
NO_LIMIT = (400, 15, "The field LimitToThisLevelMainDicomTags must contain a Boolean")
INTERNAL = (500, -1, "An unhandled exception was generated inside the HTTP server")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", None),
        ("{}", None),
        ("null", None),
        ("nonsense", None),  # Orthanc 1.12.7 never answers
        ('{"ReconstructFiles": true}', None),  # the same
        ('{"ReconstructFiles": 1}', NO_BOOLEAN),
        ('{"ReconstructFiles": null}', NO_BOOLEAN),
        ('{"LimitToThisLevelMainDicomTags": true}', None),
        ('{"LimitToThisLevelMainDicomTags": 1}', NO_LIMIT),
        ("[]", INTERNAL),
        ("12", INTERNAL),
        ('""', INTERNAL),
    ],
)
def test_bodies(library: Rest, body: str, expected: tuple[int, int, str] | None) -> None:
    for path in ("/tools/reconstruct", f"/studies/{orthanc_id('ALPHA', '1.1')}/reconstruct"):
        answer = library("POST", path, body)
        assert is_nothing(answer) if expected is None else error_of(answer) == expected


def test_unknown_resources(library: Rest) -> None:
    assert error_of(library("POST", "/series/nope/reconstruct", "{}")) == (404, 17, "")
    assert error_of(library("POST", "/series/nope/reconstruct", '{"ReconstructFiles": 1}')) == NO_BOOLEAN


def test_an_instance_that_is_replaced_meanwhile(start: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = start(OverwriteInstances=True)
    id = rest("POST", "/instances", dicom_file("P", "1", "1.1", "1.1.1", InstanceNumber=1)).json()["ID"]
    read, replacements = IndexedStorage.read_dicom_header, [2, 3]

    def read_and_replace(storage: IndexedStorage, instance: str) -> bytes:
        header = read(storage, instance)
        if replacements:
            replacement = dicom_file("P", "1", "1.1", "1.1.1", InstanceNumber=replacements.pop(0))
            assert rest("POST", "/instances", replacement).status_code == 200
        return header

    monkeypatch.setattr(IndexedStorage, "read_dicom_header", read_and_replace)
    assert is_nothing(rest("POST", f"/instances/{id}/reconstruct"))
    assert rest.json(f"/instances/{id}")["MainDicomTags"]["InstanceNumber"] == "3"
