"""What every storage must do: a back-end passes by a subclass with a fixture ``storage``."""

from __future__ import annotations

import hashlib
import threading

import pytest

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.identifiers import orthanc_id
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import AttachmentType, Constraint, FindQuery, Origin, Statistics, Stored, StoreStatus
from tests.storage.conftest import ORIGIN
from tests.storage.files import LARGE, dicom

PATIENT, STUDY, SERIES, INSTANCE = LEVELS


def put(storage: Storage, **values: object) -> Stored:
    return storage.store(dicom(**values), ORIGIN)


def code_of(call: object, *arguments: object) -> int:
    with pytest.raises(OrthancError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.code


def changes_of(storage: Storage) -> list[tuple[ChangeType, str]]:
    return [(change.type, change.id) for change in storage.changes(limit=1000)[0]]


class StorageContract:
    """The contract of `orthanc_lab.storage.ports.Storage`."""

    # -- in ------------------------------------------------------------------------

    @pytest.mark.parametrize("pixels", [b"\1\2", LARGE], ids=["small", "large"])
    def test_a_file_comes_out_as_it_went_in(self, storage: Storage, pixels: bytes) -> None:
        file = dicom(pixels=pixels)
        stored = storage.store(file, ORIGIN)
        assert stored.status is StoreStatus.SUCCESS
        assert storage.read_dicom(stored.instance) == file
        header = storage.read_dicom_header(stored.instance)
        assert file.startswith(header)
        assert file[len(header) : len(header) + 4] == b"\xe0\x7f\x10\x00"

    def test_a_file_without_pixel_data_is_its_own_header(self, storage: Storage) -> None:
        file = dicom()
        assert storage.read_dicom_header(storage.store(file, ORIGIN).instance) == file

    def test_identifiers(self, storage: Storage) -> None:
        stored = put(storage, patient="é", study="1.2", series="1.3", instance="1.4")
        assert stored.patient == orthanc_id("é")
        assert stored.study == orthanc_id("é", "1.2")
        assert stored.series == orthanc_id("é", "1.2", "1.3")
        assert stored.instance == orthanc_id("é", "1.2", "1.3", "1.4")

    def test_the_same_instance_again_changes_nothing(self, storage: Storage) -> None:
        first = dicom(instance="1", name="first")
        stored = storage.store(first, ORIGIN)
        before = (storage.statistics(), storage.last_change_number(), storage.get(stored.instance))
        again = put(storage, instance="1", name="second", pixels=LARGE)
        assert again.status is StoreStatus.ALREADY_STORED
        assert again.instance == stored.instance
        assert (storage.statistics(), storage.last_change_number(), storage.get(stored.instance)) == before
        assert storage.read_dicom(stored.instance) == first

    @pytest.mark.parametrize("pixels", [b"\1\2", LARGE], ids=["small", "large"])
    def test_overwriting(self, storage: Storage, pixels: bytes) -> None:
        put(storage, instance="1", name="first", pixels=pixels)
        second = dicom(instance="1", name="second", pixels=pixels)
        stored = storage.store(second, ORIGIN, overwrite=True)
        assert stored.status is StoreStatus.SUCCESS
        assert storage.read_dicom(stored.instance) == second
        patient = storage.get(stored.patient)
        assert patient is not None
        assert patient.tags["0010,0010"] == "second"
        assert storage.statistics().instances == 1
        assert storage.statistics().disk_size == len(second)

    def test_overwriting_one_of_two_leaves_what_is_above(self, storage: Storage) -> None:
        stored = put(storage, instance="1", name="first")
        put(storage, instance="2", name="first")
        storage.set_label(stored.study, "kept", True)
        storage.store(dicom(instance="1", name="second"), ORIGIN, overwrite=True)
        study = storage.get(stored.study)
        assert study is not None
        assert study.labels == ["kept"]
        patient = storage.get(stored.patient)
        assert patient is not None
        assert patient.tags["0010,0010"] == "first"

    @pytest.mark.parametrize(
        ("file", "code"),
        [
            (b"", 15),
            (b"no DICOM at all", 15),
            (dicom()[:-1], 15),
            (dicom() + b"\0", 15),
            (bytes(200), 21),
            (dicom(study=None), 21),
            (dicom(series=None), 21),
            (dicom(instance=None), 21),
            (dicom(study=""), 15),
            (dicom(patient="x" * 300), 5),
            (dicom(study="1." * 150), 5),
        ],
    )
    def test_what_is_no_instance_is_refused(self, storage: Storage, file: bytes, code: int) -> None:
        assert code_of(storage.store, file, ORIGIN) == code
        assert storage.statistics() == Statistics(0, 0, 0, 0, 0, 0)
        assert storage.last_change_number() == 0

    def test_a_missing_patient_id_is_an_empty_one(self, storage: Storage) -> None:
        assert put(storage, patient=None).patient == "da39a3ee-5e6b4b0d-3255bfef-95601890-afd80709"
        assert put(storage, patient="").patient == "da39a3ee-5e6b4b0d-3255bfef-95601890-afd80709"

    def test_metadata_of_an_upload(self, storage: Storage) -> None:
        origin = Origin("RestApi", "10.0.0.1", "", "", "alice")
        stored = storage.store(dicom(number=" 7", pixels=b"\1\2"), origin, metadata={"ModifiedFrom": "x"})
        instance = storage.get(stored.instance)
        assert instance is not None
        offset = instance.metadata["PixelDataOffset"]
        assert storage.read_dicom(stored.instance)[int(offset) :].startswith(b"\xe0\x7f\x10\x00")
        assert dict(instance.metadata) == {
            "Origin": "RestApi",
            "RemoteIP": "10.0.0.1",
            "RemoteAET": "",
            "HttpUsername": "alice",
            "ModifiedFrom": "x",
            "IndexInSeries": "7",
            "ReceptionDate": "20260101T000000",
            "SopClassUid": "1.2.840.10008.5.1.4.1.1.7",
            "TransferSyntax": "1.2.840.10008.1.2.1",
            "PixelDataOffset": offset,
            "MainDicomTagsSignature": (
                "0008,0012;0008,0013;0008,0018;0020,0012;0020,0013;0020,0032;0020,0037;0020,0100;0020,4000;"
                "0028,0008;0054,1330"
            ),
        }
        for id, names in (
            (stored.patient, {"LastUpdate", "MainDicomTagsSignature"}),
            (stored.study, {"LastUpdate", "MainDicomTagsSignature"}),
            (stored.series, {"LastUpdate", "MainDicomTagsSignature", "RemoteAET"}),
        ):
            resource = storage.get(id)
            assert resource is not None
            assert set(resource.metadata) == names
            assert resource.metadata["LastUpdate"] == "20260101T000000"

    def test_an_upload_over_dicom_knows_its_peers(self, storage: Storage) -> None:
        stored = storage.store(dicom(), Origin("DicomProtocol", "10.0.0.1", "SENDER", "CALLED"))
        instance = storage.get(stored.instance)
        assert instance is not None
        assert instance.metadata["RemoteAET"] == "SENDER"
        assert instance.metadata["CalledAET"] == "CALLED"
        assert "HttpUsername" not in instance.metadata

    def test_a_sequence_among_the_main_tags_is_a_metadata(self, storage: Storage) -> None:
        item = b"\xfe\xff\x00\xe0\x0e\x00\x00\x00\x40\x00\x09\x00SH\x06\x00STEP-1"
        series = storage.get(put(storage, request=item).series)
        assert series is not None
        assert "0040,0275" not in series.tags
        assert series.metadata["MainDicomSequences"] == (
            '{"Sequences":{"0040,0275":{"Name":"RequestAttributesSequence","Type":"Sequence","Value":'
            '[{"0040,0009":{"Name":"ScheduledProcedureStepID","Type":"String","Value":"STEP-1"}}]}},"Version":1}'
        )

    def test_all_or_nothing(self, storage: Storage) -> None:
        files = [dicom(pixels=LARGE), dicom(), dicom()]
        stored = storage.store_all([*files, files[0]], ORIGIN)
        assert [one.status.value for one in stored] == ["Success", "Success", "Success", "AlreadyStored"]
        assert [storage.read_dicom(one.instance) for one in stored[:3]] == files
        before = (storage.statistics(), storage.last_change_number())
        more = [dicom(patient="Q", pixels=LARGE), dicom(patient="Q"), b"not DICOM"]
        assert code_of(storage.store_all, more, ORIGIN) == 15
        assert (storage.statistics(), storage.last_change_number()) == before
        assert storage.find_level(orthanc_id("Q")) is None
        kept = storage.store_all(more, ORIGIN, skip_foreign=True)
        assert [one.status.value for one in kept] == ["Success", "Success"]
        assert storage.store_all([], ORIGIN) == []

    def test_concurrent_uploads(self, storage: Storage) -> None:
        files = [
            [dicom(patient=str(n % 3), study=f"9.{n % 3}", series=f"9.{n % 3}.1") for n in range(20)] for _ in "ab"
        ]
        results: list[Stored] = []
        problems: list[BaseException] = []

        def upload(part: list[bytes]) -> None:
            try:
                results.extend(storage.store(file, ORIGIN) for file in part)
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=upload, args=(part,)) for part in files]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems
        assert {one.status for one in results} == {StoreStatus.SUCCESS}
        totals = storage.statistics()
        assert (totals.patients, totals.studies, totals.series, totals.instances) == (3, 3, 3, 40)
        numbers = [change.seq for change in storage.changes(limit=1000)[0]]
        assert numbers == list(range(1, 50))

    # -- look-ups ------------------------------------------------------------------

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
        assert storage.read_attachment(attachment) == content

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

    # -- attachments ---------------------------------------------------------------

    @pytest.mark.parametrize("content", [b"", b"hello", LARGE], ids=["empty", "small", "large"])
    def test_attachments(self, storage: Storage, content: bytes) -> None:
        id = put(storage).patient
        written = storage.put_attachment(id, 1024, content)
        patient = storage.get(id)
        assert patient is not None
        assert patient.attachments == {1024: written}
        assert storage.read_attachment(written) == content
        replaced = storage.put_attachment(id, 1024, content + b"2")
        assert storage.read_attachment(replaced) == content + b"2"
        assert code_of(storage.read_attachment, written) == 13
        assert storage.delete_attachment(id, 1024)
        assert not storage.delete_attachment(id, 1024)
        logged = [type for type, _ in changes_of(storage) if type is ChangeType.UPDATED_ATTACHMENT]
        assert len(logged) == 3
        assert code_of(storage.put_attachment, "nope", 1024, content) == 17

    @pytest.mark.parametrize("content", [b"", b"hello" * 100, LARGE], ids=["empty", "small", "large"])
    def test_compression_of_an_attachment(self, storage: Storage, content: bytes) -> None:
        id = put(storage).study
        plain = storage.put_attachment(id, 1024, content)
        storage.compress_attachment(id, 1024, True)
        study = storage.get(id)
        assert study is not None
        packed = study.attachments[1024]
        assert packed.compressed
        assert (packed.uncompressed_size, packed.uncompressed_md5) == (plain.uncompressed_size, plain.uncompressed_md5)
        assert storage.read_attachment(packed) == content
        raw = storage.read_attachment(packed, raw=True)
        assert packed.compressed_size == len(raw)
        assert packed.compressed_md5 == hashlib.md5(raw).hexdigest()
        assert raw[:8] == (len(content).to_bytes(8, "little") if content else b"")
        storage.compress_attachment(id, 1024, False)
        study = storage.get(id)
        assert study is not None
        assert storage.read_attachment(study.attachments[1024], raw=True) == content
        assert code_of(storage.compress_attachment, id, 1025, True) == 17

    # -- metadata, labels, protection ----------------------------------------------

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

    # -- out -----------------------------------------------------------------------

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

    # -- changes, totals -----------------------------------------------------------

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
