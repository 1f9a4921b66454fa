"""What must be true of look-ups, on any back end."""

from __future__ import annotations

import hashlib

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import (
    AttachmentType,
)
from orthanc_lab.testing.contracts.storage.folder import code_of, put

__all__ = ["ResourcesContract"]


class ResourcesContract:
    """Look-ups of resources."""

    def test_a_resource(self, storage: Storage) -> None:
        first = put(storage, name="Doe^John", description="Head", modality="CT", number="1")
        second = put(storage, name="other", description="other", modality="MR", number="2")
        patient, study, series, instance = storage.get_many([first.patient, first.study, first.series, first.instance])
        assert [one.level for one in (patient, study, series, instance)] == list(LEVELS)
        assert [one.parent for one in (patient, study, series, instance)] == [
            None,
            first.patient,
            first.study,
            first.series,
        ]
        assert dict(patient.tags) == {"0010,0010": "Doe^John", "0010,0020": "P"}
        # A study keeps the tags of the patient as they stood in its first file.
        assert dict(study.tags) == {**patient.tags, "0008,1030": "Head", "0020,000d": "1.2"}
        assert dict(series.tags) == {"0008,0060": "CT", "0020,000e": "1.2.3"}
        assert instance.tags["0020,0013"] == "1"
        assert list(patient.children) == [first.study]
        assert list(series.children) == sorted([first.instance, second.instance])
        assert list(instance.children) == []
        assert patient.attachments == {}
        attachment = instance.attachments[AttachmentType.DICOM]
        content = storage.read_dicom(first.instance)
        assert attachment.uncompressed_size == attachment.compressed_size == len(content)
        assert attachment.uncompressed_md5 == hashlib.md5(content).hexdigest()
        assert storage.read_attachment(attachment, of=first.instance) == content

    def test_files_of_many_instances(self, storage: Storage) -> None:
        first, second = put(storage, instance="1.2.3.4"), put(storage, instance="1.2.3.5")
        files = storage.dicom_files([second.instance, "nope", first.instance, first.patient, first.instance])
        assert files == {
            one.id: one.attachments[AttachmentType.DICOM] for one in storage.list_resources(Level.INSTANCE)
        }
        assert storage.dicom_files([]) == {}

        def read() -> bytes:
            return storage.read_dicom(first.instance, keep=False, known=files[first.instance])

        content = storage.read_dicom(first.instance, keep=False)
        assert read() == content
        storage.delete(first.instance)
        assert code_of(read) == 13
        put(storage, instance="1.2.3.4")
        assert read() == content

    def test_a_family_is_all_above_and_below(self, storage: Storage) -> None:
        stored = put(storage)
        everybody = [stored.patient, stored.study, stored.series, stored.instance]
        storage.set_label(stored.study, "b", True)
        storage.set_label(stored.study, "a", True)
        for root in everybody:
            found = storage.family([root, "nope"])
            assert sorted(one.id for one in found) == sorted(everybody)
            assert [storage.get(one.id) for one in found] == found
            assert storage.get_many([one.id for one in found]) == found
        assert len(storage.family(everybody)) == 4
        assert storage.family([]) == storage.family(["nope"]) == []

    def test_unknown_and_wrong_levels(self, storage: Storage) -> None:
        stored = put(storage)
        assert storage.get("nope") is None
        assert storage.find_level("nope") is None
        assert storage.get(stored.study, Level.SERIES) is None
        assert storage.get(stored.study, Level.STUDY) is not None
        assert [one.id for one in storage.get_many(["nope", stored.series, stored.patient, stored.series])] == [
            stored.series,
            stored.patient,
            stored.series,
        ]
        assert storage.get_many([]) == []
        assert storage.descendants("nope", Level.INSTANCE) == []
        assert storage.ancestor("nope", Level.PATIENT) is None
        assert code_of(storage.read_dicom, "nope") == 17
        assert code_of(storage.read_dicom, stored.series) == 17
        assert code_of(storage.read_dicom_header, "nope") == 17
        assert code_of(storage.resource_statistics, "nope") == 17

    def test_lists_are_sorted_by_identifier(self, storage: Storage) -> None:
        stored = [put(storage, patient=str(n), study=f"7.{n}", series=f"7.{n}.1") for n in range(7)]
        for level, name in zip(LEVELS, ("patient", "study", "series", "instance"), strict=True):
            ids = sorted(getattr(one, name) for one in stored)
            assert storage.list_ids(level) == ids
            assert storage.list_ids(level, 2, 3) == ids[2:5]
            assert storage.list_ids(level, 5, 0) == ids[5:]
            assert storage.list_ids(level, 9, 3) == []
            assert [one.id for one in storage.list_resources(level, 1, 2)] == ids[1:3]

    def test_kin(self, storage: Storage) -> None:
        stored = [put(storage, study=f"7.{n % 2}", series=f"7.{n % 2}.{n}") for n in range(5)]
        instances = sorted(one.instance for one in stored)
        assert storage.descendants(stored[0].patient, Level.INSTANCE) == instances
        assert storage.descendants(stored[0].study, Level.SERIES) == sorted(
            {one.series for one in stored if one.study == stored[0].study}
        )
        assert storage.descendants(stored[0].series, Level.SERIES) == [stored[0].series]
        assert storage.descendants(stored[0].series, Level.STUDY) == []
        for level, name in zip(LEVELS, ("patient", "study", "series", "instance"), strict=True):
            assert storage.ancestor(stored[1].instance, level) == getattr(stored[1], name)
        assert storage.ancestor(stored[1].patient, Level.STUDY) is None

    def test_a_study_keeps_the_patient_of_its_first_file(self, storage: Storage) -> None:
        put(storage, name="first", study="1.5", series="1.6")
        later = storage.get(put(storage, name="second", study="1.7", series="1.8").study)
        assert later is not None
        assert later.tags["0010,0010"] == "second"

    def test_lookup_of_identifiers(self, storage: Storage) -> None:
        stored = put(storage, patient="Müller", study="5.1", series="5.2", instance="5.3", accession="ACC")
        assert storage.lookup_identifier("5.1") == [(Level.STUDY, stored.study)]
        assert storage.lookup_identifier("5.2") == [(Level.SERIES, stored.series)]
        assert storage.lookup_identifier("5.3") == [(Level.INSTANCE, stored.instance)]
        assert storage.lookup_identifier(" MÜLLER") == [(Level.PATIENT, stored.patient)]
        assert storage.lookup_identifier("ACC") == []
        assert storage.lookup_identifier("5.*") == []
