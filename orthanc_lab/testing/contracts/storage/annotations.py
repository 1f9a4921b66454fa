"""What must be true of metadata, labels and protection, on any back end."""

from __future__ import annotations

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import (
    Constraint,
    FindQuery,
)
from orthanc_lab.testing.contracts.storage.folder import StorageFolder, changes_of, code_of, put

__all__ = ["AnnotationsContract"]


class AnnotationsContract:
    """Metadata, labels, protection."""

    def test_metadata(self, storage: Storage) -> None:
        id = put(storage).series
        storage.set_metadata(id, "1024", 'a "value"\n\0é')
        storage.set_metadata(id, "ModifiedFrom", "x")
        series = storage.get(id)
        assert series is not None
        assert series.metadata["1024"] == 'a "value"\n\0é'
        assert series.metadata["ModifiedFrom"] == "x"
        assert storage.delete_metadata(id, "1024")
        assert not storage.delete_metadata(id, "1024")
        logged = [type for type, _ in changes_of(storage) if type is ChangeType.UPDATED_METADATA]
        assert len(logged) == 2
        assert code_of(storage.set_metadata, "nope", "1024", "x") == 17

    def test_metadata_that_are_no_text(self, storage: Storage) -> None:
        id = put(storage).study
        value = b"a\xff\xfe\0".decode("utf-8", "surrogateescape")
        storage.set_metadata(id, "1024", value)
        storage.set_metadata(id, "1025", "x")
        study = storage.get(id)
        assert study is not None
        assert study.metadata["1024"] == value
        assert storage.find(FindQuery(Level.STUDY, metadata={"1025": "x"})) == [id]

    def test_odd_names_are_unknown(self, storage: Storage) -> None:
        stored = put(storage)
        for odd in ("\udcff", "\0", "é" * 1000, "'", '"', "%", "", stored.study.upper(), f"{stored.study} "):
            assert storage.get(odd) is None
            assert storage.find_level(odd) is None
            assert storage.get_many([odd, stored.study])[0].id == stored.study
            assert storage.descendants(odd, Level.INSTANCE) == []
            assert storage.ancestor(odd, Level.PATIENT) is None
            assert storage.lookup_identifier(odd) == []
            assert storage.delete(odd) == (False, None)
            assert storage.find(FindQuery(Level.STUDY, parents={Level.PATIENT: odd})) == []
            assert storage.find(FindQuery(Level.STUDY, labels=[odd])) == []
            assert storage.find(FindQuery(Level.STUDY, metadata={odd or "x": "x"})) == []
            assert code_of(storage.set_metadata, odd, "1024", "x") == 17
            assert code_of(storage.set_label, odd, "x", True) == 17
            assert code_of(storage.put_attachment, odd, 1024, b"") == 17
            assert code_of(storage.delete_attachment, odd, 1024) == 17
            assert code_of(storage.read_dicom, odd) == 17
            assert code_of(storage.resource_statistics, odd) == 17
            assert code_of(storage.set_protected, odd, True) == 3
        assert storage.find(FindQuery(Level.STUDY, [Constraint("0020,000d", "\udcff")])) == []

    def test_huge_numbers(self, storage: Storage) -> None:
        put(storage)
        huge = 10**30
        assert storage.list_ids(Level.STUDY, huge, 1) == []
        assert len(storage.list_ids(Level.STUDY, 0, huge)) == 1
        assert storage.list_resources(Level.STUDY, huge, huge) == []
        assert storage.changes(huge, huge) == ([], True)
        assert len(storage.changes(0, huge, to=huge)[0]) == 4
        assert storage.exports(huge, huge) == ([], True)
        assert storage.find(FindQuery(Level.STUDY, since=huge, limit=huge)) == []

    def test_long_lists(self, storage: Storage) -> None:
        stored = put(storage, patient="P")
        values = "\\".join(map(str, range(300_000))) + "\\P"
        assert storage.find(FindQuery(Level.STUDY, [Constraint("0010,0020", values)])) == [stored.study]
        assert len(storage.get_many([str(number) for number in range(100_000)])) == 0
        assert storage.changes(types=[ChangeType.NEW_STUDY] * 100_000)[1]

    def test_labels(self, storage: Storage) -> None:
        stored = put(storage)
        for id, label in ((stored.study, "b"), (stored.study, "a"), (stored.study, "a"), (stored.patient, "c")):
            storage.set_label(id, label, True)
        study = storage.get(stored.study)
        assert study is not None
        assert list(study.labels) == ["a", "b"]
        assert storage.all_labels() == ["a", "b", "c"]
        storage.set_label(stored.study, "a", False)
        storage.set_label(stored.study, "never", False)
        assert storage.all_labels() == ["b", "c"]
        assert code_of(storage.set_label, "nope", "a", True) == 17

    def test_protection(self, storage: Storage) -> None:
        stored = put(storage)
        storage.set_protected(stored.patient, True)
        storage.set_protected(stored.patient, True)
        patient = storage.get(stored.patient)
        assert patient is not None
        assert patient.is_protected
        storage.set_protected(stored.patient, False)
        patient = storage.get(stored.patient)
        assert patient is not None
        assert not patient.is_protected
        assert code_of(storage.set_protected, stored.study, True) == 3

    def test_named_metadata_follow_the_configuration(self, folder: StorageFolder) -> None:
        storage = folder.open(user_metadata={"mine": 1024})
        id = put(storage).patient
        storage.set_metadata(id, "mine", "x")
        storage.set_metadata(id, "1024", "y")
        patient = storage.get(id)
        assert patient is not None
        assert patient.metadata["mine"] == "y"
        patient = folder.reopen(user_metadata={"other": 1024}).get(id)
        assert patient is not None
        assert patient.metadata["other"] == "y"
