"""Archives and media of mixtures, streamed and by jobs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pydicom
import pytest

from orthanc_lab import Client, samples
from orthanc_lab.client import NotFoundError, ResponseError, Study


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def test_streamed_archive(study: Study, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    saved = study.archive(tmp_path / "x.zip", progress=lambda done, total: seen.append((done, total)))
    assert saved == tmp_path / "x.zip"
    assert seen[-1] == (saved.stat().st_size, None)
    assert len(names(saved)) == len(study.instances)
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]
    assert saved.stat().st_mode & 0o777 == (tmp_path / "x.zip").stat().st_mode & 0o777 != 0o600
    assert study.archive(tmp_path).name == f"{study.id}.zip"


def test_streamed_media(study: Study, tmp_path: Path) -> None:
    assert "DICOMDIR" in names(study.media(tmp_path / "media.zip"))
    assert "DICOMDIR" in names(study.series[0].media(tmp_path))


@pytest.mark.parametrize("extended", [False, True])
def test_streamed_media_with_descriptions(study: Study, tmp_path: Path, extended: bool) -> None:
    with zipfile.ZipFile(study.media(tmp_path, extended=extended)) as archive, archive.open("DICOMDIR") as file:
        records = pydicom.dcmread(file).DirectoryRecordSequence
    assert any("SeriesDescription" in record for record in records) == extended


def test_transcoding(study: Study, tmp_path: Path) -> None:
    saved = study.series[0].archive(tmp_path, transcode="1.2.840.10008.1.2.4.70")
    with zipfile.ZipFile(saved) as archive, archive.open(archive.namelist()[0]) as file:
        assert pydicom.dcmread(file).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.70"
    with pytest.raises(ResponseError, match=r"Unknown transfer syntax: 1\.2\.3"):
        study.archive(tmp_path, transcode="1.2.3")


def test_a_mixture(client: Client, study: Study, tmp_path: Path) -> None:
    client.upload(samples.path("mr"))
    mr = client.series.find(Modality="MR")[0]
    one = study.series[0].instances[0]
    mixture = [mr, one, one.id]
    expected = len(mr.instances) + 1
    assert len(names(client.archive(mixture, tmp_path / "a.zip"))) == expected
    assert len(names(client.media(mixture, tmp_path / "m.zip", extended=True))) == expected + 1
    job = client.archive_job(mixture, priority=4).wait(60)
    assert (job.priority, len(names(job.download(tmp_path / "j.zip")))) == (4, expected)
    job = client.media_job(iter(mixture), extended=True).wait(60)
    assert "DICOMDIR" in names(job.download(tmp_path / "k.zip"))


def test_one_alone(client: Client, study: Study, tmp_path: Path) -> None:
    assert client.archive(study, tmp_path).name == "Archive.zip"
    assert len(names(client.archive(study.id, tmp_path / "b.zip"))) == len(study.instances)


def test_nothing_and_unknown(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No resources to archive"):
        client.archive([], tmp_path)
    with pytest.raises(NotFoundError, match="Unknown resource"):
        client.archive(["unknown"], tmp_path)
    with pytest.raises(NotFoundError):
        client.archive_job("unknown")
    assert list(tmp_path.iterdir()) == []
