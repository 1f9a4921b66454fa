"""The storage on SQLite: the contract, and what depends on its options."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Steps, Task
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage import open_storage
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import AttachmentType, FindQuery
from tests.storage.conftest import ORIGIN, House
from tests.storage.contract import StorageContract, changes_of, put
from tests.storage.files import LARGE, dicom
from tests.waiting import until


class TestSqlite(StorageContract):
    """The contract, on SQLite and files."""


class TestSqliteWithoutCache(StorageContract):
    """The contract, with each file read from the disk."""

    @pytest.fixture
    def storage(self, house: House) -> Storage:
        return house.open(maximum_cache_size=0)


def test_all_is_there_after_a_restart(house: House) -> None:
    storage = house.open(stable_age=1)
    file = dicom(pixels=LARGE)
    stored = storage.store(file, ORIGIN)
    small = put(storage, patient="Q", study="2", series="3")
    storage.set_label(stored.study, "a", True)
    storage.set_metadata(stored.study, "1024", "x")
    storage.set_protected(stored.patient, True)
    storage.next_number("n")
    storage.delete(small.patient)
    before = (storage.statistics(), storage.list_resources(Level.STUDY), changes_of(storage))
    number = storage.last_change_number()
    storage = house.reopen(stable_age=1000)
    assert (storage.statistics(), storage.list_resources(Level.STUDY), changes_of(storage)) == before
    assert storage.read_dicom(stored.instance) == file
    assert storage.next_number("n") == 2
    assert storage.last_change_number() == number
    assert len(house.files()) == 1


def test_storage_compression(house: House) -> None:
    storage = house.open(storage_compression=True)
    file = dicom(pixels=LARGE)
    stored = storage.store(file, ORIGIN)
    resource = storage.get(stored.instance)
    assert resource is not None
    assert set(resource.attachments) == {AttachmentType.DICOM, AttachmentType.DICOM_UNTIL_PIXEL_DATA}
    assert all(one.compressed for one in resource.attachments.values())
    assert storage.read_dicom(stored.instance) == file
    assert storage.read_dicom_header(stored.instance) == file[: int(resource.metadata["PixelDataOffset"])]
    totals = storage.statistics()
    assert totals.disk_size < totals.uncompressed_size
    plain = put(storage)
    resource = storage.get(plain.instance)
    assert resource is not None
    assert set(resource.attachments) == {AttachmentType.DICOM}
    assert house.reopen().read_dicom(stored.instance) == file


def test_without_md5(house: House) -> None:
    storage = house.open(store_md5=False)
    resource = storage.get(put(storage, pixels=LARGE).instance)
    assert resource is not None
    assert resource.attachments[1].uncompressed_md5 == resource.attachments[1].compressed_md5 == ""


def test_extra_main_dicom_tags(house: House) -> None:
    storage = house.open(extra_main_dicom_tags={Level.SERIES: ["0010,0010"]})
    stored = put(storage, name="Doe")
    series = storage.get(stored.series)
    assert series is not None
    assert series.tags["0010,0010"] == "Doe"
    assert "0010,0010" in storage.indexed_tags(Level.SERIES)
    assert "0010,0010" in series.metadata["MainDicomTagsSignature"].split(";")


def test_named_metadata_follow_the_configuration(house: House) -> None:
    storage = house.open(user_metadata={"mine": 1024})
    id = put(storage).patient
    storage.set_metadata(id, "mine", "x")
    storage.set_metadata(id, "1024", "y")
    patient = storage.get(id)
    assert patient is not None
    assert patient.metadata["mine"] == "y"
    patient = house.reopen(user_metadata={"other": 1024}).get(id)
    assert patient is not None
    assert patient.metadata["other"] == "y"


def test_overwrite_instances_is_an_option(house: House) -> None:
    storage = house.open(overwrite_instances=True)
    put(storage, instance="1", name="a")
    assert put(storage, instance="1", name="b").status.value == "Success"
    assert storage.store(dicom(instance="1", name="c"), ORIGIN, overwrite=False).status.value == "AlreadyStored"


def test_stable_resources(house: House) -> None:
    storage = house.open(stable_age=60)
    stored = put(storage)
    house.clock.advance(59)
    put(storage)
    house.clock.advance(59)
    patient = storage.get(stored.patient)
    assert patient is not None
    assert not patient.is_stable
    house.clock.advance(1)
    until(lambda: len(changes_of(storage)) == 8)
    assert changes_of(storage)[5:] == [
        (ChangeType.STABLE_SERIES, stored.series),
        (ChangeType.STABLE_STUDY, stored.study),
        (ChangeType.STABLE_PATIENT, stored.patient),
    ]
    patient = storage.get(stored.patient)
    assert patient is not None
    assert patient.is_stable
    put(storage)
    patient = storage.get(stored.patient)
    assert patient is not None
    assert not patient.is_stable
    house.clock.advance(60)
    until(lambda: len(changes_of(storage)) == 12)


def test_an_instance_in_the_second_that_made_its_series_stable(house: House) -> None:
    storage = house.open(stable_age=0.5)
    stored = put(storage)
    house.clock.advance(0.5)
    until(lambda: len(changes_of(storage)) == 7)
    put(storage)
    resources = storage.get_many([stored.series, stored.study, stored.patient])
    assert [one.is_stable for one in resources] == [False] * 3


def test_a_stable_change_is_not_lost_by_a_restart(house: House) -> None:
    stored = put(house.open(stable_age=60))
    storage = house.reopen(stable_age=60)
    assert len(changes_of(storage)) == 4
    house.clock.advance(60)
    until(lambda: (ChangeType.STABLE_PATIENT, stored.patient) in changes_of(storage))


def test_exports(house: House) -> None:
    storage = house.open(log_exported_resources=True)
    stored = put(storage, patient="p", study="1", series="2", instance="3")
    storage.log_export(stored.instance, "AWAY")
    storage.log_export(stored.study, "AWAY")
    storage.log_export("unknown", "AWAY")
    exports, done = storage.exports()
    assert done
    assert [(one.seq, one.level, one.sop_instance_uid, one.study_instance_uid) for one in exports] == [
        (1, Level.INSTANCE, "3", "1"),
        (2, Level.STUDY, "", "1"),
    ]
    assert storage.exports(0, 1)[1] is False
    storage.clear_exports()
    assert storage.exports() == ([], True)


def test_exports_are_off_by_default(storage: Storage) -> None:
    storage.log_export(put(storage).instance, "AWAY")
    assert storage.exports() == ([], True)


def test_metrics(house: House) -> None:
    storage = house.open()
    stored = put(storage, pixels=LARGE)
    storage.read_dicom(stored.instance)
    storage.read_dicom(stored.instance)
    storage.delete(stored.instance)
    recorded = house.metrics.values
    size = sum(recorded["orthanc_storage_written_bytes"])
    assert recorded["orthanc_storage_cache_hit_count"]
    assert recorded["orthanc_storage_cache_count"][-1] == 0
    assert size > len(LARGE)
    for name in ("store_dicom", "storage_create", "storage_remove"):
        assert recorded[f"orthanc_{name}_duration_ms"]
    stored = put(storage, pixels=LARGE)
    house.reopen().read_dicom(stored.instance)
    assert sum(recorded["orthanc_storage_read_bytes"]) == size
    assert len(recorded["orthanc_storage_cache_miss_count"]) == 1


def test_the_cache_is_bounded(house: House) -> None:
    storage = house.open(maximum_cache_size=1)
    stored = [put(storage, pixels=bytes([n]) * 400_000) for n in range(4)]
    for _ in range(2):
        for one in stored:
            assert storage.read_dicom(one.instance)
    assert max(house.metrics.values["orthanc_storage_cache_size_mb"]) <= 1


def test_the_changes_of_deleted_resources_do_not_pile_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_lab.storage.sqlite.transaction._MOST_STALE_CHANGES", 20)
    storage = house.open()
    kept = put(storage, patient="kept", study="5", series="6")
    for n in range(30):
        storage.delete(put(storage, patient=str(n), study="1", series="2").patient)
    assert changes_of(storage)[0] == (ChangeType.NEW_INSTANCE, kept.instance)
    assert len(changes_of(storage)) == 4
    house.close()
    connection = sqlite3.connect(house.folder / "index.sqlite")
    assert connection.execute("SELECT count(*) FROM changes").fetchone()[0] < 30
    connection.close()


def test_a_second_owner_is_refused(house: House) -> None:
    house.open()
    with pytest.raises(OrthancError, match=r"already in use by another server \(process \d+\)") as caught:
        open_storage(house.folder)
    assert caught.value.code == 11
    house.reopen()


def test_the_lock_ends_with_its_owner(house: House) -> None:
    program = (
        "import sys, pathlib, os; from orthanc_lab.storage import open_storage;"
        "open_storage(pathlib.Path(sys.argv[1])); print('open', flush=True); os.read(0, 1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(house.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"open\n"
        with pytest.raises(OrthancError, match=f"process {owner.pid}"):
            open_storage(house.folder)
        owner.kill()
        owner.wait()
        house.open()


def test_an_index_of_another_version_is_refused(house: House) -> None:
    house.open()
    house.close()
    connection = sqlite3.connect(house.folder / "index.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OrthancError, match="version 99") as caught:
        house.open()
    assert caught.value.code == 18


def test_a_file_that_is_no_index_is_refused(house: House) -> None:
    house.folder.mkdir()
    (house.folder / "index.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(OrthancError) as caught:
        house.open()
    assert caught.value.code == 11


def test_the_index_can_be_elsewhere(house: House, tmp_path: Path) -> None:
    storage = house.open(index_directory=tmp_path / "index")
    stored = put(storage, pixels=LARGE)
    assert {path.name for path in (tmp_path / "index").iterdir()} >= {"index.sqlite", "index.lock"}
    resource = storage.get(stored.instance)
    assert resource is not None
    assert house.files() == [resource.attachments[1].uuid]
    assert not list(house.folder.glob("index*"))


def test_a_search_of_a_parent_below_is_refused(storage: Storage) -> None:
    with pytest.raises(OrthancError) as caught:
        storage.find(FindQuery(Level.PATIENT, parents={Level.STUDY: "x"}))
    assert caught.value.code == 6


class FailingExecutor(InlineExecutor):
    """Begins no task."""

    def spawn(self, name: str, steps: Steps) -> Task:
        raise OrthancError(11, "not today")


def test_a_failed_start_leaves_the_index_free(house: House) -> None:
    with pytest.raises(OrthancError, match="not today"):
        house.open(executor=FailingExecutor(house.clock))
    house.open()


def test_a_closed_storage_answers_with_an_error(house: House) -> None:
    storage = house.open()
    stored = put(storage, pixels=LARGE)
    storage.close()
    storage.close()
    for call in (
        lambda: storage.get(stored.instance),
        lambda: storage.list_ids(Level.STUDY),
        lambda: put(storage),
        lambda: storage.delete(stored.instance),
        lambda: storage.set_label(stored.study, "x", True),
    ):
        with pytest.raises(OrthancError, match="closed") as caught:
            call()
        assert caught.value.code == 11


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OrthancError) as caught:
            open_storage(folder)
        assert caught.value.code == 2000
