"""Our server finds and retrieves what other archives have: one of ours, a real Orthanc, DCMTK's dcmqrscp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from tests.queries.archives import ARCHIVES

FILES = [*samples.dicom_files("ct"), *samples.dicom_files("mr")[:3]]


class Lab:
    """Our server, and an archive that it knows."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def __call__(self, verb: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(verb, self._url + path, json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    def query(self, level: str, **tags: str) -> str:
        """Ask the archive; return the path of the query."""
        path: str = self("POST", "/modalities/archive/query", {"Level": level, "Query": tags})["Path"]
        return path

    def found(self, query: str) -> list[dict[str, str]]:
        """Return the answers to a query."""
        answers: list[dict[str, str]] = self("GET", query + "/answers?expand&simplify")
        return answers

    def stored(self) -> list[bytes]:
        """Return the files that are stored, and delete them."""
        files = []
        for instance in self("GET", "/instances"):
            files.append(self._session.get(f"{self._url}/instances/{instance}/file", timeout=20).content)
            self("DELETE", f"/instances/{instance}")
        return sorted(files)


@pytest.fixture(scope="module", params=["lab", pytest.param("orthanc", marks=pytest.mark.real), "dcmqrscp"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if request.param == "orthanc":
        request.getfixturevalue("real_program")
    folder: Path = tmp_path_factory.mktemp("archive")
    with (
        orthanc_lab.serve(DicomServerEnabled=True) as server,
        ARCHIVES[request.param](FILES, server.dicom_port, folder) as archive,
    ):
        asked = Lab(server.url)
        asked("PUT", "/modalities/archive", dict(archive))
        yield asked
        assert server.errors == []


def data_sets(files: list[bytes]) -> list[bytes]:
    """Return the files without their meta headers."""
    return sorted(file[144 + int.from_bytes(file[140:144], "little") :] for file in files)


def test_studies_are_found(lab: Lab) -> None:
    query = lab.query("Study", PatientName="*", StudyDescription="", ModalitiesInStudy="")
    assert len(lab.found(query)) == 2
    names = {answer["PatientName"] for answer in lab.found(query)}
    assert len(lab.found(lab.query("Study", PatientName=min(names)))) == 1
    assert lab.found(lab.query("Study", PatientID="nobody")) == []


def test_all_levels_are_found(lab: Lab) -> None:
    patients = lab.query("Patient", PatientID="")
    assert len(lab.found(patients)) == 2
    patient = lab.found(patients).index(next(a for a in lab.found(patients) if a["PatientID"]))
    studies = lab("POST", f"{patients}/answers/{patient}/query-studies", {"Query": {}})["Path"]
    series = lab("POST", f"{studies}/answers/0/query-series", {"Query": {"Modality": ""}})["Path"]
    assert {answer["Modality"] for answer in lab.found(series)} <= {"CT", "MR"}
    instances = lab("POST", f"{series}/answers/0/query-instances", {"Query": {}})["Path"]
    assert 0 < len(lab.found(instances)) < len(FILES)


@pytest.mark.parametrize("method", ["C-MOVE", "C-GET"])
def test_everything_is_retrieved(lab: Lab, method: str) -> None:
    query = lab.query("Study")
    content = lab("POST", query + "/retrieve", {"RetrieveMethod": method})
    assert len(content["Query"]) == 2
    assert data_sets(lab.stored()) == data_sets([file.read_bytes() for file in FILES])


@pytest.mark.parametrize("operation", ["move", "get"])
@pytest.mark.parametrize("level", ["Patient", "Study", "Series", "Instance"])
def test_a_resource_of_each_level_is_retrieved(lab: Lab, operation: str, level: str) -> None:
    keys = {
        "Patient": ["PatientID"],
        "Study": ["StudyInstanceUID"],
        "Series": ["StudyInstanceUID", "SeriesInstanceUID"],
        "Instance": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"],
    }[level]
    answer = next(answer for answer in lab.found(lab.query(level)) if all(answer.get(key) for key in keys))
    body = {"Level": level, "Resources": [{key: answer[key] for key in keys}]}
    job = lab("POST", f"/modalities/archive/{operation}", body)
    assert job["RemoteAet"] == "ARCHIVE"
    count = len(lab.stored())
    assert count == 1 if level == "Instance" else 0 < count < len(FILES)
