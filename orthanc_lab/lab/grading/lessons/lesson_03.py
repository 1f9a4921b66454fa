"""03 · Archives and media."""

from __future__ import annotations

import io
import stat
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pydicom

from orthanc_lab.client.client import Client
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require
from orthanc_lab.protocol.jobs import JobState

SERVERS = ("server",)
_JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
_LARGEST_ZIP = 200 << 20
_LARGEST_DIRECTORY = 10 << 20


def _us_names(servers: Mapping[str, Client]) -> list[str]:
    study = servers["server"].studies.find(ModalitiesInStudy="US")[0]
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(study.archive(Path(folder) / "us.zip")) as archive:
        return archive.namelist()


def _the_name(evidence: Evidence) -> None:
    require([evidence.values["it"]] == evidence.before, "the file in the archive of the server has another name")


def _extended_media(evidence: Evidence) -> None:
    made = [event for event in evidence.events["server"] if event.kind == "Media" and event.after is JobState.SUCCESS]
    require(bool(made), "the server has made no media during the exercise")
    series = _series_of_the_directory(evidence)
    require({"Localizer", "Soft tissue", "Sharp"} <= series, "its DICOMDIR has no SeriesDescription: is it extended?")


def _series_of_the_directory(evidence: Evidence) -> set[str]:
    path = evidence.folder / str(evidence.values["path"])
    require(path.resolve().is_relative_to(evidence.folder.resolve()), "it is no file in the folder of the notebook")
    require(path.exists() and stat.S_ISREG(path.stat().st_mode), "there is no such file")
    require(path.stat().st_size <= _LARGEST_ZIP, "the file is too large to be the disc")
    try:
        with zipfile.ZipFile(path) as archive, archive.open("DICOMDIR") as member:
            directory = pydicom.dcmread(io.BytesIO(member.read(_LARGEST_DIRECTORY)))
            return {str(record.get("SeriesDescription", "")) for record in directory.DirectoryRecordSequence}
    except (zipfile.BadZipFile, KeyError, AttributeError, pydicom.errors.InvalidDicomError, OSError):
        require(False, "it is no ZIP with a DICOMDIR")
        raise


def _lossless_job(evidence: Evidence) -> None:
    client = evidence.servers["server"]
    content = client.jobs[evidence.new_job(evidence.values["id"], "Archive")].content
    require(content["InstancesCount"] == 22, f"it has {content['InstancesCount']} instances, not 22")
    require(content.get("Transcode") == _JPEG_LOSSLESS, "its files are not in lossless JPEG")


CRITERIA = {
    1: Criterion({"it": "us_name"}, _the_name, _us_names),
    2: Criterion({"path": "str(extended)"}, _extended_media),
    3: Criterion({"id": "both.id"}, _lossless_job),
}
