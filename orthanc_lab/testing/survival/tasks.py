"""What the clients have to do, and how it is judged."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.survival.clients import UsedClient

__all__ = ["TASKS", "Task"]

FILES = samples.dicom_files("ct/sharp")[:4]


@dataclass(frozen=True, slots=True)
class Task:
    """A task, in three parts: what is there before, what the client does, and whether it was done."""

    name: str
    where: tuple[str, ...]  # the requests that faults of HTTP are about

    def prepare(self, client: orthanc_lab.Client, folder: Path) -> str:
        """Make what the task needs; return the study that it is about."""
        raise NotImplementedError

    def do(self, client: UsedClient, study: str, folder: Path) -> None:
        """Do it."""
        raise NotImplementedError

    def is_done(self, client: orthanc_lab.Client, folder: Path) -> bool:
        """Whether it was done, and nothing is wrong."""
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
    )
}
