"""Uploads: what can be sent, what is said of it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from orthanc_lab import Client, samples

CT = samples.dicom_files("ct")


def test_folder_file_bytes_and_data_set(client: Client) -> None:
    one, two, three, *_ = CT
    report = client.upload([one, str(two), three.read_bytes(), pydicom.dcmread(CT[3]), samples.path("mr")])
    assert report.stored == 4 + len(samples.dicom_files("mr"))
    assert report.refused == {}
    assert [client.instances[id].file() for id in report.instances[:3]] == [path.read_bytes() for path in CT[:3]]
    assert repr(report) == f"<Upload: {report.stored} stored, 0 already there, 0 refused>"


def test_a_single_one_of_each_kind(client: Client) -> None:
    assert client.upload(CT[0]).stored == 1
    assert client.upload(str(CT[1])).stored == 1
    assert client.upload(CT[2].read_bytes()).stored == 1
    assert client.upload(pydicom.dcmread(CT[3])).stored == 1
    assert client.upload(CT[0]).already_stored == 1


def test_order_and_progress(client: Client) -> None:
    seen: list[tuple[int, int]] = []
    report = client.upload(CT, progress=lambda done, total: seen.append((done, total)), parallel=3)
    assert [client.instances[id].SOPInstanceUID for id in report.instances] == [
        pydicom.dcmread(path).SOPInstanceUID for path in CT
    ]
    assert seen == sorted(seen)
    assert seen[-1] == (len(CT), len(CT))


def test_what_is_no_dicom_is_named_and_the_rest_goes_on(client: Client, tmp_path: Path) -> None:
    for number, path in enumerate(CT[:5]):
        (tmp_path / f"{number}.dcm").write_bytes(path.read_bytes())
    (tmp_path / "notes.txt").write_text("Not a DICOM file")
    (tmp_path / "empty").write_bytes(b"")
    broken = bytearray(CT[5].read_bytes()[:180])
    (tmp_path / "broken.dcm").write_bytes(broken)
    report = client.upload(tmp_path)
    assert report.stored == 5
    assert sorted(Path(name).name for name in report.refused) == ["broken.dcm", "empty", "notes.txt"]
    assert report.refused[str(tmp_path / "notes.txt")].startswith("Bad file format: Cannot parse an invalid DICOM file")
    assert "3 refused>\n" in repr(report)
    assert "notes.txt" in report._repr_html_()


def test_a_file_that_cannot_be_read_is_named(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "secret.dcm":
            raise PermissionError(13, "Permission denied", str(path))
        return kept(path)

    (tmp_path / "secret.dcm").write_bytes(CT[0].read_bytes())
    (tmp_path / "open.dcm").write_bytes(CT[1].read_bytes())
    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    report = client.upload(tmp_path)
    assert report.stored == 1
    assert "cannot be read: [Errno 13] Permission denied" in report.refused[str(tmp_path / "secret.dcm")]


def test_a_data_set_that_cannot_be_written_is_named(client: Client) -> None:
    empty = pydicom.Dataset()
    empty.PatientID = "no more than this"
    report = client.upload([empty, CT[0]])
    assert (report.stored, list(report.refused)) == (1, ["item 0"])


def test_an_archive(client: Client, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for number, path in enumerate(CT[:3]):
            archive.write(path, f"{number}.dcm")
        archive.writestr("README.txt", "Not a DICOM file")
    report = client.upload(tmp_path / "study.zip")
    assert report.stored == 3
    assert list(report.refused.values()) == ["not DICOM files in this archive: 1"]
    report = client.upload((tmp_path / "study.zip").read_bytes())
    assert (report.stored, report.already_stored) == (0, 3)


def test_an_archive_of_nothing(client: Client) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("README.txt", "Not a DICOM file")
    report = client.upload(out.getvalue())
    assert (report.stored, len(report.refused)) == (0, 1)


def test_large_files_travel_alone(client: Client, tmp_path: Path) -> None:
    ds = pydicom.dcmread(CT[0])
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "2.25.123456789"
    ds.Rows = ds.Columns = 1024
    ds.PixelData = bytes(2 << 20)
    ds.save_as(tmp_path / "large.dcm")
    report = client.upload([CT[0], tmp_path, CT[1]])
    assert (report.stored, report.refused) == (3, {})
    assert len(client.instances[report.instances[1]].file()) > 2 << 20


def test_without_a_preamble(client: Client) -> None:
    bare = CT[0].read_bytes()[132:]
    report = client.upload([bare, CT[1]])
    assert report.stored == 2
    assert client.instances[report.instances[0]].SOPInstanceUID == pydicom.dcmread(CT[0]).SOPInstanceUID


def test_one_that_lacks_an_identifier_does_not_disturb_its_batch(client: Client) -> None:
    path = get_testdata_file("no_meta_group_length.dcm")
    report = client.upload([CT[0], path, CT[1]])
    assert (report.stored, report.already_stored, report.refused) == (2, 0, {path: "Inexistent tag"})


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "rtplan.dcm", "image_dfl.dcm"])
def test_what_is_stored_is_recognised(client: Client, name: str) -> None:
    path = get_testdata_file(name)
    first = client.upload(path)
    again = client.upload(path, skip_stored=True)
    assert (again.stored, again.already_stored) == (0, 1)
    assert again.instances == first.instances


def test_what_cannot_be_uploaded(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        client.upload(tmp_path / "nowhere")
    with pytest.raises(TypeError, match="Cannot upload float"):
        client.upload([1.5])  # type: ignore[list-item]  # the wrong type is the point
    with pytest.raises(TypeError, match="Cannot upload NoneType: pass a path"):
        client.upload(None)  # type: ignore[arg-type]
    with Path(get_testdata_file("CT_small.dcm")).open("rb") as file, pytest.raises(TypeError, match=r"file\.read\(\)"):
        client.upload(file)  # type: ignore[arg-type]
    assert client.upload([]).stored == 0
    assert client.upload(tmp_path).stored == 0


def test_stopped_by_hand_it_says_how_to_go_on(client: Client) -> None:
    def stop(done: int, count: int) -> None:
        raise KeyboardInterrupt

    files = [path.read_bytes() for path in CT]
    with pytest.raises(KeyboardInterrupt) as stopped:
        client.upload(files, progress=stop)
    assert "skip_stored=True" in stopped.value.__notes__[0]
    client.upload(files, skip_stored=True)
    assert client.statistics["CountInstances"] == len(CT)
