"""What must be true as time passes and after a restart, on any back end."""

from __future__ import annotations

import pytest

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, StorageFolder, changes_of, put

__all__ = ["LifetimeContract"]


class LifetimeContract:
    """Stability by the clock, restarts."""

    def test_all_is_there_after_a_restart(self, folder: StorageFolder) -> None:
        storage = folder.open(stable_age=1)
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
        storage = folder.reopen(stable_age=1000)
        assert (storage.statistics(), storage.list_resources(Level.STUDY), changes_of(storage)) == before
        assert storage.read_dicom(stored.instance) == file
        assert storage.next_number("n") == 2
        assert storage.last_change_number() == number

    def test_stable_resources(self, folder: StorageFolder) -> None:
        storage = folder.open(stable_age=60)
        stored = put(storage)
        folder.clock.advance(59)
        put(storage)
        folder.clock.advance(59)
        patient = storage.get(stored.patient)
        assert patient is not None
        assert not patient.is_stable
        folder.clock.advance(1)
        folder.until(lambda: len(changes_of(storage)) == 8)
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
        folder.clock.advance(60)
        folder.until(lambda: len(changes_of(storage)) == 12)

    def test_an_instance_in_the_second_that_made_its_series_stable(self, folder: StorageFolder) -> None:
        storage = folder.open(stable_age=0.5)
        stored = put(storage)
        folder.clock.advance(0.5)
        folder.until(lambda: len(changes_of(storage)) == 7)
        put(storage)
        resources = storage.get_many([stored.series, stored.study, stored.patient])
        assert [one.is_stable for one in resources] == [False] * 3

    def test_a_stable_change_is_not_lost_by_a_restart(self, folder: StorageFolder) -> None:
        stored = put(folder.open(stable_age=60))
        storage = folder.reopen(stable_age=60)
        assert len(changes_of(storage)) == 4
        folder.clock.advance(60)
        folder.until(lambda: (ChangeType.STABLE_PATIENT, stored.patient) in changes_of(storage))

    def test_a_closed_storage_answers_with_an_error(self, folder: StorageFolder) -> None:
        storage = folder.open()
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
