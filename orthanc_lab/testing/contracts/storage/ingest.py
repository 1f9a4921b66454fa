"""What must be true of uploads, on any back end."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from orthanc_lab.protocol.identifiers import orthanc_id
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import (
    AttachmentType,
    NewInstance,
    Origin,
    Statistics,
    Stored,
    StoreStatus,
)
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, StorageFolder, code_of, put

__all__ = ["IngestContract"]


class IngestContract:
    """Uploads."""

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

    def test_storage_compression(self, folder: StorageFolder) -> None:
        storage = folder.open(storage_compression=True)
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
        assert folder.reopen().read_dicom(stored.instance) == file

    def test_without_md5(self, folder: StorageFolder) -> None:
        storage = folder.open(store_md5=False)
        resource = storage.get(put(storage, pixels=LARGE).instance)
        assert resource is not None
        assert resource.attachments[1].uncompressed_md5 == resource.attachments[1].compressed_md5 == ""

    def test_extra_main_dicom_tags(self, folder: StorageFolder) -> None:
        storage = folder.open(extra_main_dicom_tags={Level.SERIES: ["0010,0010"]})
        stored = put(storage, name="Doe")
        series = storage.get(stored.series)
        assert series is not None
        assert series.tags["0010,0010"] == "Doe"
        assert "0010,0010" in storage.indexed_tags(Level.SERIES)
        assert "0010,0010" in series.metadata["MainDicomTagsSignature"].split(";")

    @pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
    @pytest.mark.parametrize("pixels", [b"\1\2", LARGE], ids=["small", "large"])
    def test_a_part_of_a_file(self, folder: StorageFolder, pixels: bytes, compressed: bool) -> None:
        storage = folder.open(storage_compression=compressed)
        file = dicom(pixels=pixels)
        id = storage.store(file, ORIGIN).instance
        end = len(file)
        for offset, size in ((0, 10), (150, 100), (end - 5, 100), (end, 1), (end + 9, 1), (0, end)):
            assert storage.read_dicom_part(id, offset, size) == file[offset : offset + size]
        assert code_of(storage.read_dicom_part, "nope", 0, 1) == 17

    def test_files_made_of_others_are_stored_as_one(self, storage: Storage) -> None:
        made = [NewInstance(dicom(instance=number), {"ModifiedFrom": f"from {number}"}) for number in "123"]
        stored = storage.store_made(made, ORIGIN)
        assert [one.status for one in stored] == [StoreStatus.SUCCESS] * 3
        found = [one.metadata["ModifiedFrom"] for one in storage.get_many([one.instance for one in stored])]
        assert found == ["from 1", "from 2", "from 3"]
        assert code_of(storage.store_made, [NewInstance(dicom(instance="4")), NewInstance(b"no")], ORIGIN) == 15
        assert len(storage.list_ids(Level.INSTANCE)) == 3
        assert storage.store_made([], ORIGIN) == []

    def test_files_that_come_together_are_stored_each_for_itself(self, storage: Storage) -> None:
        one, two, large = (dicom(instance="1"), dicom(instance="2", name="Doe"), dicom(instance="3", pixels=LARGE))
        put(storage, instance="4")
        files = [one, b"no DICOM", two, large, one, dicom(instance="4"), dicom(instance=None)]
        outcomes = storage.store_each([(file, Origin("RestApi", f"host {n}")) for n, file in enumerate(files)])
        found = [one.status.value if isinstance(one, Stored) else getattr(one, "code", one) for one in outcomes]
        assert found == ["Success", 15, "Success", "Success", "AlreadyStored", "AlreadyStored", 21]
        assert len(storage.list_ids(Level.INSTANCE)) == 4
        for number, file in ((0, one), (2, two), (3, large)):
            outcome = outcomes[number]
            assert isinstance(outcome, Stored)
            assert storage.read_dicom(outcome.instance) == file
            resource = storage.get(outcome.instance)
            assert resource is not None
            assert resource.metadata["RemoteIP"] == f"host {number}"
        assert isinstance(outcomes[0], Stored)
        assert outcomes[4] == replace(outcomes[0], status=StoreStatus.ALREADY_STORED)
        assert storage.store_each([]) == []

    def test_they_may_replace_each_other(self, folder: StorageFolder) -> None:
        storage = folder.open(overwrite_instances=True)
        files = [dicom(instance="1", name=name) for name in "abc"]
        outcomes = storage.store_each([(file, ORIGIN) for file in files])
        assert [one.status.value for one in outcomes if isinstance(one, Stored)] == ["Success"] * 3
        assert [storage.read_dicom(id) for id in storage.list_ids(Level.INSTANCE)] == files[2:]

    @pytest.mark.parametrize("keep", [True, False])
    def test_labels_of_what_is_replaced(self, folder: StorageFolder, keep: bool) -> None:
        storage = folder.open(overwrite_instances=True)
        stored = storage.store(dicom(instance="1", name="a"), ORIGIN)
        ids = (stored.patient, stored.study, stored.series, stored.instance)
        for id in ids:
            storage.set_label(id, "mine", True)
        storage.store_made([NewInstance(dicom(instance="1", name="b"))], ORIGIN, keep_labels=keep)
        assert [list(one.labels) for one in storage.get_many(ids)] == [["mine"] if keep else []] * 4

    def test_overwrite_instances_is_an_option(self, folder: StorageFolder) -> None:
        storage = folder.open(overwrite_instances=True)
        put(storage, instance="1", name="a")
        assert put(storage, instance="1", name="b").status.value == "Success"
        assert storage.store(dicom(instance="1", name="c"), ORIGIN, overwrite=False).status.value == "AlreadyStored"
