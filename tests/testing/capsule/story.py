"""A story with a server as a list that tests change, write down, and read again."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing import Recorder, Recording
from orthanc_lab.testing.recordings import BytesBody, RecordedExchange, RecordingWriter


@dataclass
class Exchange:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_headers: dict[str, str]
    answer: bytes
    complete: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.answer)

    @property
    def sent(self) -> Any:
        return json.loads(self.body)

    def change(self, change: Callable[[Any], Any]) -> None:
        """Change the JSON document that is answered."""
        value = self.json
        result = change(value)
        self.answer = json.dumps(value if result is None else result, indent=3).encode()

    def change_file(self, change: Callable[[pydicom.Dataset], Any], *, answer: bool = True) -> None:
        """Change the DICOM file that is answered, or sent."""
        data_set = pydicom.dcmread(io.BytesIO(self.answer if answer else self.body))
        change(data_set)
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, data_set)
        if answer:
            self.answer = buffer.getvalue()
        else:
            self.body = buffer.getvalue()


class Story(list[Exchange]):
    """The exchanges."""

    def of(self, method: str, part: str, status: int | None = None) -> Exchange:
        """Return the first one with this in its path."""
        return next(self.all(method, part, status))

    def all(self, method: str, part: str, status: int | None = None) -> Iterator[Exchange]:
        for one in self:
            if one.method == method and part in one.target and status in (None, one.status):
                yield one

    def copy(self) -> Story:
        return copy.deepcopy(self)

    def write(self, path: Path) -> None:
        with RecordingWriter(path) as writer:
            for one in self:
                writer.add(
                    RecordedExchange(
                        method=one.method,
                        target=one.target,
                        headers=tuple(one.headers.items()),
                        body=BytesBody(one.body) if one.body else None,
                        status=one.status,
                        answer_headers=tuple(one.answer_headers.items()),
                        answer=BytesBody(one.answer) if one.answer else None,
                        complete=one.complete,
                    )
                )


def read(path: Path) -> Story:
    with Recording(path) as recording:
        return Story(
            Exchange(
                one.method,
                one.target,
                dict(one.headers),
                b"" if one.body is None else one.body.read(),
                one.status,
                dict(one.answer_headers),
                b"" if one.answer is None else one.answer.read(),
                one.complete,
            )
            for one in recording
        )


def record(path: Path, url: str = "") -> None:
    """Record a story with a server, ours if none is given: two patients, searches, an archive, jobs, errors."""
    with ExitStack() as stack:
        url = url or stack.enter_context(orthanc_lab.serve()).url
        proxy = stack.enter_context(Recorder(url, path))
        tell(stack.enter_context(orthanc_lab.Client(proxy.url)), proxy.url)


def tell(client: orthanc_lab.Client, url: str) -> None:
    send = client.transport.send
    for file in (*samples.dicom_files("ct")[1:5], *samples.dicom_files("mr")[:2]):
        send("POST", "/instances", data=file.read_bytes(), headers={"Content-Type": "application/dicom"})
    send("POST", "/instances", data=samples.dicom_files("mr")[0].read_bytes())
    study = client.studies.find()[0]
    for path in ("/system", "/statistics", "/changes?since=0&limit=100", "/instances", "/studies?expand"):
        send("GET", path)
    for level in ("patients", "series", "instances"):
        send("GET", f"/{level}?expand")
    instance = study.series[0].instances[0].id
    for end in ("tags", "simplified-tags", "file", "metadata?expand", "preview", "attachments/dicom/info"):
        send("GET", f"/instances/{instance}/{end}")
    send("GET", f"/series/{study.series[0].id}/ordered-slices")
    send("PUT", "/modalities/pacs", json=["PACS", "127.0.0.1", 104])
    send("GET", "/modalities?expand")
    query = {"Level": "Instance", "Query": {"PatientID": "*", "Modality": "CT"}, "Expand": True, "Limit": 3}
    send("POST", "/tools/find", json=query)
    send("GET", f"/studies/{study.id}/archive")
    study.archive_job().wait()
    send("GET", "/jobs?expand")
    send("PUT", f"/studies/{study.id}/labels/checked")
    send("GET", f"/studies/{study.id}/labels")
    requests.get(f"{url}/study/nothing", timeout=30)
    requests.post(f"{url}/tools/create-dicom", json={"Tags": {"NoTag": "x"}}, timeout=30)
