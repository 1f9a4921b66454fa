"""Tags as rows, on what both servers answer."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from orthanc_lab.widgets.browser.tag_rows import matching, tag_rows
from orthanc_lab.widgets.elements.tag_table import TagTable


def data_set():
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    made.SOPInstanceUID, made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3.4.1", "1.2.3", "1.2.3.4"
    made.PatientID, made.PatientName, made.Modality = "P", "Doe^<b>John</b>", "CT"
    made.ImageComments = "long " * 400
    made.DerivationDescription = "d" * 200
    item = Dataset()
    item.CodeValue, item.CodeMeaning = "T-1", "Brain"
    item.add_new(0x00090010, "LO", "INNER")
    item.add_new(0x00091010, "LO", "within")
    made.AnatomicRegionSequence = [item, Dataset()]
    made.add_new(0x00110010, "LO", "ACME 1.1")
    made.add_new(0x00111001, "LO", "secret")
    made.add_new(0x00111002, "OB", b"\0\1\2\3")
    return made


@pytest.fixture
def rows(client):
    client.upload(data_set())
    instance = next(iter(client.instances))
    return tag_rows(client.transport.get(f"{instance.path}/tags"))


def by_path(rows):
    return {row.path: row for row in rows}


def test_names_numbers_and_vrs(rows):
    row = by_path(rows)["0010,0010"]
    assert (row.name, row.tag, row.vr, row.value) == ("PatientName", "0010,0010", "PN", "Doe^<b>John</b>")


def test_sequences_and_their_items(rows):
    known = by_path(rows)
    sequence = known["0008,2218"]
    assert (sequence.vr, sequence.value, sequence.has_children, sequence.depth) == ("SQ", "2 items", True, 0)
    assert (known["0008,2218/0"].name, known["0008,2218/0"].parent, known["0008,2218/1"].has_children) == (
        "Item 1",
        "0008,2218",
        False,
    )
    inner = known["0008,2218/0/0008,0104"]
    assert (inner.value, inner.depth, inner.parent) == ("Brain", 2, "0008,2218/0")


def test_private_tags_have_their_creator(rows):
    known = by_path(rows)
    assert (known["0011,0010"].name, known["0011,0010"].vr) == ("PrivateCreator", "LO")
    assert (known["0011,1001"].name, known["0011,1001"].value) == ("[ACME 1.1]", "secret")
    assert known["0011,1002"].value == "(binary)"
    assert known["0008,2218/0/0009,1010"].name == "[INNER]"


def test_long_values_are_shortened(rows):
    known = by_path(rows)
    assert len(known["0008,2111"].plain()["value"]) == 120
    assert known["0008,2111"].is_long
    assert known["0020,4000"].is_away
    assert not known["0010,0010"].is_long


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("patientname", ["0010,0010"]),
        ("JOHN doe", ["0010,0010"]),
        ("0010,0010", ["0010,0010"]),
        ("00100010", ["0010,0010"]),
        ("brain", ["0008,2218", "0008,2218/0", "0008,2218/0/0008,0104"]),
        ("acme secret", ["0011,1001"]),
        ("no such words", []),
    ],
)
def test_search(rows, words, paths):
    assert [row.path for row in matching(rows, words)] == paths


def test_of_very_many_only_the_first_are_drawn():
    item = {"0008,0104": {"Name": "CodeMeaning", "Type": "String", "Value": "x"}}
    many = tag_rows(
        {"5200,9230": {"Name": "PerFrameFunctionalGroupsSequence", "Type": "Sequence", "Value": [item] * 1500}}
    )
    table = TagTable(lambda row: row.value)
    table.show(many)
    assert (len(table.rows), table.note) == (2000, "… and 1,001 more; use the search to find them")
    table.show(many[:10])
    assert (len(table.rows), table.note) == (10, "")
