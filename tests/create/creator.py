"""Creating instances on a server, ours or the real one, and reading them back."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import requests

from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import DicomFile, read_file

DICTIONARY: dict[str, list[Any]] = {
    "0405,0010": ["LO", "PrivateCreatorForMyCompany", 1, 1, "My Company"],
    "0405,1001": ["ST", "MyPrivateXMLTag", 1, 1, "My Company"],
    "0405,1002": ["SQ", "MySequence", 1, 1, "My Company"],
    "0405,1003": ["US", "MyNumber", 1, 1, "My Company"],
}


@dataclass(frozen=True)
class Refusal:
    """An error answer."""

    status: int
    code: int
    details: str | None = None


def data_uri(data: bytes, mime: str = "image/png") -> str:
    """Return a data URI."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


class Creator:
    """A server to create instances on."""

    def __init__(self, session: requests.Session, url: str) -> None:
        self.session = session
        self.url = url

    def post(self, body: Any) -> requests.Response:
        """Send a body: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.session.post(f"{self.url}/tools/create-dicom", data=data, timeout=60)

    def answer(self, body: Any) -> dict[str, str]:
        """Return the answer to a body that must be accepted."""
        answer = self.post(body)
        assert answer.status_code == 200, answer.text
        document: dict[str, str] = answer.json()
        return document

    def refusal(self, body: Any) -> Refusal:
        """Return the error that a body gets."""
        answer = self.post(body)
        assert answer.status_code >= 400, answer.text
        error = json.loads(answer.content.decode("utf-8", "replace"), strict=False)
        return Refusal(answer.status_code, error["OrthancStatus"], error.get("Details") or None)

    def outcome(self, body: Any) -> Any:
        """Return what becomes of a body: the refusal, or the keys of the answer and the new data sets."""
        answer = self.post(body)
        if answer.status_code != 200:
            error = json.loads(answer.content.decode("utf-8", "replace"), strict=False)
            return Refusal(answer.status_code, error["OrthancStatus"], error.get("Details") or None)
        document = answer.json()
        return sorted(document), self.files(document["Path"])

    def files(self, path: str) -> list[DicomFile]:
        """Return the instances at a path, a series in the order of InstanceNumber."""
        ids = [path.rsplit("/", 1)[1]]
        if not path.startswith("/instances/"):
            ids = self.session.get(f"{self.url}{path}/instances?expand=false", timeout=60).json()
        files = [read_file(self.file(id)) for id in ids]
        return sorted(files, key=lambda file: text(file.data_set, 0x00200013))

    def file(self, id: str) -> bytes:
        """Return the DICOM file of an instance."""
        answer = self.session.get(f"{self.url}/instances/{id}/file", timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.content

    def create(self, tags: dict[str, Any] | None = None, content: Any = None, **fields: Any) -> DataSet:
        """Create one instance and return its data set."""
        return self.create_file(tags, content, **fields).data_set

    def create_file(self, tags: dict[str, Any] | None = None, content: Any = None, **fields: Any) -> DicomFile:
        """Create one instance and return its file, read."""
        body: dict[str, Any] = {"Tags": tags or {}, **fields}
        if content is not None:
            body["Content"] = content
        return self.files(self.answer(body)["Path"])[0]

    def count(self) -> int:
        """Return the number of instances."""
        count: int = self.session.get(f"{self.url}/statistics", timeout=60).json()["CountInstances"]
        return count


def text(data_set: DataSet, tag: int) -> str:
    """Return the text of an element, without its padding; empty if it is absent."""
    element = data_set.get(tag)
    value = b"" if element is None else element.value
    assert isinstance(value, bytes)
    return value.rstrip(b" \0").decode("latin-1")
