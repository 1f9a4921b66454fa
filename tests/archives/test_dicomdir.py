"""The DICOMDIR, read by pydicom and by dcmtk."""

from __future__ import annotations

import io
import subprocess
import time
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pydicom
import pytest
from pydicom.fileset import FileSet

from orthanc_lab.dicom.media.dicomdir import DicomDirectory
from orthanc_lab.dicom.media.dicomdir_entry import read_entry, read_entry_of_start
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.records import Origin
from tests.archives.directories import records, tree
from tests.archives.files import dicom, member
from tests.archives.house import House
from tests.programs import program

DATA = Path(pydicom.data.__file__).parent
_NAME = "0010,0010"
NOW = datetime(2026, 11, 24, 9, 41, 58)
CHARSET_FILES = [path for path in sorted(DATA.glob("charset_files/*.dcm")) if "SQEncoding" not in path.name]
NO_PLACE_ON_A_MEDIUM = {
    *("ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm", "no_meta.dcm", "rtstruct.dcm"),  # no meta header
    *("MR_truncated.dcm", "SC_rgb_jpeg.dcm", "rtplan_truncated.dcm", "meta_missing_tsyntax.dcm"),  # not whole
    *("UN_sequence.dcm", "nested_priv_SQ.dcm", "priv_SQ.dcm"),  # no SOP class
    *("empty_charset_LEI.dcm", "no_meta_group_length.dcm"),
}
"""Files of pydicom that the real server does not put on a medium either, or does not even store."""


def directory_of(files: Sequence[bytes], *, extended: bool = False) -> bytes:
    directory = DicomDirectory(extended=extended, now=NOW)
    for number, file in enumerate(files):
        directory.add(("IMAGES", f"IM{number}"), read_entry(file))
    return directory.encode("2.25.1")


def test_the_head_of_the_file() -> None:
    data_set = pydicom.dcmread(io.BytesIO(directory_of([dicom()])))
    assert data_set.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.1.3.10"
    assert data_set.file_meta.MediaStorageSOPInstanceUID == "2.25.1"
    assert data_set.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert data_set.FileSetID == "ORTHANC_MEDIA"
    assert data_set.FileSetConsistencyFlag == 0


def test_an_empty_directory() -> None:
    data_set = pydicom.dcmread(io.BytesIO(directory_of([])))
    assert data_set.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity == 0
    assert list(data_set.DirectoryRecordSequence) == []


def test_all_records() -> None:
    extra: dict[int, Any] = {
        0x00080020: ("DA", "20200101"),
        0x00080030: ("TM", "120000"),
        0x00080050: ("SH", "A1"),
        0x00081030: ("LO", "Brain"),
        0x0008103E: ("LO", "T1"),
        0x00200010: ("SH", "S1"),
        0x00200011: ("IS", "7"),
    }
    file = dicom(extra=extra, charset="ISO_IR 100", name=b"M\xfcller^J")
    charset = {"SpecificCharacterSet": "ISO_IR 100"}
    patient = {"DirectoryRecordType": "PATIENT", "PatientName": "Müller^J", "PatientID": "P1"}
    study = {
        "DirectoryRecordType": "STUDY",
        "StudyDate": "20200101",
        "StudyTime": "120000",
        "AccessionNumber": "A1",
        "StudyDescription": "Brain",
        "StudyInstanceUID": "1.1",
        "StudyID": "S1",
    }
    series = {"DirectoryRecordType": "SERIES", "Modality": "CT", "SeriesInstanceUID": "1.1.1", "SeriesNumber": "7"}
    image = {
        "DirectoryRecordType": "IMAGE",
        "ReferencedFileID": "['IMAGES', 'IM0']",
        "ReferencedSOPClassUIDInFile": "1.2.840.10008.5.1.4.1.1.2",
        "ReferencedSOPInstanceUIDInFile": "1.1.1.1",
        "ReferencedTransferSyntaxUIDInFile": "1.2.840.10008.1.2.1",
        "InstanceNumber": "1",
    }
    expected = [{**record, **charset, "RecordInUseFlag": "65535"} for record in (patient, study, series, image)]
    assert records(directory_of([file])) == expected
    expected[2]["SeriesDescription"] = "T1"
    assert records(directory_of([file], extended=True)) == expected


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({}, ("20261124", "094158.000000")),
        ({0x00080021: ("DA", "20210101"), 0x00080031: ("TM", "10")}, ("20210101", "10")),
        ({0x00080022: ("DA", "20210102"), 0x00080023: ("DA", "20210103")}, ("20210102", "094158.000000")),
        ({0x00080020: ("DA", ""), 0x00080021: ("DA", "20210101")}, ("", "094158.000000")),
        ({0x00080033: ("TM", "1012.5")}, ("20261124", "1012.5")),
    ],
)
def test_date_and_time_of_a_study(dates: dict[int, Any], expected: tuple[str, str]) -> None:
    study = records(directory_of([dicom(extra=dates)]))[1]
    assert (study["StudyDate"], study["StudyTime"]) == expected


