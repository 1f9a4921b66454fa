"""One instance modified or anonymized at once: modification.md §1 to 4."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom.data
import pytest

from orthanc_lab.dicom.files.data_set import DataSet, Element
from orthanc_lab.dicom.files.read import read_file
from tests.create.creator import Refusal
from tests.modification.collection import INSTANCE, STUDY, file_of, instance, orthanc_id, text
from tests.modification.library import Library

SOP, SERIES_UID, STUDY_UID, PATIENT_ID = 0x00080018, 0x0020000E, 0x0020000D, 0x00100020
NESTED = 0x00081140
ORIGINAL = instance()
RAW = "data:application/octet-stream;base64,"


def changes(data_set: DataSet) -> set[int]:
    return {tag for tag in data_set.keys() | ORIGINAL.keys() if data_set.get(tag) != ORIGINAL.get(tag)}


def modified(library: Library, **body: Any) -> DataSet:
    return library.changed("modify", body)


def anonymized(library: Library, **body: Any) -> DataSet:
    return library.changed("anonymize", body)


def test_nothing_asked_for(library: Library) -> None:
    data_set = modified(library)
    assert changes(data_set) == {SOP}
    assert data_set[SOP].value.startswith(b"2.25.")
    assert len(library.instances()) == 8


@pytest.mark.parametrize(
    ("replaced", "renewed"),
    [
        ("PatientID", {SOP, SERIES_UID, STUDY_UID, PATIENT_ID}),
        ("StudyInstanceUID", {SOP, SERIES_UID, STUDY_UID}),
        ("SeriesInstanceUID", {SOP, SERIES_UID}),
        ("SOPInstanceUID", {SOP}),
    ],
)
def test_the_identifiers_below_a_replaced_one_are_renewed(library: Library, replaced: str, renewed: set[int]) -> None:
    data_set = modified(library, Replace={replaced: "1.99"}, Force=True)
    assert changes(data_set) == renewed
    assert b"1.99" in {data_set[tag].value.rstrip(b"\0") for tag in renewed}


@pytest.mark.parametrize("name", ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize("call", ["modify", "anonymize"])
def test_identifiers_need_force(library: Library, name: str, call: str) -> None:
    path = f"/instances/{INSTANCE}/{call}"
    for field, what in (("Remove", "removed"), ("Replace", "replaced"), ("Keep", "kept")):
        value = {name: "x"} if field == "Replace" else [name]
        message = f'Marking tag "{name}" as to be {what} requires the "Force" option to be set to true'
        assert library.refusal(path, {field: value}) == Refusal(400, 8, message)
    forbidden = Refusal(400, 8, "It is forbidden to remove one of the main Dicom identifiers")
    assert library.refusal(path, {"Remove": [name], "Force": True}) == forbidden


def test_removing_replacing_keeping(library: Library) -> None:
    assert 0x00080060 not in modified(library, Remove=["Modality"])
    assert modified(library, Replace={"PatientName": "é山"})[0x00100010].value == b"\xe9 "
    assert modified(library, Replace={"0008-9999": "z"})[0x00089999] == ("UN", b"z\0")
    assert modified(library, Replace={"PatientName": None})[0x00100010].value == b""
    # Of several rules for a tag, the last one of Remove, Replace and Keep counts.
    assert modified(library, Remove=["PatientName"], Replace={"PatientName": "Q"})[0x00100010].value == b"Q "
    kept = modified(library, Remove=["Modality"], Replace={"PatientName": "Q"}, Keep=["PatientName", "Modality"])
    assert changes(kept) == {SOP}
    assert changes(modified(library, Keep=["SOPInstanceUID"], Force=True)) == set()


def test_rules_of_a_modification_hold_at_the_top_alone(library: Library) -> None:
    data_set = modified(library, Remove=["PatientName", "CodeValue", "0009-1001"], RemovePrivateTags=True)
    assert changes(data_set) == {SOP, 0x00100010, 0x00090010, 0x00091001}


def test_values_of_replacements(library: Library) -> None:
    item = {"CodeValue": "é", "ReferencedSeriesSequence": [{}]}
    sequence = modified(library, Replace={"ReferencedImageSequence": [item]})[NESTED]
    assert sequence == ("SQ", [{0x00080100: ("SH", b"\xe9 "), 0x00081115: ("SQ", [{}])}])
    assert modified(library, Replace={"ReferencedImageSequence": []})[NESTED].value == []
    for decode in (True, False):
        named = modified(library, Replace={"PatientName": RAW + "QUI="}, InterpretBinaryTags=decode)
        assert named[0x00100010].value == b"AB"
    assert modified(library, Replace={"PixelData": RAW + "AAE="})[0x7FE00010] == ("OW", b"\0\1")
    pdf = modified(library, Replace={"EncapsulatedDocument": "data:application/pdf;base64,JVBERi0="})
    assert pdf[0x00420011] == ("OB", b"%PDF-\0")
    assert modified(library, Replace={"PatientName": "x" * 70_000})[0x00100010].vr == "UN"


def test_character_sets(library: Library) -> None:
    both = modified(library, Replace={"SpecificCharacterSet": "ISO_IR 192", "PatientName": "é山"})
    assert both[0x00100010].value == "é山 ".encode()
    for number, (term, written) in enumerate(
        [("\\ISO 2022 IR 87", b"\x1b$B;3\x1b(B"), ("foo", b""), ("ISO_IR 13", b"\x8eR")]
    ):
        stored = library.upload(
            file_of(instance(f"1.5.9.9.{number}", x00080005=text("CS", term), x00100010=text("PN", "A")))
        )
        data_set = library.changed("modify", {"Replace": {"PatientName": "山"}}, stored["ID"])
        assert data_set[0x00100010].value.rstrip() == written


def test_private_tags(library: Library) -> None:
    assert modified(library, Replace={"0405-1001": "z"}, PrivateCreator="My Company")[0x04051001] == ("ST", b"z ")
    assert modified(library, Replace={"0009-1001": "z"})[0x00091001] == ("UN", b"z\0")
    assert 0x00091001 in modified(library, RemovePrivateTags=True, Keep=["0009-1001"])


def test_paths_into_sequences(library: Library) -> None:
    items = modified(library, Remove=["ReferencedImageSequence[0].PatientName"])[NESTED].value
    assert 0x00100010 not in items[0]
    deep = "ReferencedImageSequence[*].ReferencedImageSequence[*].CodeValue"
    items = modified(library, Remove=[deep])[NESTED].value
    assert sorted(items[1][NESTED].value[0]) == [0x00081155]
    items = modified(
        library, Replace={"ReferencedImageSequence[*].PatientName": "Zé", "0008,1140[0].CodeValue": "new"}
    )[NESTED].value
    assert [item[0x00100010].value for item in items] == [b"Z\xe9", b"Z\xe9"]
    assert items[0][0x00080100].value == b"new "
    assert 0x00080100 not in items[1]
    for nowhere in (
        "ReferencedImageSequence[5].PatientName",
        "PatientName[0].PatientID",
        "OtherPatientIDsSequence[0].PatientID",
    ):
        assert changes(modified(library, Replace={nowhere: "x"}, Remove=[nowhere])) == {SOP}


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("foo", Refusal(500, 27, "foo")),
        ("", Refusal(500, 27)),
        ("foo[0].PatientID", Refusal(500, 27, "foo")),
        ("ReferencedImageSequence[0]", Refusal(500, 27, "ReferencedImageSequence[0]")),
        ("ReferencedImageSequence[0].", Refusal(500, 27)),
        ("ReferencedImageSequence.PatientID", Refusal(400, 3, "Parent path doesn't contain an index")),
        (".PatientID", Refusal(400, 3, "Parent path doesn't contain an index")),
        ("ReferencedImageSequence[0]x.PatientID", Refusal(400, 3, "Parent path doesn't contain the end of the index")),
        ("ReferencedImageSequence[x].PatientID", Refusal(400, 3, "Not a valid index in parent path: [x]")),
        ("ReferencedImageSequence[].PatientID", Refusal(400, 3, "Not a valid index in parent path: []")),
        ("ReferencedImageSequence[-1].PatientID", Refusal(400, 3, "Negative index in parent path: -1")),
        ("PatientName[9999999999].PatientID", Refusal(400, 3, "Not a valid index in parent path: [9999999999]")),
    ],
)  # fmt: skip
def test_paths_that_are_none(library: Library, path: str, refusal: Refusal) -> None:
    for body in ({"Replace": {path: "x"}}, {"Remove": [path]}, {"Keep": [path]}):
        assert library.refusal(f"/instances/{INSTANCE}/modify", body) == refusal


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        *((body, Refusal(400, 15)) for body in (b"", b"{", b"[]", b"null", b"5", b'"x"')),
        *(({field: 5}, Refusal(400, 8)) for field in ("Replace", "Remove", "Keep")),
        *(({field: [5]}, Refusal(400, 8)) for field in ("Replace", "Remove", "Keep")),
        *(
            ({field: 1}, Refusal(400, 15, f'Member "{field}" should be a Boolean value'))
            for field in ("Force", "KeepLabels", "RemovePrivateTags")
        ),
        ({"PrivateCreator": 1}, Refusal(400, 15, "String value expected in field: PrivateCreator")),
        ({"Transcode": 5}, Refusal(400, 15, "String value expected in field: Transcode")),
        ({"Transcode": "x"}, Refusal(400, 3, "Unknown transfer syntax: x")),
        ({"Transcode": ""}, Refusal(400, 3, "Unknown transfer syntax: ")),
        (
            {"Transcode": "1.2.840.10008.1.2.4.50", "LossyQuality": "x"},
            Refusal(400, 15, "Integer value expected in field: LossyQuality"),
        ),
        (
            {"Transcode": "1.2.840.10008.1.2.4.50", "LossyQuality": -1},
            Refusal(400, 15, "Unsigned integer value expected in field: LossyQuality"),
        ),
        (
            {"Transcode": "1.2.840.10008.1.2.4.100"},
            Refusal(500, -1, "Cannot transcode to transfer syntax: 1.2.840.10008.1.2.4.100"),
        ),
        ({"Replace": {"PatientName": 5}}, Refusal(400, 5, "Bad Parameter type for tag 0010,0010")),
        (
            {"Replace": {"Rows": "abc"}},
            Refusal(400, 15, 'While creating a DICOM instance, tag (0028,0010) has out-of-range value: "abc"'),
        ),
        ({"Replace": {"PixelData": "x"}}, Refusal(500, -1)),
        *(({"Replace": {"SOPClassUID": value}}, Refusal(400, 5)) for value in (None, 5, [])),
        ({"Replace": {"SOPInstanceUID": None}, "Force": True}, Refusal(400, 5)),
    ],
)
def test_bodies_that_are_refused(library: Library, body: Any, refusal: Refusal) -> None:
    assert library.refusal(f"/instances/{INSTANCE}/modify", body) == refusal


def test_the_class_in_the_meta_header_follows_that_of_the_data_set(library: Library) -> None:
    for body, uid in (
        ({"Remove": ["SOPClassUID"]}, b"1.2.276.0.7230010.3.1.0.1\0"),
        ({"Replace": {"SOPClassUID": ""}}, b""),
    ):
        for call in ("modify", "anonymize"):
            answer = library.post(f"/instances/{INSTANCE}/{call}", body)
            assert read_file(answer.content).meta[0x00020002].value == uid


def test_native_pixels_do_not_pass_for_compressed_ones(library: Library) -> None:
    file = (Path(pydicom.data.__file__).parent / "test_files" / "MR_small_RLE.dcm").read_bytes()
    stored = library.upload(file)
    path, body = f"/instances/{stored['ID']}/modify", {"Replace": {"PixelData": "xx"}}
    answer = library.post(path, body)
    assert (answer.status_code, answer.content) == (400, b"")
    assert library.refusal(f"/series/{stored['ParentSeries']}/modify", body) == Refusal(500, -1)
    answer = library.post(path, body | {"Transcode": "1.2.840.10008.1.2.1"})
    assert read_file(answer.content).data_set[0x7FE00010].value == b"xx"
    assert library.post(f"/instances/{INSTANCE}/modify", {"Replace": {"PixelData": ""}}).status_code == 400


def test_what_belongs_into_no_data_set_is_not_written(library: Library) -> None:
    stray = {f"x{tag:08x}": text("LO", "x") for tag in (0x00000002, 0x00020016, 0x00050011)}
    id = library.upload(file_of(instance("1.5.9.7.1", **stray)))["ID"]
    for call in ("modify", "anonymize"):
        answer = library.post(f"/instances/{id}/{call}", {})
        assert min(read_file(answer.content).data_set) == 0x00080005
    answer = library.session.get(f"{library.url}/instances/{id}/file?transcode=1.2.840.10008.1.2.2", timeout=30)
    assert read_file(answer.content).data_set[PATIENT_ID].value == b"P1"


def test_an_unknown_transfer_syntax_becomes_explicit(library: Library) -> None:
    file = file_of(instance("1.5.9.8.1")).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.9.9\0")
    id = library.upload(file)["ID"]
    for call in ("modify", "anonymize"):
        answer = library.post(f"/instances/{id}/{call}", {})
        assert read_file(answer.content).transfer_syntax == "1.2.840.10008.1.2.1"


def test_what_is_emptied_has_the_vr_of_the_dictionary(library: Library) -> None:
    odd = instance("1.5.9.8.2", x00189074=Element("FL", b"\0\0\0\0"), x00080050=text("LO", "x"))
    data_set = library.changed("anonymize", {}, library.upload(file_of(odd))["ID"])
    assert (data_set[0x00189074], data_set[0x00080050]) == (("DT", b""), ("SH", b""))


def test_group_lengths_are_ignored_and_uids_have_no_blanks(library: Library) -> None:
    for value in (None, 5, [], "x"):
        assert changes(modified(library, Replace={"0008,0000": value})) == {SOP}
    assert modified(library, Replace={"FrameOfReferenceUID": " 1.2\n.3\t\r"})[0x00200052].value == b"1.2.3\0"


def test_the_term_of_a_character_set_is_written_in_the_old_one(library: Library) -> None:
    data_set = modified(library, Replace={"SpecificCharacterSet": "ISO_IR 144éЖ", "PatientName": "éЖ"})
    assert data_set[0x00080005].value == b"ISO_IR 144\xe9 "
    assert modified(library, Replace={"SpecificCharacterSet": "ISO_IR 144Ж"})[0x00080005].value == b"ISO_IR 144"


def test_unknown_instances(library: Library) -> None:
    for id in ("nope", STUDY):
        assert library.refusal(f"/instances/{id}/modify", {}) == Refusal(404, 17)
        assert library.refusal(f"/instances/{id}/anonymize", {}) == Refusal(404, 17)
        assert library.refusal(f"/instances/{id}/modify", []) == Refusal(400, 15)


@pytest.mark.parametrize(
    "file",
    [
        "MR_small_implicit.dcm",
        "MR_small_bigendian.dcm",
        "image_dfl.dcm",
        "MR_small_RLE.dcm",
        "JPEG2000.dcm",
        "CT_small.dcm",
        "rtplan.dcm",
        "test-SR.dcm",
        "waveform_ecg.dcm",
        "SC_rgb_rle_2frame.dcm",
        "examples_overlay.dcm",
        "badVR.dcm",
    ],
)
def test_the_rest_of_a_real_file_stays_as_it_is(library: Library, file: str) -> None:
    original = (Path(pydicom.data.__file__).parent / "test_files" / file).read_bytes()
    id = library.upload(original)["ID"]
    answer = library.post(f"/instances/{id}/modify", {"Replace": {"PatientComments": "x"}})
    assert answer.status_code == 200, answer.text
    before, after = read_file(original), read_file(answer.content)
    assert after.transfer_syntax == before.transfer_syntax
    assert {tag for tag in before.data_set if before.data_set[tag] != after.data_set.get(tag)} <= {SOP, 0x00104000}
    assert after.data_set.keys() == before.data_set.keys() | {0x00104000}
    assert sorted(after.meta) == [0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013]
    assert after.meta[0x00020003].value == after.data_set[SOP].value


def test_transcoding(library: Library) -> None:
    for syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.50"):
        answer = library.post(f"/instances/{INSTANCE}/modify", {"Transcode": syntax})
        assert read_file(answer.content).transfer_syntax == syntax


# -- anonymization ---------------------------------------------------------------------------------


def test_the_basic_profile(library: Library) -> None:
    data_set = anonymized(library)
    assert data_set[0x00120062].value == b"YES "
    assert data_set[0x00120063].value == b"Orthanc 1.12.7 - PS 3.15-2023b Table E.1-1 Basic Profile"
    assert data_set[0x00100010].value.startswith(b"Anonymized")
    assert len(data_set[PATIENT_ID].value) == 36
    for emptied in (0x00080020, 0x00080050, 0x00100030, 0x00100040, 0x00200010):
        assert data_set[emptied].value == b""
    for removed in (0x00081030, 0x0008103E, 0x00090010, 0x00091001):
        assert removed not in data_set
    assert data_set[0x00080060] == ORIGINAL[0x00080060]
    assert data_set[0x00200052].value.startswith(b"2.25.")


def test_what_is_nested_is_anonymized_too_but_for_names(library: Library) -> None:
    data_set = anonymized(library)
    item = data_set[NESTED].value[0]
    assert item[0x00100010].value == b"N^N "
    assert item[PATIENT_ID] == data_set[PATIENT_ID]
    assert item[STUDY_UID] == data_set[STUDY_UID]
    assert item[0x00081155].value.startswith(b"2.25.")
    assert 0x00091001 not in item
    assert data_set[NESTED].value[1][NESTED].value[0][0x00081155].value.startswith(b"2.25.")


@pytest.mark.parametrize(
    "body",
    [{"Keep": ["StudyDate"]}, {"Replace": {"Modality": "CT"}}, {"Remove": ["Modality"]}, {"KeepPrivateTags": True}],
)
def test_what_deviates_from_the_profile_is_not_signed_with_it(library: Library, body: Any) -> None:
    assert library.changed("anonymize", body)[0x00120063].value == b"Orthanc 1.12.7"


def test_exceptions_from_the_profile(library: Library) -> None:
    assert anonymized(library, Keep=["StudyDate"])[0x00080020] == ORIGINAL[0x00080020]
    assert anonymized(library, Keep=["PatientName"])[0x00100010] == ORIGINAL[0x00100010]
    assert anonymized(library, Keep=["ReferencedImageSequence"])[NESTED] == ORIGINAL[NESTED]
    one = anonymized(library, Keep=["ReferencedImageSequence[0].ReferencedSOPInstanceUID"])[NESTED].value
    assert one[0][0x00081155].value == b"1.5.1.1.2\0"
    assert one[1][NESTED].value[0][0x00081155].value.startswith(b"2.25.")
    everywhere = anonymized(library, Keep=["ReferencedSOPInstanceUID"])[NESTED].value
    assert everywhere[1][NESTED].value[0][0x00081155].value == b"1.9\0"
    kept = anonymized(library, Keep=["PatientID"], Force=True)
    assert kept[PATIENT_ID] == ORIGINAL[PATIENT_ID] == kept[NESTED].value[0][PATIENT_ID]
    private = anonymized(library, KeepPrivateTags=True)
    assert private[0x00091001] == ORIGINAL[0x00091001]
    assert 0x00091001 in private[NESTED].value[0]
    assert 0x00120063 not in anonymized(library, Keep=["DeidentificationMethod"])
    assert anonymized(library, Replace={"DeidentificationMethod": "mine"})[0x00120063].value == b"mine"


def test_names_are_counted(library: Library) -> None:
    def number(**body: Any) -> int:
        return int(anonymized(library, **body)[0x00100010].value.rstrip()[len("Anonymized") :])

    first = number()
    anonymized(library, Replace={"PatientName": "X"})
    anonymized(library, Keep=["PatientName"])
    library.refusal(f"/instances/{INSTANCE}/anonymize", {"Force": 1})
    assert number(Replace={"Modality": "CT"}) == first + 1


def test_versions(library: Library) -> None:
    old = anonymized(library, DicomVersion="2008")
    assert old[0x00120063].value == b"Orthanc 1.12.7 - PS 3.15-2008 Table E.1-1 "
    assert old[0x00080020] == ORIGINAL[0x00080020]
    assert 0x00100030 not in old
    path = f"/instances/{INSTANCE}/anonymize"
    for version in ("x", "2023B"):
        message = f"Unknown specific version of the DICOM standard: {version}"
        assert library.refusal(path, {"DicomVersion": version}) == Refusal(400, 3, message)
    assert library.refusal(path, {"DicomVersion": 5}) == Refusal(400, 15)


def test_without_a_patient_identifier(library: Library) -> None:
    id = library.upload(file_of(instance("1.5.8.8.8", x00100020=None)))["ID"]
    assert id == orthanc_id("", "1.5.8", "1.5.8.8", "1.5.8.8.8")
    assert PATIENT_ID not in library.changed("anonymize", {}, id)
