"""The application in process, empty or with a small collection of patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab.protocol.ports import ManualClock
from tests.rest.files import CT_IMAGE, dicom_file, orthanc_id

OPTIONS: dict[str, Any] = {
    "UserMetadata": {"quality": 1024, "reader": 1025},
    "UserContentType": {"notes": [1024, "text/plain"], "blob": 1025},
}

# PatientID, study, series, instance, further tags
COLLECTION: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    ("ALPHA", "1.1", "1.1.1", "1.1.1.1", {"InstanceNumber": 1, "Rows": 64, "ImageType": ["ORIGINAL", "PRIMARY"]}),
    ("ALPHA", "1.1", "1.1.1", "1.1.1.2", {"InstanceNumber": 2, "Rows": 128, "ImageType": ["DERIVED", "PRIMARY"]}),
    ("ALPHA", "1.1", "1.1.2", "1.1.2.1", {"Modality": "CT", "SOPClassUID": CT_IMAGE, "Rows": 64}),
    ("ALPHA", "1.2", "1.2.1", "1.2.1.1", {"StudyDate": "20240615", "StudyDescription": "", "Rows": 512}),
    ("BETA", "2.1", "2.1.1", "2.1.1.1", {"PatientName": "Müller^Änne", "StudyDate": "20250101", "Modality": "US"}),
)
_COMMON = {
    "PatientName": "Doe^Jane",
    "StudyDate": "20230101",
    "StudyTime": "120000",
    "StudyDescription": "Brain",
    "AccessionNumber": "A1",
    "Modality": "MR",
}


@dataclass(frozen=True)
class Rest:
    """A server, and short ways to ask it."""

    server: orthanc_lab.InProcessServer

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send a request; a dict or list is sent as JSON, underlines in header names stand for hyphens.

        An error inside the server is raised here.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = {"json": body} if isinstance(body, (dict, list)) else {"data": body}
        url = self.server.url + path
        answer = self.server.session.request(method, url, headers=named, allow_redirects=False, **content)
        if self.server.errors:
            raise self.server.errors.pop()
        return answer

    def json(self, path: str, body: Any = None) -> Any:
        """Return the JSON of a GET, or of a POST if there is a body."""
        answer = self("GET" if body is None else "POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def upload(self, dicom: bytes) -> dict[str, str]:
        """Store a file."""
        stored: dict[str, str] = self("POST", "/instances", dicom).json()
        assert stored["Status"] == "Success"
        return stored


class Ids:
    """Orthanc identifiers by what the collection calls them: ``ids["1.1.1"]``."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        for patient, study, series, instance, _ in COLLECTION:
            self._ids[patient] = orthanc_id(patient)
            self._ids[study] = orthanc_id(patient, study)
            self._ids[series] = orthanc_id(patient, study, series)
            self._ids[instance] = orthanc_id(patient, study, series, instance)

    def __getitem__(self, name: str) -> str:
        return self._ids[name]

    def fill(self, text: str) -> str:
        """Return a text with ``<1.1>`` replaced by the identifier."""
        for name, id in self._ids.items():
            text = text.replace(f"<{name}>", id)
        return text

    def name(self, id: str) -> str:
        """Return what the collection calls an identifier."""
        return next(name for name, known in self._ids.items() if known == id)

    def names(self, ids: list[str]) -> set[str]:
        """Return what the collection calls identifiers, each once."""
        assert len(ids) == len(set(ids))
        return {self.name(id) for id in ids}


@cache
def _files() -> list[bytes]:
    return [
        dicom_file(patient, study, series, instance, **{**_COMMON, **tags})
        for patient, study, series, instance, tags in COLLECTION
    ]


def store_collection(rest: Rest) -> None:
    """Store the collection."""
    for file in _files():
        rest.upload(file)


@pytest.fixture(scope="session")
def ids() -> Ids:
    return Ids()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def options() -> dict[str, Any]:
    """Options of the server, for a test to override."""
    return {}


@pytest.fixture
def rest(tmp_path: Path, options: dict[str, Any], clock: ManualClock) -> Iterator[Rest]:
    """An empty server."""
    with orthanc_lab.in_process({**OPTIONS, **options}, folder=tmp_path, clock=clock) as server:
        yield Rest(server)


@pytest.fixture
def filled(rest: Rest) -> Rest:
    """A server with the collection, for tests that change it."""
    store_collection(rest)
    return rest


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """A server with the collection, for tests that only read."""
    folder = tmp_path_factory.mktemp("library")
    with orthanc_lab.in_process(OPTIONS, folder=folder, clock=ManualClock()) as server:
        rest = Rest(server)
        store_collection(rest)
        yield rest
