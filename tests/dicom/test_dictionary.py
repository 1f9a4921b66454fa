"""The dictionary: names and tags both ways, private blocks, the option of the configuration."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary  # type: ignore[attr-defined] # pydicom does not list it as public

from orthanc_lab.dicom.dictionary.dictionary import UNKNOWN_NAME, Dictionary, format_tag
from orthanc_lab.protocol.errors import OrthancError
from tests.dicom.build import code_of

PLAIN = Dictionary()
OWN = Dictionary(
    {
        "0405,0010": ["LO", "PrivateCreatorForMyCompany", 1, 1, "My Company"],
        "0405,1001": ["ST", "MyPrivateXMLTag", 1, 1, "My Company"],
        "0010-9999": ["DA", "OurPublicTag", 1],
    },
    "My Company",
)


@pytest.mark.parametrize("name", ["PatientID", "0010-0020", "0010,0020", "00100020", "10,20", "0010,0020x"])
def test_every_form_of_a_name_is_read(name: str) -> None:
    assert PLAIN.parse_tag(name) == 0x00100020


@pytest.mark.parametrize(
    "name", ["patientid", "Patient ID", "(0010,0020)", "0010-20", "PatientsName", "", "0010-0020[0]"]
)
def test_other_texts_are_refused_with_the_name(name: str) -> None:
    with pytest.raises(OrthancError) as refused:
        PLAIN.parse_tag(name)
    assert (refused.value.code, refused.value.details) == (27, name)


def test_names_of_current_tags_are_the_keywords_of_the_standard() -> None:
    current = {tag: entry[4] for tag, entry in DicomDictionary.items() if not entry[3] and entry[4]}
    other = {tag: PLAIN.name_of(tag) for tag, name in current.items() if PLAIN.name_of(tag) != name}
    newer = [tag for tag, name in other.items() if name == UNKNOWN_NAME]
    assert len(newer) < 100  # than the edition that Orthanc has
    assert {name for name in other.values() if name != UNKNOWN_NAME} == {
        "SummarizedFilterLookupTableSequence",
        "AnalogFilterTypeCodeSequence",
    }


@pytest.mark.parametrize(
    ("tag", "creator", "name", "vr"),
    [
        (0x00080010, None, "RETIRED_RecognitionCode", "SH"),
        (0x60200010, None, "OverlayRows", "US"),
        (0x00203102, None, "RETIRED_SourceImageIDs", "CS"),
        (0x00203101, None, UNKNOWN_NAME, "UN"),
        (0x00100000, None, "GenericGroupLength", "UL"),
        (0x00290010, None, "PrivateCreator", "LO"),
        (0x00290000, None, "PrivateGroupLength", "UL"),
        (0x00070011, None, "IllegalPrivateCreator", "LO"),
        (0x00030000, None, "IllegalGroupLength", "UL"),
        (0x00291040, "SIEMENS MEDCOM HEADER", "ApplicationHeaderSequence", "SQ"),
        (0x00292340, "SIEMENS MEDCOM HEADER", "ApplicationHeaderSequence", "SQ"),
        (0x00251010, "CMR42 CIRCLECVI", "WorkspaceID", "LO"),
        (0x00251110, "CMR42 CIRCLECVI", UNKNOWN_NAME, "UN"),
        (0x70051104, "DLX_ANNOT_01", "TextAnnotation", "ST"),
        (0x00291040, "Somebody", UNKNOWN_NAME, "UN"),
        (0x00189999, None, UNKNOWN_NAME, "UN"),
    ],
)
def test_names_and_vrs(tag: int, creator: str | None, name: str, vr: str) -> None:
    assert (PLAIN.name_of(tag, creator), PLAIN.vr_of(tag, creator)) == (name, vr)


def test_the_option_adds_tags() -> None:
    assert OWN.parse_tag("MyPrivateXMLTag") == 0x04051001
    assert (OWN.vr_of(0x04051001), OWN.vr_of(0x04051001, "Other")) == ("ST", "UN")
    assert OWN.name_of(0x04050010, "My Company") == "PrivateCreatorForMyCompany"
    assert OWN.name_of(OWN.parse_tag("OurPublicTag")) == "OurPublicTag"


@pytest.mark.parametrize("entry", [["LO", "A", 1], ["LO", "A", 1, 0], ["LO", "A", 1, 1], ["LO", "", 1, 1, "C"]])
def test_entries_that_start(entry: list[Any]) -> None:
    assert Dictionary({"0405,1001": entry}).name_of(0x04051001, entry[4] if len(entry) > 4 else "") == entry[1]


@pytest.mark.parametrize("option", [None, {}, [1], "text", 5])
def test_an_option_that_is_no_object_has_no_entries(option: Any) -> None:
    assert Dictionary(option).vr_of(0x04051001, "C") == "UN"


@pytest.mark.parametrize(
    ("key", "entry", "code", "details"),
    [
        ("0405,1001", ["LO", "A"], 3, ""),
        ("0405,1001", ["LO"], 15, "The definition of the '0405,1001' dictionary entry is invalid."),
        ("0405,1001", ["LO", "A", 1, 1, "C", "D"], 15, None),
        ("0405,1001", ["LO", "A", "1", "1", "C"], 15, None),
        ("0405,1001", ["LO", "A", 1.0, 1, "C"], 15, None),
        ("0405,1001", ["LO", "A", True, 1, "C"], 15, None),
        ("0405,1001", {"a": 1}, 15, None),
        ("0405,1001", None, 15, None),
        ("0405,1001", ["XX", "A", 1, 1, "C"], 3, "Unsupported value representation encountered: XX"),
        ("0405,1001", ["lo", "A", 1, 1, "C"], 3, "Unsupported value representation encountered: lo"),
        ("0405,1001", ["UC", "A", 1, 1, "C"], 3, ""),
        ("0405,1001", ["LO", "A", 2, 1, "C"], 3, ""),
        ("0405,1001", ["LO", "A", 0, 1, "C"], 3, ""),
        ("0405,1001", ["LO", "A", -1, 1, "C"], -1, "LargestInt out of UInt range"),
        ("foo", ["LO", "A", 1, 1, "C"], 27, "foo"),
        ("0010,0010", ["PN", "PatientName", 1, 1], 2042, None),
        ("0014,1020", ["DA", "ValidationExpiryDate", 1, 1], 2042, None),
        ("6000,0010", ["US", "Foo", 1, 1], 2042, None),
        ("0405,0010", ["LO", "Foo", 1, 1], 2042, None),
        ("0010,9999", ["DA", "Foo", 1, 1, "C"], 3, None),
        ("0007,1001", ["LO", "Foo", 1, 1, "C"], 3, None),
    ],
)
def test_entries_that_refuse_the_start(key: str, entry: Any, code: int, details: str | None) -> None:
    with pytest.raises(OrthancError) as refused:
        Dictionary({key: entry})
    assert refused.value.code == code
    assert details is None or refused.value.details == details


def test_one_tag_of_one_creator_is_registered_once() -> None:
    with pytest.raises(OrthancError) as refused:
        Dictionary({"0405,1001": ["LO", "A", 1, 1, "C"], "0405-1001": ["ST", "B", 1, 1, "C"]})
    assert refused.value.details == 'Cannot register twice the tag (0405,1001), whose symbolic name is "B"'
    Dictionary({"0405,1001": ["LO", "A", 1, 1, "C"], "0405-1001": ["ST", "B", 1, 1, "D"]})


@given(st.integers(0, 0xFFFFFFFF))
def test_a_tag_is_read_back_from_its_text(tag: int) -> None:
    assert PLAIN.parse_tag(format_tag(tag)) == tag


@given(st.text(max_size=30))
def test_any_name_gives_a_tag_or_code_27(name: str) -> None:
    assert code_of(lambda: PLAIN.parse_tag(name)) in (None, 27)


def test_the_dictionary_needs_no_pydicom() -> None:
    script = (
        "import sys, orthanc_lab.dicom.shown.tags_json\n"
        "sys.exit(any(m in sys.modules for m in ('pydicom', 'numpy', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
