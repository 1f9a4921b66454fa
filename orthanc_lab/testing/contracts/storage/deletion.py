"""What must be true of deletion and recycling, on any back end."""

from __future__ import annotations

from typing import Any

import pytest

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import (
    Statistics,
    StoreStatus,
)
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, StorageFolder, changes_of, code_of, put

__all__ = ["DeletionContract"]

_KB = bytes(1000)


def _patients(storage: Storage) -> str:
    return "".join(sorted(one.tags["0010,0020"] for one in storage.list_resources(Level.PATIENT)))


def _ids(storage: Storage) -> dict[str, str]:
    return {one.tags["0010,0020"]: one.id for one in storage.list_resources(Level.PATIENT)}


class DeletionContract:
    """Deletion, and limits of the storage."""

    def test_deletion_takes_empty_parents_along(self, storage: Storage) -> None:
        a = put(storage, study="7.1", series="7.1.1", pixels=LARGE)
        b = put(storage, study="7.1", series="7.1.1")
        c = put(storage, study="7.2", series="7.2.1")
        assert storage.delete("nope") == (False, None)
        assert storage.delete(a.study, Level.SERIES) == (False, None)
        assert storage.delete(a.instance) == (True, (Level.SERIES, a.series))
        assert storage.get(a.instance) is None
        assert storage.delete(b.instance, Level.INSTANCE) == (True, (Level.PATIENT, a.patient))
        assert storage.find_level(a.study) is None
        assert storage.delete(c.series) == (True, None)
        assert storage.statistics() == Statistics(0, 0, 0, 0, 0, 0)
        assert storage.list_ids(Level.PATIENT) == []

    def test_deletion_is_an_update_of_what_remains_above(self, folder: StorageFolder) -> None:
        storage = folder.open()
        a, b = (put(storage, study="7.1", series="7.1.1", instance=number) for number in "12")
        put(storage, study="7.1", series="7.1.2")
        put(storage, study="7.2", series="7.2.1")

        def updates() -> list[str]:
            found = (storage.get(id) for id in (a.patient, a.study, a.series))
            return [one.metadata["LastUpdate"][-6:] for one in found if one is not None]

        folder.clock.advance(60)
        storage.delete(a.instance)
        assert updates() == ["000100", "000100", "000100"]
        folder.clock.advance(60)
        storage.delete_all([b.instance])
        assert updates() == ["000200", "000200"]
        folder.clock.advance(60)
        storage.delete(a.study)
        assert updates() == ["000300"]

    def test_deletion_takes_all_below_along(self, storage: Storage) -> None:
        stored = [put(storage, series=f"7.{n}", pixels=LARGE if n else b"") for n in range(3)]
        other = put(storage, patient="other", study="8", series="8.1")
        storage.set_label(stored[0].study, "gone", True)
        storage.put_attachment(stored[0].study, 1024, LARGE)
        assert storage.delete(stored[0].patient) == (True, None)
        assert storage.all_labels() == []
        assert [id for _, id in changes_of(storage)] == [other.instance, other.series, other.study, other.patient]
        assert storage.statistics().instances == 1

    def test_many_are_deleted(self, storage: Storage) -> None:
        stored = [put(storage, series=f"7.{n}", pixels=LARGE if n % 10 == 0 else b"") for n in range(120)]
        last = put(storage, patient="other", study="8", series="8.1")
        storage.delete_all([])
        storage.delete_all(["nope", *(one.instance for one in stored[:110]), stored[0].study, "", stored[0].instance])
        assert storage.list_ids(Level.INSTANCE) == [last.instance]
        assert [id for _, id in changes_of(storage)] == [last.instance, last.series, last.study, last.patient]
        assert storage.statistics().patients == 1

    def test_deleted_and_stored_again(self, storage: Storage) -> None:
        file = dicom(instance="1", pixels=LARGE)
        first = storage.store(file, ORIGIN)
        storage.delete(first.instance)
        second = storage.store(file, ORIGIN)
        assert second.status is StoreStatus.SUCCESS
        assert storage.read_dicom(second.instance) == file
        assert [type.value for type, _ in changes_of(storage)] == [
            "NewInstance",
            "NewSeries",
            "NewStudy",
            "NewPatient",
        ]
        assert storage.last_change_number() == 8

    def test_the_patient_not_stored_to_for_longest_goes_first(self, folder: StorageFolder) -> None:
        storage = folder.open(maximum_patient_count=3)
        for name in "abc":
            put(storage, patient=name)
        put(storage, patient="a")
        put(storage, patient="d")
        assert _patients(storage) == "acd"
        storage.set_protected(_ids(storage)["c"], True)
        put(storage, patient="e")
        assert _patients(storage) == "cde"
        storage.set_protected(_ids(storage)["c"], False)
        put(storage, patient="f")
        assert _patients(storage) == "cef"
        for id in _ids(storage).values():
            storage.set_protected(id, True)
        assert code_of(storage.store, dicom(patient="g"), ORIGIN) == 19
        assert _patients(storage) == "cef"
        assert put(storage, patient="f").status.value == "Success"

    def test_the_order_survives_a_restart(self, folder: StorageFolder) -> None:
        storage = folder.open(maximum_patient_count=2)
        put(storage, patient="a")
        put(storage, patient="b")
        put(storage, patient="a")
        storage = folder.reopen(maximum_patient_count=2)
        put(storage, patient="c")
        assert _patients(storage) == "ac"

    def test_size(self, folder: StorageFolder) -> None:
        storage = folder.open(maximum_storage_size=1)
        for name in "abcd":
            put(storage, patient=name, study=f"1.{ord(name)}", pixels=_KB * 300)
        assert _patients(storage) == "bcd"
        assert code_of(storage.store, dicom(patient="e", pixels=_KB * 2000), ORIGIN) == 19
        assert _patients(storage) == "bcd"
        for _ in range(3):
            put(storage, patient="z", pixels=_KB * 300)
        assert _patients(storage) == "z"
        assert code_of(storage.store, dicom(patient="z", pixels=_KB * 300), ORIGIN) == 19
        assert storage.statistics().instances == 3

    def test_an_attachment_makes_room_for_itself(self, folder: StorageFolder) -> None:
        storage = folder.open(maximum_storage_size=1)
        one, other, last = (put(storage, patient=name, study=f"1.{ord(name)}", pixels=_KB * 300) for name in "abc")
        assert code_of(storage.put_attachment, one.instance, 1024, _KB * 2000) == 19
        assert _patients(storage) == "abc"
        storage.put_attachment(one.study, 1024, _KB * 300)
        assert _patients(storage) == "ac"
        storage.put_attachment(one.study, 1024, _KB * 400)  # in which the first one goes
        assert _patients(storage) == "ac"
        storage.set_protected(last.patient, True)
        assert code_of(storage.put_attachment, one.patient, 1025, _KB * 300) == 19
        storage.compress_attachment(one.study, 1024, True)
        storage.put_attachment(one.patient, 1025, _KB * 300)
        assert code_of(storage.compress_attachment, one.study, 1024, False) == 19
        assert storage.get(other.instance) is None

    def test_an_attachment_is_rejected(self, folder: StorageFolder) -> None:
        storage = folder.open(maximum_storage_size=1, maximum_storage_mode="Reject")
        one, _, _ = (put(storage, patient=name, study=f"1.{ord(name)}", pixels=_KB * 300) for name in "abc")
        assert code_of(storage.put_attachment, one.instance, 1024, _KB * 300) == 19
        assert _patients(storage) == "abc"

    @pytest.mark.parametrize(
        ("limits", "left"),
        [
            ({"maximum_patient_count": 2}, "ad"),
            ({"maximum_storage_size": 1}, "acd"),
            ({"maximum_patient_count": 2, "maximum_storage_mode": "Reject"}, "abcd"),
        ],
    )
    def test_new_limits_hold_from_the_start(self, folder: StorageFolder, limits: dict[str, Any], left: str) -> None:
        storage = folder.open()
        for name in "abcd":
            put(storage, patient=name, study=f"1.{ord(name)}", pixels=_KB * 300)
        storage.set_protected(_ids(storage)["a"], True)
        assert _patients(folder.reopen(**limits)) == left

    def test_those_that_are_protected_stay_beyond_a_new_limit(self, folder: StorageFolder) -> None:
        storage = folder.open()
        for name in "abc":
            storage.set_protected(put(storage, patient=name).patient, True)
        storage = folder.reopen(maximum_patient_count=1)
        assert _patients(storage) == "abc"
        assert put(storage, patient="a", instance="2").status is StoreStatus.SUCCESS
        assert code_of(storage.store, dicom(patient="d"), ORIGIN) == 19

    def test_reject(self, folder: StorageFolder) -> None:
        storage = folder.open(maximum_patient_count=2, maximum_storage_mode="Reject")
        put(storage, patient="a")
        first = put(storage, patient="b", instance="1")
        assert code_of(storage.store, dicom(patient="c"), ORIGIN) == 19
        assert put(storage, patient="b").status.value == "Success"
        assert put(storage, patient="b", instance="1").instance == first.instance
        assert _patients(storage) == "ab"

    def test_many_at_once_are_refused_as_one(self, folder: StorageFolder) -> None:
        storage = folder.open(maximum_patient_count=2, maximum_storage_mode="Reject")
        assert code_of(storage.store_all, [dicom(patient=name) for name in "abc"], ORIGIN) == 19
        assert _patients(storage) == ""
