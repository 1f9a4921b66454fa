"""Uses a server without threads in a Python that cannot start any, and lacks fcntl, resource and ssl: a program."""

from __future__ import annotations

import base64
import io
import os
import sys
import threading
import time
import zipfile
from typing import Any, NoReturn

BLOCKED = ("fcntl", "resource", "ssl", "_ssl")


def block() -> None:
    """Make what is missing in a browser missing here."""

    def refuse(thread: threading.Thread) -> NoReturn:
        raise RuntimeError(f"can't start new thread ({thread.name})")

    threading.Thread.start = refuse  # type: ignore[method-assign] # what this is about
    for name in BLOCKED:
        assert name not in sys.modules
        sys.modules[name] = None  # type: ignore[assignment] # an import of it fails


class Use:
    """A client of the server."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def __call__(self, verb: str, path: str, **options: Any) -> Any:
        answer = self.server.session.request(verb, f"{self.server.url}{path}", **options)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer

    def wait(self, id: str) -> dict[str, Any]:
        """Ask for a job until it has ended; each request lets it go on."""
        limit = time.monotonic() + 30
        while (job := self("GET", f"/jobs/{id}").json())["State"] not in ("Success", "Failure"):
            assert time.monotonic() < limit, job
        return job


def picture() -> str:
    """Return noise, large enough for a file of its own, as a data URI."""
    from PIL import Image

    png = io.BytesIO()
    Image.frombytes("L", (300, 300), os.urandom(90_000)).save(png, "PNG")
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"


def names(body: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return len(archive.namelist())


def use(use: Use) -> None:
    """Upload, archives in every way, a modification, DICOM-izing."""
    first = use("POST", "/tools/create-dicom", json={"Tags": {"PatientName": "A^B"}, "Content": picture()}).json()
    series, study = first["ParentSeries"], first["ParentStudy"]
    for _ in range(2):
        use("POST", "/tools/create-dicom", json={"Parent": series, "Tags": {}, "Content": picture()})
    dicom = use("GET", f"/instances/{first['ID']}/file").content
    assert use("POST", "/instances", data=dicom).json()["Status"] == "AlreadyStored"

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):  # each is large enough for a pool
            archive.writestr(f"{n}.dcm", dicom)
    stored = use("POST", "/instances", data=packed.getvalue()).json()
    assert [one["Status"] for one in stored] == ["AlreadyStored"] * 3

    # a job that nobody waits for
    id = use("POST", f"/studies/{study}/archive", json={"Asynchronous": True}).json()["ID"]
    assert use.wait(id)["State"] == "Success"
    assert names(use("GET", f"/jobs/{id}/archive").content) == 3
    # streamed while it is made
    assert names(use("GET", f"/studies/{study}/archive").content) == 3
    with use("GET", f"/studies/{study}/archive", stream=True) as answer:
        assert names(b"".join(answer.iter_content(1000))) == 3
    # jobs that a request waits for
    new = use("POST", f"/studies/{study}/modify", json={"Replace": {"PatientName": "C^D"}}).json()
    assert len(use("GET", f"/studies/{new['ID']}/instances").json()) == 3
    assert use("GET", f"/studies/{new['ID']}").json()["PatientMainDicomTags"]["PatientName"] == "C^D"
    id = use("POST", f"/studies/{study}/anonymize", json={"Asynchronous": True}).json()["ID"]
    assert use.wait(id)["State"] == "Success"
    assert use("GET", f"/instances/{first['ID']}/preview").content[:4] == b"\x89PNG"
    use("POST", "/tools/reset")
    assert len(use("GET", "/studies").json()) == 3


def main() -> None:
    block()
    import orthanc_lab

    with orthanc_lab.in_process(executor="inline") as server:
        use(Use(server))
        assert server.errors == []
    with orthanc_lab.in_process(executor="inline", SynchronousZipStream=False) as server:
        client = Use(server)
        study = client("POST", "/tools/create-dicom", json={"Tags": {}}).json()["ParentStudy"]
        assert names(client("GET", f"/studies/{study}/archive").content) == 1
        assert server.errors == []
    assert not [name for name in BLOCKED if sys.modules[name] is not None]
    print("done")


if __name__ == "__main__":
    main()
