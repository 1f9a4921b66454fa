"""What the clients have to do, and how it is judged."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydicom.filereader import dcmread

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.faults.kind import FaultKind, Place
from orthanc_lab.testing.survival.clients import UsedClient

__all__ = ["NODE", "TASKS", "Task"]

NODE = "archive"
"""The DICOM node of the tasks that have one, as the server knows it."""

FILES = samples.dicom_files("ct/sharp")[:4]


@dataclass(frozen=True, slots=True)
class Task:
    """A task, in three parts: what is there before, what the client does, and whether it was done."""

    name: str
    where: tuple[str, ...]  # the requests that faults of HTTP are about
    places: tuple[Place, ...] = ("HTTP", "jobs", "disk", "clock")  # of the faults that it may meet
    has_node: bool = False  # whether there is a DICOM node, too

    def may_meet(self, fault: FaultKind) -> bool:
        """Whether a fault belongs to this task."""
        return fault.place in self.places

    def prepare(self, client: orthanc_lab.Client, folder: Path) -> str:
        """Make what the task needs; return the study that it is about."""
        raise NotImplementedError

    def do(self, client: UsedClient, study: str, folder: Path) -> None:
        """Do it."""
        raise NotImplementedError

    def is_done(self, client: orthanc_lab.Client, folder: Path) -> bool:
        """Whether it was done, and nothing is wrong, by a client of the server (or of the node, if there is one)."""
        raise NotImplementedError


class _Upload(Task):
    def prepare(self, client: orthanc_lab.Client, folder: Path) -> str:
        (folder / "files").mkdir()
        for file in FILES:
            (folder / "files" / file.name).write_bytes(file.read_bytes())
        return ""

    def do(self, client: UsedClient, study: str, folder: Path) -> None:
        client.upload(folder / "files")

    def is_done(self, client: orthanc_lab.Client, folder: Path) -> bool:
        return sorted(instance.file() for instance in client.instances) == _contents()


class _Archive(Task):
    def prepare(self, client: orthanc_lab.Client, folder: Path) -> str:
        client.upload(FILES, progress=False)
        return client.studies.find()[0].id

    def is_done(self, client: orthanc_lab.Client, folder: Path) -> bool:
        try:
            with zipfile.ZipFile(folder / "archive.zip") as archive:
                return sorted(archive.read(name) for name in archive.namelist()) == _contents()
        except (OSError, zipfile.BadZipFile):
            return False


class _ByAJob(_Archive):
    def do(self, client: UsedClient, study: str, folder: Path) -> None:
        client.archive_by_a_job(study, folder / "archive.zip")


class _Download(_Archive):
    def do(self, client: UsedClient, study: str, folder: Path) -> None:
        client.download(study, folder / "archive.zip")


class _Changes(_Upload):
    """The client has followed the changes so far, and keeps the number of the last one."""

    def prepare(self, client: orthanc_lab.Client, folder: Path) -> str:
        super().prepare(client, folder)
        client.upload(samples.dicom_files("mr"), progress=False)  # more changes than those that follow
        return str(client.changes.last)

    def do(self, client: UsedClient, study: str, folder: Path) -> None:
        client.upload(folder / "files")
        (folder / "arrived.json").write_text(json.dumps(sorted(client.arrived(int(study)))), "utf-8")

    def is_done(self, client: orthanc_lab.Client, folder: Path) -> bool:
        seen = set(json.loads((folder / "arrived.json").read_text("utf-8")))
        there = client.instances.find(SeriesDescription="Sharp")
        return seen >= {one.id for one in there} and sorted(one.file() for one in there) == _contents()


class _Send(_Archive):
    """The files are to arrive at a DICOM node."""

    def do(self, client: UsedClient, study: str, folder: Path) -> None:
        client.send(study, NODE)

    def is_done(self, client: orthanc_lab.Client, folder: Path) -> bool:
        # Each program writes a meta header of its own.
        return _pixels(instance.file() for instance in client.instances) == _pixels(_contents())


def _pixels(files: Iterable[bytes]) -> list[bytes]:
    return sorted(dcmread(io.BytesIO(file)).PixelData for file in files)


def _contents() -> list[bytes]:
    return sorted(file.read_bytes() for file in FILES)


_UPLOADS = ("POST /instances",)
_MAKING = ("POST /studies/*/archive", "POST /tools/create-archive")
_DOWNLOADS = ("GET /studies/*/archive", "POST /tools/create-archive")

TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        _Upload("upload", _UPLOADS),
        _ByAJob("archive by a job", (*_MAKING, "GET /jobs/*")),
        _Download("download of an archive", _DOWNLOADS),
        _Changes("upload, found by the changes", ("GET /changes",), ("HTTP",)),
        _Send("sending to a DICOM node", ("POST /modalities/*", "GET /jobs/*"), ("jobs", "DICOM"), has_node=True),
    )
}
