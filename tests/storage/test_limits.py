"""MaximumPatientCount and MaximumStorageSize, in both modes."""

from __future__ import annotations

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Storage
from tests.storage.conftest import ORIGIN, House
from tests.storage.contract import code_of, put
from tests.storage.files import dicom

KB = bytes(1000)


def patients(storage: Storage) -> str:
    return "".join(sorted(one.tags["0010,0020"] for one in storage.list_resources(Level.PATIENT)))


def ids(storage: Storage) -> dict[str, str]:
    return {one.tags["0010,0020"]: one.id for one in storage.list_resources(Level.PATIENT)}


def test_the_patient_not_stored_to_for_longest_goes_first(house: House) -> None:
    storage = house.open(maximum_patient_count=3)
    for name in "abc":
        put(storage, patient=name)
    put(storage, patient="a")
    put(storage, patient="d")
    assert patients(storage) == "acd"
    storage.set_protected(ids(storage)["c"], True)
    put(storage, patient="e")
    assert patients(storage) == "cde"
    storage.set_protected(ids(storage)["c"], False)
    put(storage, patient="f")
    assert patients(storage) == "cef"
    for id in ids(storage).values():
        storage.set_protected(id, True)
    assert code_of(storage.store, dicom(patient="g"), ORIGIN) == 19
    assert patients(storage) == "cef"
    assert put(storage, patient="f").status.value == "Success"


def test_the_order_survives_a_restart(house: House) -> None:
    storage = house.open(maximum_patient_count=2)
    put(storage, patient="a")
    put(storage, patient="b")
    put(storage, patient="a")
    storage = house.reopen(maximum_patient_count=2)
    put(storage, patient="c")
    assert patients(storage) == "ac"


def test_size(house: House) -> None:
    storage = house.open(maximum_storage_size=1)
    for name in "abcd":
        put(storage, patient=name, study=f"1.{ord(name)}", pixels=KB * 300)
    assert patients(storage) == "bcd"
    assert code_of(storage.store, dicom(patient="e", pixels=KB * 2000), ORIGIN) == 19
    assert patients(storage) == "bcd"
    for _ in range(3):
        put(storage, patient="z", pixels=KB * 300)
    assert patients(storage) == "z"
    assert code_of(storage.store, dicom(patient="z", pixels=KB * 300), ORIGIN) == 19
    assert storage.statistics().instances == 3
    assert len(house.files()) == 3


def test_reject(house: House) -> None:
    storage = house.open(maximum_patient_count=2, maximum_storage_mode="Reject")
    put(storage, patient="a")
    first = put(storage, patient="b", instance="1")
    assert code_of(storage.store, dicom(patient="c"), ORIGIN) == 19
    assert put(storage, patient="b").status.value == "Success"
    assert put(storage, patient="b", instance="1").instance == first.instance
    assert patients(storage) == "ab"


def test_many_at_once_are_refused_as_one(house: House) -> None:
    storage = house.open(maximum_patient_count=2, maximum_storage_mode="Reject")
    assert code_of(storage.store_all, [dicom(patient=name) for name in "abc"], ORIGIN) == 19
    assert patients(storage) == ""
