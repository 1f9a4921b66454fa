"""What must be true of changes, exports, totals and properties, on any back end."""

from __future__ import annotations

import threading

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import (
    Statistics,
)
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, StorageFolder, changes_of, put

__all__ = ["LogsContract"]


class LogsContract:
    """Changes, exports, totals, properties."""

    def test_changes(self, storage: Storage) -> None:
        first = put(storage, series="7.1")
        second = put(storage, series="7.2")
        assert changes_of(storage) == [
            (ChangeType.NEW_INSTANCE, first.instance),
            (ChangeType.NEW_SERIES, first.series),
            (ChangeType.NEW_STUDY, first.study),
            (ChangeType.NEW_PATIENT, first.patient),
            (ChangeType.NEW_INSTANCE, second.instance),
            (ChangeType.NEW_SERIES, second.series),
        ]

        def numbers(**arguments: object) -> tuple[list[int], bool]:
            found, done = storage.changes(**arguments)  # type: ignore[arg-type]
            return [change.seq for change in found], done

        assert numbers(since=0, limit=2) == ([1, 2], False)
        assert numbers(since=4, limit=2) == ([5, 6], True)
        assert numbers(since=6) == ([], True)
        assert numbers(limit=0) == ([], False)
        assert numbers(since=6, limit=0) == ([], True)
        assert numbers(to=4, limit=2) == ([3, 4], False)
        assert numbers(to=4, limit=100) == ([1, 2, 3, 4], True)
        assert numbers(since=2, to=4, limit=1) == ([3], False)
        assert numbers(types=[ChangeType.NEW_SERIES]) == ([2, 6], True)
        assert numbers(types=[ChangeType.NEW_SERIES, ChangeType.NEW_STUDY], limit=1) == ([2], False)
        last = storage.last_change()
        assert last is not None
        assert (last.seq, last.id) == (6, second.series)
        storage.clear_changes()
        assert numbers() == ([], True)
        assert storage.last_change() is None
        assert storage.last_change_number() == 6
        put(storage, series="7.3")
        assert numbers() == ([7, 8], True)

    def test_each_change_has_another_version(self, storage: Storage) -> None:
        versions = [storage.version()]
        stored = put(storage)
        versions.append(storage.version())
        storage.set_label(stored.study, "seen", True)
        versions.append(storage.version())
        storage.set_metadata(stored.study, "ModifiedFrom", "elsewhere")
        versions.append(storage.version())
        assert storage.find_level(stored.study) is Level.STUDY
        versions.append(storage.version())
        storage.delete(stored.study)
        versions.append(storage.version())
        if None not in versions:  # else others change the index too
            assert versions[3] == versions[4]
            assert len(set(versions)) == 5

    def test_a_series_that_gets_its_last_instance_is_complete(self, storage: Storage) -> None:
        for number in ("1", "2", "2"):
            stored = put(storage, number=number, acquired="1", positions="2")
        series = storage.get(stored.series)
        assert series is not None
        assert series.metadata["ExpectedNumberOfInstances"] == "2"
        assert [type.value for type, _ in changes_of(storage)][4:] == ["NewInstance", "CompletedSeries", "NewInstance"]

    def test_a_series_is_complete_whatever_the_order(self, storage: Storage) -> None:
        def kinds(since: int) -> list[str]:
            return [change.type.value for change in storage.changes(since)[0]]

        files = [dicom(number=number, acquired="1", positions="3") for number in ("3", "x", "2", "1", "1")]
        storage.store_all(files, ORIGIN)
        assert kinds(0)[:5] == ["NewInstance", "NewSeries", "NewStudy", "NewPatient", "NewInstance"]
        assert kinds(5) == ["NewInstance", "NewInstance", "CompletedSeries", "NewInstance"]
        stored = put(storage, number="4", acquired="1", positions="3")
        storage.delete(stored.instance)  # what was known of the series is read again
        before = storage.last_change_number()
        put(storage, number="2", acquired="1", positions="3")
        assert kinds(before) == ["NewInstance"]

    def test_statistics(self, storage: Storage) -> None:
        sizes = [len(dicom(instance=f"9.{n}", pixels=LARGE)) for n in range(2)]
        for n in range(2):
            stored = storage.store(dicom(instance=f"9.{n}", pixels=LARGE), ORIGIN)
        storage.put_attachment(stored.series, 1024, b"12345")
        assert storage.statistics() == Statistics(1, 1, 1, 2, sum(sizes) + 5, sum(sizes) + 5)
        below = storage.resource_statistics(stored.patient)
        assert (below.studies, below.series, below.instances) == (1, 1, 2)
        assert (below.disk_size, below.uncompressed_size) == (sum(sizes) + 5, sum(sizes) + 5)
        assert (below.dicom_disk_size, below.dicom_uncompressed_size) == (sum(sizes), sum(sizes))
        assert storage.resource_statistics(stored.instance).disk_size == sizes[1]

    def test_counters_and_properties(self, storage: Storage) -> None:
        assert [storage.next_number("Anonymized") for _ in range(3)] == [1, 2, 3]
        assert storage.next_number("other") == 1
        assert storage.get_property("peers") is None
        storage.set_property("peers", "{}")
        storage.set_property("peers", "[é]")
        assert storage.get_property("peers") == "[é]"

    def test_a_property_is_changed_by_one_at_a_time(self, storage: Storage) -> None:
        def add(text: str | None) -> str:
            return f"{text or ''}|"

        threads = [threading.Thread(target=storage.change_property, args=("peers", add)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert storage.get_property("peers") == "||||||||"

    def test_exports(self, folder: StorageFolder) -> None:
        storage = folder.open(log_exported_resources=True)
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

    def test_exports_are_off_by_default(self, storage: Storage) -> None:
        storage.log_export(put(storage).instance, "AWAY")
        assert storage.exports() == ([], True)
