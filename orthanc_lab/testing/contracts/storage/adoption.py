"""What must be true when the storage of another server is taken over, on any back end."""

from __future__ import annotations

from dataclasses import replace

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.adopted import AdoptedChange, AdoptedExport, AdoptedInstance, AdoptedLog, AdoptedResource
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Stored, StoreStatus
from orthanc_lab.storage.transaction import NewExport
from orthanc_lab.testing.contracts.dicom_files import dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, StorageFolder, changes_of, put

__all__ = ["AdoptionContract"]

_DATE = "20200102T030405"


class AdoptionContract:
    """Instances, and logs."""

    def test_an_instance_comes_with_all_that_was_known_of_it(self, storage: Storage, folder: StorageFolder) -> None:
        file, lineage = _known(storage)
        lineage[1] = replace(lineage[1], metadata={"LastUpdate": _DATE, "2000": "x"}, labels=["a"])
        lineage[3] = replace(
            lineage[3], metadata={"ReceptionDate": _DATE, "TransferSyntax": "wrong"}, attachments={2000: b"report"}
        )
        assert storage.adopt([AdoptedInstance(file, lineage)]) == [StoreStatus.SUCCESS]
        storage = folder.reopen()
        study, instance = storage.get(lineage[1].id), storage.get(lineage[3].id)
        assert study is not None
        assert instance is not None
        assert (study.metadata["LastUpdate"], study.metadata["2000"], study.labels) == (_DATE, "x", ["a"])
        assert study.is_stable
        assert instance.metadata["ReceptionDate"] == _DATE
        assert instance.metadata["TransferSyntax"] == "1.2.840.10008.1.2.1"
        assert "Origin" not in instance.metadata
        assert storage.read_dicom(instance.id) == file
        assert storage.read_attachment(instance.attachments[2000], of=instance.id) == b"report"
        assert storage.changes() == ([], True)

    def test_what_is_there_stays_and_is_completed(self, storage: Storage) -> None:
        stored = put(storage, instance="1.9")
        storage.set_metadata(stored.instance, "2000", "ours")
        lineage = _lineage(stored)
        lineage[3] = replace(lineage[3], metadata={"2000": "theirs", "2001": "theirs"}, labels=["a"])
        assert storage.adopt([AdoptedInstance(dicom(instance="1.9"), lineage)]) == [StoreStatus.ALREADY_STORED]
        instance = storage.get(stored.instance)
        assert instance is not None
        assert (instance.metadata["2000"], instance.metadata["2001"]) == ("ours", "theirs")
        assert instance.labels == ["a"]

    def test_what_cannot_be_taken_keeps_nothing_else_out(self, storage: Storage) -> None:
        file, lineage = _known(storage)
        other = [*lineage[:3], replace(lineage[3], id="another one")]
        instances = [
            AdoptedInstance(b"no DICOM", lineage),
            AdoptedInstance(file, other),
            AdoptedInstance(file, lineage),
        ]
        foreign, mistaken, taken = storage.adopt(instances)
        assert isinstance(foreign, OrthancError)
        assert foreign.code == ErrorCode.BAD_FILE_FORMAT
        assert isinstance(mistaken, OrthancError)
        assert mistaken.code == ErrorCode.CORRUPTED_FILE
        assert taken is StoreStatus.SUCCESS
        assert storage.list_ids(Level.INSTANCE) == [lineage[3].id]

    def test_changes_keep_their_numbers(self, storage: Storage) -> None:
        file, lineage = _known(storage)
        storage.adopt([AdoptedInstance(file, lineage)])
        changes = [
            AdoptedChange(5, ChangeType.NEW_STUDY, Level.STUDY, lineage[1].id, _DATE),
            AdoptedChange(6, ChangeType.NEW_STUDY, Level.STUDY, "gone", _DATE),
            AdoptedChange(9, ChangeType.STABLE_STUDY, Level.STUDY, lineage[1].id, _DATE),
        ]
        before = storage.last_change_number()
        assert storage.adopt_log(AdoptedLog("log", "9", changes=changes, last_change=20, counters={"n": 3})) == 2
        assert [change.seq for change in storage.changes(before)[0]] == [5, 9]
        assert storage.get_property("log") == "9"
        assert storage.next_number("n") == 4
        put(storage)
        assert storage.last_change_number() > 20

    def test_exports_keep_their_numbers(self, storage: Storage) -> None:
        line = NewExport(Level.STUDY, "id", "NODE", _DATE, {Level.STUDY: "1.2"})
        storage.adopt_log(AdoptedLog(exports=[AdoptedExport(3, line), AdoptedExport(7, line)], last_export=9))
        assert [(export.seq, export.study_instance_uid) for export in storage.exports()[0]] == [(3, "1.2"), (7, "1.2")]
        storage.adopt_log(AdoptedLog(exports=[AdoptedExport(5, line)]))
        assert storage.exports(since=7)[0][0].seq == 10

    def test_what_was_not_stable_becomes_so_later(self, storage: Storage, folder: StorageFolder) -> None:
        file, lineage = _known(storage)
        lineage[2] = replace(lineage[2], is_stable=False)
        storage.adopt([AdoptedInstance(file, lineage)])
        storage = folder.reopen(stable_age=5)
        found = [storage.get(one.id) for one in lineage]
        assert [one.is_stable for one in found if one is not None] == [True, True, False, True]
        folder.clock.advance(10)
        folder.until(lambda: changes_of(storage) == [(ChangeType.STABLE_SERIES, lineage[2].id)])


def _known(storage: Storage) -> tuple[bytes, list[AdoptedResource]]:
    """Return a file and its resources, of which the storage has none."""
    file = dicom()
    stored = storage.store(file, ORIGIN)
    storage.delete(stored.patient)
    storage.clear_changes()
    return file, _lineage(stored)


def _lineage(stored: Stored) -> list[AdoptedResource]:
    ids = (stored.patient, stored.study, stored.series, stored.instance)
    return [AdoptedResource(level, id) for level, id in zip(LEVELS, ids, strict=True)]
