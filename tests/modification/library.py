"""A server with the collection: ours in process, or the real one."""

from __future__ import annotations

import json
from typing import Any

import requests

from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import DicomFile, read_file
from tests.create.creator import Refusal
from tests.modification import collection


class Library:
    """A server and short ways to ask it."""

    def __init__(self, session: requests.Session, url: str) -> None:
        self.session = session
        self.session.trust_env = False  # no look for proxies at each of thousands of calls
        self.url = url

    def refill(self) -> None:
        """Delete everything, and upload the collection."""
        for patient in self.get("/patients"):
            self.session.delete(f"{self.url}/patients/{patient}", timeout=30)
        for file in collection.collection():
            self.upload(file)
        for level, id in (
            ("patients", collection.PATIENT),
            ("studies", collection.STUDY),
            ("series", collection.SERIES),
            ("instances", collection.INSTANCE),
        ):
            self.session.put(f"{self.url}/{level}/{id}/labels/label-of-{level}", data="", timeout=30)

    def upload(self, file: bytes) -> dict[str, str]:
        """Store a file."""
        answer = self.session.post(f"{self.url}/instances", data=file, timeout=30)
        assert answer.status_code == 200, answer.text
        stored: dict[str, str] = answer.json()
        return stored

    def get(self, path: str) -> Any:
        """Return the JSON of a GET."""
        answer = self.session.get(self.url + path, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> requests.Response:
        """Send a body: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.session.post(self.url + path, data=data, timeout=60)

    def content(self, path: str, body: Any) -> dict[str, Any]:
        """Return the content of the job of a call that must succeed."""
        answer = self.post(path, body)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def refusal(self, path: str, body: Any) -> Refusal:
        """Return the error of a call."""
        answer = self.post(path, body)
        assert answer.status_code >= 400, answer.text
        error = json.loads(answer.content.decode("utf-8", "replace"), strict=False)
        return Refusal(answer.status_code, error["OrthancStatus"], error.get("Details") or None)

    def changed(self, call: str, body: Any, id: str = collection.INSTANCE) -> DataSet:
        """Return the data set that ``modify`` or ``anonymize`` of one instance answers."""
        answer = self.post(f"/instances/{id}/{call}", body)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/dicom"
        return read_file(answer.content).data_set

    def files(self, path: str) -> list[DicomFile]:
        """Return the instances below a resource, by series and number."""
        ids = self.get(f"{path}/instances?expand=false") if not path.startswith("/instances/") else [path[11:]]
        files = [read_file(self.session.get(f"{self.url}/instances/{id}/file", timeout=30).content) for id in ids]
        return sorted(files, key=lambda file: (file.data_set[0x0020000E].value, file.data_set[0x00200013].value))

    def instances(self) -> list[str]:
        """Return the identifiers of all instances."""
        found: list[str] = self.get("/instances")
        return found
