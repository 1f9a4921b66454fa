"""Parents and character sets: create-dicom.md §5 and 6."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom.data
import pytest

import orthanc_lab
from orthanc_lab.dicom.making.inheritance import MODULES
from orthanc_lab.protocol.levels import Level
from tests.create.creator import Creator, Refusal, data_uri, text
from tests.create.pictures import picture

MODEL = {
    "SpecificCharacterSet": "ISO_IR 192",
    "PatientID": "P",
    "PatientName": "Né",
    "PatientSex": "",
    "PatientAge": "010Y",
    "OtherPatientIDsSequence": [{"PatientID": "x"}],
    "StudyID": "S",
    "StudyDescription": "sd",
    "StudyDate": "20200101",
    "InstitutionName": "I",
    "Modality": "CT",
    "SeriesDescription": "d",
    "SeriesNumber": "5",
    "SeriesDate": "20200102",
    "FrameOfReferenceUID": "1.2.9",
}
OF_PATIENT = {0x00100010, 0x00100020, 0x00100040}
OF_STUDY = OF_PATIENT | {0x00080020, 0x00080030, 0x00081030, 0x00200010, 0x0020000D}
OF_SERIES = OF_STUDY | {0x00080021, 0x00080031, 0x00080060, 0x0008103E, 0x00200011, 0x0020000E}


@pytest.fixture
def model(creator: Creator) -> dict[str, str]:
    return creator.answer({"Tags": MODEL})


@pytest.mark.parametrize(
    ("level", "inherited"), [("ParentPatient", OF_PATIENT), ("ParentStudy", OF_STUDY), ("ParentSeries", OF_SERIES)]
)
def test_what_is_inherited(creator: Creator, model: dict[str, str], level: str, inherited: set[int]) -> None:
    source = creator.files(model["Path"])[0].data_set
    made = creator.create({"ImageComments": "é", "SpecificCharacterSet": "ISO_IR 100"}, Parent=model[level])
    same = {tag for tag, element in made.items() if source.get(tag) == element}
    # Dates and times of instance and (for a patient) study and series are new, and may be equal by chance.
    assert same - {0x00080005, *range(0x00080012, 0x00080014), *range(0x00080020, 0x00080034)} == inherited - {
        0x00080020, 0x00080021, 0x00080030, 0x00080031
    }  # fmt: skip
    for tag in inherited:
        assert made[tag] == source[tag]
    assert text(made, 0x00080005) == "ISO_IR 192"
    assert made[0x00204000].value == "é".encode()


def test_the_new_instance_is_below_its_parent(creator: Creator, model: dict[str, str]) -> None:
    for level in ("ParentPatient", "ParentStudy", "ParentSeries"):
        answer = creator.answer({"Tags": {}, "Parent": model[level]})
        assert answer[level] == model[level]
    body = {"Tags": {}, "Content": [data_uri(picture("L"))] * 2, "Parent": model["ParentSeries"]}
    assert creator.answer(body)["ID"] == model["ParentSeries"]


@pytest.mark.parametrize("parent", ["nope", "", None, 5, True])
def test_no_such_parent(creator: Creator, parent: Any) -> None:
    assert creator.refusal({"Tags": {}, "Parent": parent}) == Refusal(400, 2024)


def test_an_instance_is_no_parent(creator: Creator, model: dict[str, str]) -> None:
    assert creator.refusal({"Tags": {}, "Parent": model["ID"]}) == Refusal(400, 2025)


def test_overriding_what_is_inherited(creator: Creator, model: dict[str, str]) -> None:
    parent = model["ParentStudy"]
    assert creator.refusal({"Tags": {"PatientName": "X"}, "Parent": parent}) == Refusal(400, 2020, "PatientName")
    assert creator.refusal({"Tags": {"StudyID": "S"}, "Parent": parent}) == Refusal(400, 2020, "StudyID")
    creator.create({"AccessionNumber": "absent in the parent", "SeriesDescription": "below"}, Parent=parent)
    assert creator.answer({"Tags": {"PatientID": "other"}, "Parent": parent})["ParentPatient"] != model["ParentPatient"]
    forced = creator.create({"PatientName": "X", "PatientID": "Y"}, Parent=parent, Force=True)
    assert text(forced, 0x00100010) == "X"


def test_the_modules() -> None:
    assert not set(MODULES[Level.PATIENT]) & set(MODULES[Level.STUDY])
    assert sum(map(len, MODULES.values())) == len({tag for tags in MODULES.values() for tag in tags}) == 45


CHARSET_FILES = Path(pydicom.data.__file__).parent / "charset_files"


@pytest.mark.parametrize(
    ("file", "charset", "name"),
    [
        ("chrGreek", "ISO_IR 126", "Διονυσιος"),
        ("chrRuss", "ISO_IR 144", "Люкceмбypг"),
        ("chrX1", "ISO_IR 192", "Wang^XiaoDong=王^小東="),
        ("chrX2", "GB18030", "Wang^XiaoDong=王^小东="),
        ("chrH31", "ISO_IR 100", "Yamada^Tarou=^=^"),  # several terms: the real server falls back to Latin1 too
    ],
)
def test_the_character_set_of_the_parent_holds(creator: Creator, file: str, charset: str, name: str) -> None:
    upload = (CHARSET_FILES / f"{file}.dcm").read_bytes()
    parent = creator.session.post(f"{creator.url}/instances", data=upload).json()["ParentPatient"]
    id = creator.answer({"Tags": {}, "Parent": parent})["ID"]
    tags = creator.session.get(f"{creator.url}/instances/{id}/simplified-tags").json()
    assert tags["SpecificCharacterSet"] == charset
    assert tags["PatientName"] == name


NAME = "aé山田яアüα한şא€ก、"


@pytest.mark.parametrize(
    ("asked", "term", "value"),
    [
        ("ISO_IR 192", "ISO_IR 192", NAME.encode()),
        ("ISO_IR 100", "ISO_IR 100", b"a\xe9\xfc"),
        ("iso_ir 100", "ISO_IR 100", b"a\xe9\xfc"),
        (" ISO_IR 100 ", "ISO_IR 100", b"a\xe9\xfc"),
        ("ISO 2022 IR 100", "ISO_IR 100", b"a\xe9\xfc"),
        ("ISO_IR 6", "ISO_IR 6", b"a"),
        ("ISO_IR 101", "ISO_IR 101", b"a\xe9\xfc\xba"),
        ("ISO_IR 109", "ISO_IR 109", b"a\xe9\xfc\xba"),
        ("ISO_IR 110", "ISO_IR 110", b"a\xe9\xfc"),
        ("ISO_IR 144", "ISO_IR 144", b"a\xef"),
        ("ISO_IR 127", "ISO_IR 127", b"a"),
        ("ISO_IR 126", "ISO_IR 126", b"a\xe1\xa4"),
        ("ISO_IR 138", "ISO_IR 138", b"a\xe0"),
        ("ISO_IR 148", "ISO_IR 148", b"a\xe9\xfc\xfe"),
        ("ISO_IR 166", "ISO_IR 166", b"a\xa1"),
        ("ISO_IR 13", "ISO_IR 13", b"a\x8eR\x93c\x84\x91\x83A\x83\xbf\x81A"),
        ("GBK", "GB18030", NAME.encode("gb18030")),
        ("ISO 2022 IR 149", "ISO 2022 IR 149", b"a\xdf\xa3\xef\xa3\xac\xf1\xab\xa2\xa5\xe1\xc7\xd1\xa2\xe6\xa1\xa2"),
        ("ISO 2022 IR 58", "ISO 2022 IR 58", b"a\xa8\xa6\xc9\xbd\xcc\xef\xa7\xf1\xa5\xa2\xa8\xb9\xa6\xc1\xa1\xa2"),
        (
            "ISO 2022 IR 87",
            "ISO 2022 IR 87",
            b'a\x1b$(D+1\x1b$B;3ED\'q%"\x1b$(D+d\x1b$B&A\x1b$(D+_\x1b$B!"\x1b(B',
        ),
    ],
)
def test_character_sets(creator: Creator, asked: str, term: str, value: bytes) -> None:
    data_set = creator.create({"SpecificCharacterSet": asked, "PatientName": NAME})
    assert text(data_set, 0x00080005) == term
    assert data_set[0x00100010].value.rstrip() == value


@pytest.mark.parametrize("term", ["", "X", "utf-8", "\\ISO 2022 IR 87", "ISO_IR 100\\ISO_IR 100", "ISO 2022 IR 192"])
def test_unknown_character_sets(creator: Creator, term: str) -> None:
    refusal = Refusal(400, 3, f"Unknown specific character set: {term}")
    assert creator.refusal({"Tags": {"SpecificCharacterSet": term}}) == refusal


@pytest.mark.parametrize("value", [None, 5, []])
def test_a_character_set_of_another_type(creator: Creator, value: Any) -> None:
    assert creator.refusal({"Tags": {"SpecificCharacterSet": value}}).code == -1


def test_the_character_set_is_known_by_its_keyword_alone(creator: Creator) -> None:
    data_set = creator.create({"0008,0005": "ISO_IR 192", "PatientName": "é"})
    assert text(data_set, 0x00080005) == "ISO_IR 100"


@pytest.mark.parametrize(
    ("name", "term"), [("Utf8", "ISO_IR 192"), ("Greek", "ISO_IR 126"), ("Cyrillic", "ISO_IR 144")]
)
def test_the_default_encoding(name: str, term: str) -> None:
    with orthanc_lab.in_process(DefaultEncoding=name) as server:
        assert text(Creator(server.session, server.url).create(), 0x00080005) == term


def test_a_default_encoding_that_dicom_has_no_term_for() -> None:
    with orthanc_lab.in_process(DefaultEncoding="Windows1251") as server:
        creator = Creator(server.session, server.url)
        data_set = creator.create({"PatientName": "Люк"})
        assert 0x00080005 not in data_set
        assert data_set[0x00100010].value.rstrip() == "Люк".encode("cp1251")
        data_set = creator.create({"SpecificCharacterSet": "ISO_IR 144", "PatientName": "Люк"})
        assert data_set[0x00100010].value.rstrip() == "Люк".encode("iso8859-5")