def test_what_is_missing() -> None:
    patient, study, series, image = records(
        directory_of([dicom(patient="", name=None, modality=None, number=None)], extended=True)
    )
    assert set(patient) == {"RecordInUseFlag", "DirectoryRecordType", "PatientName"}
    assert (patient["PatientName"], series["Modality"], image["InstanceNumber"]) == ("", "", "None")
    assert "StudyID" not in study
    assert not {"SeriesNumber", "SeriesDescription"} & set(series)


def test_the_offsets_lead_to_all_records() -> None:
    files = [
        dicom(f"P{p}", study=f"1.{p}.{s}", series=f"1.{p}.{s}.{r}", sop=f"1.{p}.{s}.{r}.{i}")
        for p in range(3)
        for s in range(2)
        for r in range(2)
        for i in range(3)
    ]
    roots = tree(directory_of(files))
    assert [record.PatientID for record, _ in roots] == ["P0", "P1", "P2"]
    names = [
        image.ReferencedFileID[1]
        for _, studies in roots
        for _, series in studies
        for _, images in series
        for image, _ in images
    ]
    assert names == [f"IM{n}" for n in range(36)]


def test_one_patient_with_two_names_has_one_record() -> None:
    found = records(directory_of([dicom(), dicom(name="Other", study="1.2", series="1.2.1", sop="1.2.1.1")]))
    assert [record["DirectoryRecordType"] for record in found] == [
        *("PATIENT", "STUDY", "SERIES", "IMAGE", "STUDY", "SERIES", "IMAGE")
    ]
    assert found[0]["PatientName"] == "Doe^John"


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(DATA.glob("charset_files/*.dcm")) if "SQEncoding" not in path.name],
    ids=lambda path: path.name,
)
def test_names_keep_their_character_set(path: Path) -> None:
    file = path.read_bytes()
    source = pydicom.dcmread(path)
    patient = pydicom.dcmread(io.BytesIO(directory_of([file]))).DirectoryRecordSequence[0]
    assert str(patient.PatientName) == str(source.get("PatientName", ""))


def test_names_in_many_character_sets_are_read_by_every_tool(tmp_path: Path) -> None:
    sources = [pydicom.dcmread(path) for path in CHARSET_FILES]
    directory = directory_of([path.read_bytes() for path in CHARSET_FILES])
    patients = [record for record, _ in tree(directory)]
    names = {str(source.get("PatientName", "")) for source in sources}
    assert {str(patient.PatientName) for patient in patients} >= names - {"王^小東", ""}
    (tmp_path / "DICOMDIR").write_bytes(directory)
    for command in (["dcmdump"], ["dcmdump", "+U8"], ["dcm2xml"], ["dcm2xml", "+U8"], ["dcm2json"]):
        tool = [program(command[0]), *command[1:], "DICOMDIR"]
        done = subprocess.run(tool, cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, b"E:" in done.stderr, b"F:" in done.stderr) == (0, False, False), done.stderr
    xml = subprocess.run([program("dcm2xml"), "DICOMDIR"], cwd=tmp_path, capture_output=True, check=True).stdout
    found = {element.text for element in ElementTree.fromstring(xml).iter("element") if element.get("tag") == _NAME}
    assert {"Buc^Jérôme", "Люкceмбypг", "Διονυσιος", "やまだ^たろう", "김희중"} <= found


def test_names_in_one_character_set_stay_as_they_are() -> None:
    files = [dicom(charset="ISO_IR 100", name=b"M\xfcller"), dicom("P2", charset="ISO_IR 144", name="Plain")]
    directory = pydicom.dcmread(io.BytesIO(directory_of(files)))
    assert directory.SpecificCharacterSet == "ISO_IR 100"
    assert [record.PatientName for record, _ in tree(directory_of(files))] == ["Müller", "Plain"]
    assert directory.DirectoryRecordSequence[0].SpecificCharacterSet == "ISO_IR 100"


