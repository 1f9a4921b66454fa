"""The DICOM JSON model and its XML: pydicom reads the one, the standard library the other."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pydicom
import pytest

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.data_set import Element
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.shown.dicomweb import dicom_json, dicom_xml
from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.errors import ErrorCode
from tests.dicom.build import REAL_FILES, code_of, file_of, us

DEFLATED = "1.2.840.10008.1.2.1.99"
NAMES = ("CT_small.dcm", "rtplan.dcm", "reportsi.dcm", "chrH31.dcm", "MR_small_implicit.dcm")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", [path for path in REAL_FILES if path.name in NAMES], ids=lambda path: path.name)
def test_pydicom_reads_the_same_data_set(path: Path) -> None:
    judge = pydicom.dcmread(path)
    found = pydicom.Dataset.from_json("".join(dicom_json(read_file(path.read_bytes()), Dictionary())))
    for element in judge:
        if element.VR in ("UI", "PN", "US", "FD", "DA", "CS", "SH") and not element.tag.is_private:
            assert str(found[element.tag].value).strip() == str(element.value).strip()
        elif element.VR == "SQ":
            assert len(found[element.tag].value) == len(element.value)


def test_values_of_each_kind() -> None:
    file = read_file(
        file_of(
            {
                0x00080005: ("CS", b"ISO_IR 192"),
                0x00100010: ("PN", "é^x=日".encode()),
                0x00180050: ("DS", b"1.50\\ 2\\x "),
                0x00200013: ("IS", b"3\\\\x "),
                0x00280010: us(5, 6),
                0x00280009: ("AT", b"\x18\x00\x63\x10"),
                0x00420011: ("OB", b"\1\2\3\0"),
                0x00081140: ("SQ", [{0x00081155: Element("UI", b"1.3\0")}]),
                0x00084000: ("LT", b"a<&>\1"),
                0x7FE00010: ("OB", (b"", b"abcd")),
            }
        )
    )
    model = json.loads("".join(dicom_json(file, Dictionary())))
    assert model["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "é^x", "Ideographic": "日"}]}
    assert (model["00180050"]["Value"], model["00200013"]["Value"]) == (["1.50", "2"], [3, None])
    assert (model["00280010"]["Value"], model["00280009"]["Value"]) == ([5, 6], ["00181063"])
    assert model["00420011"] == {"vr": "OB", "InlineBinary": "AQIDAA=="}
    assert model["00081140"]["Value"] == [{"00081155": {"vr": "UI", "Value": ["1.3"]}}]
    assert "7FE00010" not in model
    root = ElementTree.fromstring("".join(dicom_xml(file, Dictionary())))
    attributes = {attribute.get("tag"): attribute for attribute in root}
    assert [value.text for value in attributes["00280010"]] == ["5", "6"]
    assert attributes["00100010"].findtext("{*}PersonName/{*}Alphabetic/{*}FamilyName") == "é"
    assert attributes["00081140"].findtext("{*}Item/{*}DicomAttribute/{*}Value") == "1.3"
    assert attributes["00084000"].findtext("{*}Value") == "a<&>"


@pytest.mark.parametrize(("vr", "values"), [("UT", b"\\" * 400_000), ("OL", bytes(4 * 400_000))])
def test_a_deflated_data_set_of_far_more_values_than_were_sent_is_refused(vr: str, values: bytes) -> None:
    """Shown one by one, each takes a hundred times what it is in the file."""
    file = file_of({0x00081140: ("SQ", [{0x00660129: Element(vr, values)}])}, DEFLATED)
    model = json.loads("".join(dicom_json(read_file(file), Dictionary())))
    assert len(model["00081140"]["Value"][0]["00660129"]["Value"]) >= 400_000
    file = file_of({0x00081140: ("SQ", [{0x00660129: Element(vr, values)}] * 2)}, DEFLATED)
    for show in (dicom_json, dicom_xml):
        assert code_of(lambda show=show: show(read_file(file), Dictionary())) == ErrorCode.BAD_FILE_FORMAT  # type: ignore[misc]


@pytest.mark.parametrize("vr", ["UT", "PN", "DS", "IS", "AT", "FD", "US"])
def test_many_values_are_written_as_few_are(vr: str) -> None:
    """One after the other, so that the whole document is never in memory."""
    texts = {"UT": b"a\xe9\\\\c\\", "PN": b"a^b=c\\\\d\\", "DS": b"1.5\\\\x\\ 2\\", "IS": b"3\\\\x\\4\\"}
    few = texts.get(vr, bytes(range(24)))

    def documents(value: bytes) -> list[str]:
        file = read_file(file_of({}))
        file.data_set[0x00081140] = Element("SQ", [{0x00660129: Element(vr, value)}] * 2)
        return ["".join(show(file, Dictionary())) for show in (dicom_json, dicom_xml)]

    times = 120_000 // len(few)
    long, document = documents(few * times)
    indented = house_json.dumps(json.loads(long), indent="\t") + "\n"
    assert [line.strip() for line in long.splitlines()] == [line.strip() for line in indented.splitlines()]
    models = (json.loads(text) for text in (documents(few)[0], long))
    values, found = (model["00081140"]["Value"][0]["00660129"]["Value"] for model in models)
    assert found[: len(values) - 1] == values[:-1]
    assert len(found) >= times * (len(values) - 1)
    shown = ElementTree.fromstring(document).find("{*}DicomAttribute/{*}Item/{*}DicomAttribute")
    assert shown is not None
    numbers = [int(value.attrib["number"]) for value in shown]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == sum(value != {} for value in found)
