"""A job that is stopped anywhere, or killed, goes on to the same bytes."""

from __future__ import annotations

import io
import json
import random
import shutil
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.jobs.kinds.archives import zip_codec
from orthanc_lab.jobs.kinds.archives.archive import ArchiveJob
from orthanc_lab.jobs.kinds.archives.archive_plan import plan_archive, plan_media
from orthanc_lab.jobs.kinds.archives.archive_tree import resolve
from orthanc_lab.jobs.kinds.archives.media import MediaJob
from orthanc_lab.jobs.kinds.archives.zip_job import ZipJob
from orthanc_lab.jobs.kinds.archives.zip_outlet import StoredOutlet
from orthanc_lab.jobs.kinds.archives.zip_request import ZipRequest
from orthanc_lab.jobs.ports import StopReason
from orthanc_lab.protocol import deflate
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage import open_storage
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Origin
from tests.archives.files import dicom, member, names_of
from tests.examples import examples
from tests.job_tools import job_tools

KINDS = {"Archive": ArchiveJob, "Media": MediaJob}
JPEG = "1.2.840.10008.1.2.4.50"
KIND = st.sampled_from(sorted(KINDS))


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """Two patients, three series, thirteen instances of different sizes."""
    chance = random.Random(5)
    opened = open_storage(tmp_path_factory.mktemp("storage"))
    files = []
    for patient, series, count in (("A", "1", 6), ("A", "2", 3), ("B", "3", 4)):
        for n in range(count):
            pixels = struct.pack("<H", n) * chance.choice([20, 3000, 70_000, 200_000])
            where = {"patient": patient, "study": f"1.{series}", "series": f"2.{series}", "sop": f"3.{series}.{n}"}
            files.append(dicom(**where, number=str(n), pixels=pixels, charset="ISO_IR 100", name=b"M\xfcller^J"))
    opened.store_all(files, Origin())
    yield opened
    opened.close()


def make(storage: Storage, kind: str, path: Path, **changes: Any) -> ZipJob:
    """Return a job over the whole storage; a step is one member."""
    tree = resolve(storage, storage.list_ids(Level.PATIENT))
    plan = plan_archive(tree) if kind == "Archive" else plan_media(tree)
    request = ZipRequest(plan, "a.zip", datetime(2026, 11, 24, 9, 41, 58), "seed", zip_codec.preferred_codec().name, 1)
    request = replace(request, extended=True, **changes)
    tools = job_tools(storage, outputs=path.parent)
    return KINDS[kind](tools, request, StoredOutlet(tools.outputs, path.name), durable=True, step_seconds=0)


def go_on(storage: Storage, kind: str, folder: Path, saved: dict[str, Any]) -> ZipJob:
    """Return a job made again from what was written down."""
    job = KINDS[kind].restore(job_tools(storage, outputs=folder), json.loads(json.dumps(saved)))
    job._step_seconds = 0
    return job


def finish(job: ZipJob) -> bytes:
    job.start()
    while job.step():
        pass
    job.stop(StopReason.SUCCESS)
    with job._tools.outputs.open(job.outputs()["archive"].name) as file:
        return file.read()


@pytest.fixture(scope="module")
def undisturbed(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return {kind: finish(make(storage, kind, folder / f"{kind}.zip")) for kind in KINDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


def test_the_undisturbed_archives_are_whole(undisturbed: dict[str, bytes]) -> None:
    assert len(names_of(undisturbed["Archive"])) == 13
    assert names_of(undisturbed["Media"]) == [*(f"IMAGES/IM{n}" for n in range(13)), "DICOMDIR"]


@given(kind=KIND, checkpoint=st.integers(0, 12), further=st.integers(0, 13), noise=st.binary(max_size=50))
@examples(60)
def test_killed_anywhere(  # noqa: PLR0917 - hypothesis and fixtures
    storage: Storage,
    folder: Path,
    undisturbed: dict[str, bytes],
    kind: str,
    checkpoint: int,
    further: int,
    noise: bytes,
) -> None:
    """The state on disk is a few steps old, and the file has more than it says."""
    job = make(storage, kind, folder / "killed.zip")
    job.start()
    for _ in range(checkpoint):
        assert job.step()
    saved = job.serialize()
    assert saved is not None
    for _ in range(further):
        if not job.step():
            break
    shutil.copy(folder / "killed.zip", folder / "left.zip")
    with (folder / "left.zip").open("ab") as left:
        left.write(noise)  # half a member
    job.stop(StopReason.CANCELED)
    saved["output"] = "left.zip"
    assert finish(go_on(storage, kind, folder, saved)) == undisturbed[kind]


@given(kind=KIND, stops=st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=5))
@examples(40)
def test_paused_and_shut_down_anywhere(
    storage: Storage, folder: Path, undisturbed: dict[str, bytes], kind: str, stops: list[tuple[int, bool]]
) -> None:
    job = make(storage, kind, folder / "paused.zip")
    for steps, restart in stops:
        job.start()
        more = all(job.step() for _ in range(steps))
        if not more:
            break
        job.stop(StopReason.SHUTDOWN if restart else StopReason.PAUSED)
        if restart:
            saved = job.serialize()
            assert saved is not None
            job = go_on(storage, kind, folder, saved)
    assert finish(job) == undisturbed[kind]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_new_instance_uids_of_a_lossy_archive_are_the_same_after_a_kill(tmp_path: Path, kind: str) -> None:
    """JPEG is another instance; what makes its UID is written down with the job."""
    own = open_storage(tmp_path / "storage")
    for n in range(4):
        own.store(dicom(sop=f"1.{n}", number=str(n), pixels=bytes(range(256)) * 16, size=(64, 64), bits=8), Origin())
    job = make(own, kind, tmp_path / "a.zip", transcode=JPEG, quality=80)
    job.start()
    job.step()
    saved = job.serialize()
    assert saved is not None
    job.step()
    shutil.copy(tmp_path / "a.zip", tmp_path / "left.zip")
    whole = finish(job)
    assert finish(go_on(own, kind, tmp_path, {**saved, "output": "left.zip"})) == whole
    own.close()
    first = pydicom.dcmread(io.BytesIO(member(whole, names_of(whole)[0])))
    assert first.file_meta.TransferSyntaxUID == JPEG
    assert first.SOPInstanceUID != "1.0"
    assert first.SOPInstanceUID == first.file_meta.MediaStorageSOPInstanceUID


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_end_that_was_not_written_down_is_made_again(
    storage: Storage, tmp_path: Path, undisturbed: dict[str, bytes], kind: str
) -> None:
    job = make(storage, kind, tmp_path / "a.zip")
    job._step_seconds = 60
    job.start()
    assert not job.step(), "one step does it all"
    job.stop(StopReason.SHUTDOWN)
    saved = job.serialize()
    assert saved is not None
    assert saved["position"] == 13
    assert finish(go_on(storage, kind, tmp_path, saved)) == undisturbed[kind]
    assert finish(job) == undisturbed[kind]


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("damage", ["gone", "shorter", "overwritten"])
def test_a_damaged_output_is_written_anew(
    storage: Storage, tmp_path: Path, undisturbed: dict[str, bytes], kind: str, damage: str
) -> None:
    path = tmp_path / "a.zip"
    job = make(storage, kind, path)
    job.start()
    for _ in range(5):
        job.step()
    job.stop(StopReason.SHUTDOWN)
    saved = job.serialize()
    assert saved is not None
    if damage == "gone":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:-1] if damage == "shorter" else bytes(len(data)))
    again = go_on(storage, kind, tmp_path, saved)
    assert again.progress() > 0
    assert finish(again) == undisturbed[kind]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_paused_job_whose_output_vanished_writes_it_anew(
    storage: Storage, tmp_path: Path, undisturbed: dict[str, bytes], kind: str
) -> None:
    job = make(storage, kind, tmp_path / "a.zip")
    job.start()
    job.step()
    job.stop(StopReason.PAUSED)
    (tmp_path / "a.zip").unlink()
    assert finish(job) == undisturbed[kind]