@pytest.mark.parametrize("path", sorted(DATA.glob("test_files/*.dcm")), ids=lambda path: path.name)
def test_real_files_give_what_pydicom_reads(path: Path) -> None:
    data = path.read_bytes()
    if path.name in NO_PLACE_ON_A_MEDIUM:
        with pytest.raises(OrthancError):
            read_entry(data)
        return
    entry = read_entry(data)
    source = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    for tag in (0x00080016, 0x00080018, 0x0020000D, 0x0020000E, 0x00080060, 0x00100020, 0x00080020):
        value = source.get_item(tag)
        raw = b"" if value is None or value.value is None else value.value
        text = raw if isinstance(raw, bytes) else str(raw).encode("ascii")
        assert entry.get(tag) == text.rstrip(b" \0"), hex(tag)
    assert read_entry_of_start(data) in (entry, None)
    usual = entry.transfer_syntax not in (b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99")
    if usual and 0x7FE00010 in pydicom.dcmread(path):
        assert read_entry_of_start(data) == entry, "the header is enough"


@pytest.mark.parametrize("cut", [0, 100, 140, 300])
def test_a_file_that_is_none(cut: int) -> None:
    with pytest.raises(OrthancError) as raised:
        read_entry(dicom()[:cut])
    assert raised.value.code == 15
    assert read_entry_of_start(dicom()[:cut]) is None


@pytest.mark.parametrize("file", [dicom(sop_class=""), dicom()[132:]], ids=["no SOP class", "no meta header"])
def test_a_file_that_has_no_place_on_a_medium(file: bytes) -> None:
    with pytest.raises(OrthancError) as raised:
        read_entry(file)
    assert raised.value.code == 15


def test_the_time_is_linear() -> None:
    entries = [
        read_entry(dicom("P", series=f"1.{n % 8}", sop=f"1.2.{n}", number=str(n), pixels=None)) for n in range(4000)
    ]

    def seconds(count: int) -> float:
        best = 9.0
        for _ in range(3):
            began = time.process_time()
            directory = DicomDirectory(extended=False, now=NOW)
            for number, entry in enumerate(entries[:count]):
                directory.add(("IMAGES", f"IM{number}"), entry)
            directory.encode("2.25.1")
            best = min(best, time.process_time() - began)
        return best

    assert seconds(4000) < 10 * seconds(1000)


# -- whole media -------------------------------------------------------------------


@pytest.fixture
def medium(house: House, tmp_path: Path) -> Path:
    """An unpacked medium with real files of several kinds."""
    names = ["CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm", "rtplan.dcm", "SC_rgb_rle.dcm"]
    for name in names:
        house.storage.store((DATA / "test_files" / name).read_bytes(), Origin())
    folder = tmp_path / "medium"
    patients = ",".join(house.storage.list_ids(Level.PATIENT))
    with zipfile.ZipFile(io.BytesIO(house.get(f"/tools/create-media-extended?resources={patients}").content)) as opened:
        opened.extractall(folder)
    return folder


def test_pydicom_reads_the_file_set(medium: Path) -> None:
    file_set = FileSet(medium / "DICOMDIR")
    images = sorted((medium / "IMAGES").iterdir())
    assert len(file_set) == len(images)
    for instance in file_set:
        source = instance.load()
        assert Path(instance.path).parent == medium / "IMAGES"
        assert source.SOPInstanceUID == instance.ReferencedSOPInstanceUIDInFile
        assert source.file_meta.TransferSyntaxUID == instance.ReferencedTransferSyntaxUIDInFile
    file_set._stage["t"].cleanup()


def test_dcmtk_reads_the_directory(medium: Path) -> None:
    dcmdump = program("dcmdump")
    dump = subprocess.run([dcmdump, medium / "DICOMDIR"], capture_output=True, text=True, check=False)
    assert dump.returncode == 0
    assert "E:" not in dump.stderr
    assert "W:" not in dump.stderr
    assert dump.stdout.count('"Directory Record" IMAGE') == len(list((medium / "IMAGES").iterdir()))


def test_dcmmkdir_goes_on_with_the_directory(medium: Path) -> None:
    """dcmtk's own tool updates our DICOMDIR, so it agrees with every link and every record."""
    dcmmkdir = program("dcmmkdir")
    (medium / "IMAGES" / "NEW").write_bytes(dicom("New", study="77.1", series="77.1.1", sop="77.1.1.1"))
    command = [dcmmkdir, "--append", "--general-purpose", "--invent", "--no-consistency-check", "IMAGES/NEW"]
    done = subprocess.run(command, cwd=medium, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = records((medium / "DICOMDIR").read_bytes())
    assert [record["PatientID"] for record in found if record["DirectoryRecordType"] == "PATIENT"][-1] == "New"


def test_a_lossy_medium_names_the_new_instance(house: House) -> None:
    pixels = bytes(range(256)) * 16
    stored = house.upload(pixels=pixels, size=(64, 64), bits=8)
    result = house.post("/tools/create-media", {"Resources": [stored.patient], "Transcode": "1.2.840.10008.1.2.4.50"})
    image = pydicom.dcmread(io.BytesIO(member(result.content, "IMAGES/IM0")))
    record = records(member(result.content, "DICOMDIR"))[-1]
    assert image.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    assert image.SOPInstanceUID != "1.1.1.1"
    assert record["ReferencedSOPInstanceUIDInFile"] == image.SOPInstanceUID
    assert record["ReferencedTransferSyntaxUIDInFile"] == image.file_meta.TransferSyntaxUID
