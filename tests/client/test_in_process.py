"""The same client on a server without a socket."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import UnreachableError


def test_all_the_way(tmp_path: Path) -> None:
    with orthanc_lab.in_process() as server:
        client = Client.from_server(server)
        report = client.upload(samples.path("ct"), parallel=3)
        assert report.stored == len(samples.dicom_files("ct")) == len(client.instances)
        study = client.studies.find()[0]
        assert len(zipfile.ZipFile(study.archive(tmp_path / "streamed.zip")).namelist()) == report.stored
        job = asyncio.run(study.archive_job(priority=1).wait_async(60))
        assert len(zipfile.ZipFile(job.download(tmp_path)).namelist()) == report.stored
        assert client.create_dicom(samples.path("chart.png")).exists()
        client.close()
        assert len(client.studies) == 2


def test_a_stopped_server() -> None:
    with orthanc_lab.in_process() as server:
        client = Client.from_server(server)
    with pytest.raises(UnreachableError, match="The server has stopped"):
        client.studies.find()