def test_the_recorded_codec_is_kept_or_the_job_fails(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make(storage, "Archive", tmp_path / "a.zip", codec="zlib", level=6)
    whole = finish(job)
    job = make(storage, "Archive", tmp_path / "a.zip", codec="zlib", level=6)
    job.start()
    job.step()
    job.stop(StopReason.SHUTDOWN)
    saved = job.serialize()
    assert saved is not None
    assert finish(go_on(storage, "Archive", tmp_path, saved)) == whole
    monkeypatch.setattr(deflate, "HAS_ISAL", False)
    assert zip_codec.preferred_codec().name == "zlib"
    with pytest.raises(OrthancError, match="'isal', which is no longer installed"):
        go_on(storage, "Archive", tmp_path, {**saved, "codec": "isal"}).start()


def test_what_is_written_down_at_a_step_does_not_grow(storage: Storage, tmp_path: Path) -> None:
    job = make(storage, "Archive", tmp_path / "a.zip")
    before = job.serialize()
    assert before is not None
    job.start()
    job.step()
    after = job.serialize()
    assert after is not None
    job.stop(StopReason.CANCELED)
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"position", "offset"}
    assert after["plan"] is before["plan"], "the engine compares the large part by identity"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_deleted_meanwhile_is_left_out(storage: Storage, tmp_path: Path, kind: str) -> None:
    own = open_storage(tmp_path / "storage")
    stored = own.store_all([dicom(sop=f"1.{n}", number=str(n)) for n in range(4)], Origin())
    job = make(own, kind, tmp_path / "a.zip")
    own.delete(stored[1].instance)
    names = names_of(finish(job))
    own.close()
    if kind == "Media":
        assert names == ["IMAGES/IM0", "IMAGES/IM2", "IMAGES/IM3", "DICOMDIR"]
    else:
        assert [name[-12:] for name in names] == ["CT000000.dcm", "CT000002.dcm", "CT000003.dcm"]
    assert job.content()["InstancesCount"] == 4
    assert job.progress() == 1.0


def test_a_job_cannot_be_resubmitted(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(OrthancError, match="Cannot resubmit the creation of an archive") as raised:
        make(storage, "Archive", tmp_path / "a.zip").reset()
    assert raised.value.code == ErrorCode.BAD_SEQUENCE_OF_CALLS


@pytest.mark.parametrize("reason", [StopReason.CANCELED, StopReason.FAILURE])
@pytest.mark.parametrize("steps", [None, 0, 3])
def test_nothing_half_is_left_behind(storage: Storage, tmp_path: Path, reason: StopReason, steps: int | None) -> None:
    path = tmp_path / "a.zip"
    path.touch()
    job = make(storage, "Media", path)
    if steps is not None:
        job.start()
        for _ in range(steps):
            job.step()
    job.stop(reason)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_plan_is_told(storage: Storage, tmp_path: Path) -> None:
    saved = make(storage, "Archive", tmp_path / "a.zip").serialize()
    assert saved is not None
    for plan in ("", "[", "[1]", '[["a"]]'):
        with pytest.raises(OrthancError) as raised:
            go_on(storage, "Archive", tmp_path, {**saved, "plan": plan})
        assert raised.value.code == ErrorCode.CORRUPTED_FILE
