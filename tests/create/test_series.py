"""Arrays of contents: create-dicom.md §8."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from orthanc_lab.dicom.files.data_set import DataSet
from tests.create.creator import Creator, Refusal, data_uri, text
from tests.create.pictures import picture

GRAY = data_uri(picture("L"))
COLOUR = data_uri(picture("RGB"))
PDF = data_uri(b"%PDF-", "application/pdf")


def series(creator: Creator, tags: dict[str, Any], *contents: Any, **fields: Any) -> list[DataSet]:
    answer = creator.answer({"Tags": tags, "Content": list(contents), **fields})
    assert sorted(answer) == ["ID", "Path", "Status"]
    assert answer["Path"] == f"/series/{answer['ID']}"
    return [file.data_set for file in creator.files(answer["Path"])]


def test_one_series(creator: Creator) -> None:
    made = series(creator, {"PatientName": "A", "InstanceNumber": "9"}, GRAY, COLOUR, PDF)
    assert [text(data_set, 0x00200013) for data_set in made] == ["1", "2", "3"]
    assert [data_set[0x00541330].value for data_set in made] == [struct.pack("<H", number) for number in (1, 2, 3)]
    assert {text(data_set, 0x00201002) for data_set in made} == {"3"}
    assert {text(data_set, 0x00200105) for data_set in made} == {"1"}
    for tag in (0x00100010, 0x00100020, 0x0020000D, 0x0020000E, 0x00080030):
        assert len({text(data_set, tag) for data_set in made}) == 1
    assert len({text(data_set, 0x00080018) for data_set in made}) == 3
    assert [text(data_set, 0x00280004) for data_set in made] == ["MONOCHROME2", "RGB", ""]


def test_tags_of_one_item(creator: Creator) -> None:
    item = {"Content": GRAY, "Tags": {"ImageComments": "x", "InstanceNumber": "7", "PatientID": "P"}}
    made = series(creator, {"PatientID": "P"}, item, {"Content": GRAY, "Other": 1})
    assert [text(data_set, 0x00204000) for data_set in made] == ["x", ""]
    assert [text(data_set, 0x00200013) for data_set in made] == ["1", "2"]


def test_items_do_not_share_what_one_of_them_sets(creator: Creator) -> None:
    made = series(creator, {}, {"Content": COLOUR, "Tags": {"Modality": "XC"}}, GRAY)
    assert 0x00280006 not in made[1]
    assert text(made[1], 0x00080060) == ""


def test_the_instance_has_a_fresh_identifier_even_if_forced(creator: Creator) -> None:
    made = series(creator, {"SOPInstanceUID": "1.2.3", "StudyInstanceUID": "1.2.4"}, GRAY, GRAY, Force=True)
    assert len({text(data_set, 0x00080018) for data_set in made} - {"1.2.3"}) == 2
    assert {text(data_set, 0x0020000D) for data_set in made} == {"1.2.4"}


def test_the_series_of_a_single_item(creator: Creator) -> None:
    assert len(series(creator, {}, GRAY)) == 1
    assert creator.answer({"Tags": {}, "Content": []})["Path"].startswith("/instances/")


@pytest.mark.parametrize(
    ("item", "refusal"),
    [
        ({}, Refusal(400, 2022)),
        ({"Tags": {}}, Refusal(400, 2022)),
        (5, Refusal(400, 2023)),
        (None, Refusal(400, 2023)),
        ([], Refusal(400, 2023)),
        ({"Content": 5}, Refusal(400, 2023)),
        ({"Content": [GRAY]}, Refusal(400, 2023)),
        ("x", Refusal(400, 15)),
        ({"Content": "x"}, Refusal(400, 15)),
        ("data:foo/bar;base64,AA", Refusal(400, 3)),
        ({"Content": GRAY, "Tags": 5}, Refusal(400, 8, "Tags field is not an array")),
        ({"Content": GRAY, "Tags": {"foo": "x"}}, Refusal(500, 27, "foo")),
        ({"Content": GRAY, "Tags": {"StudyInstanceUID": "1.2"}}, Refusal(400, 2020, "StudyInstanceUID")),
        ({"Content": GRAY, "Tags": {"PatientName": "B"}}, Refusal(400, 2020, "PatientName")),
        ({"Content": GRAY, "Tags": {"PixelData": "x"}}, Refusal(400, 2021)),
        ({"Content": GRAY, "Tags": {"PatientComments": 5}}, Refusal(400, 5, "Bad Parameter type for tag 0010,4000")),
    ],
)
def test_a_bad_item_leaves_nothing_behind(creator: Creator, item: Any, refusal: Refusal) -> None:
    body: dict[str, Any] = {"Tags": {"PatientName": "A"}}
    assert creator.refusal({**body, "Content": [GRAY, COLOUR, item, GRAY]}) == refusal
    assert creator.refusal({**body, "Content": [item, GRAY]}) == Refusal(404, 17)
    assert creator.count() == 0


@pytest.mark.parametrize(
    "tags",
    [
        {"ImageComments": "x" * 100_000},
        {f"0008,{element:04x}": "" for element in range(0x2000, 0x5000)},
        {"ReferencedImageSequence": [{"ReferencedSOPInstanceUID": "1.2"}] * 4000},
    ],
    ids=["a long value", "many tags", "many items"],
)
def test_what_all_instances_have_in_common_is_limited(creator: Creator, tags: dict[str, str]) -> None:
    """Else the disk and the time that a request takes would grow with the square of its length."""
    refusal = creator.refusal({"Tags": tags, "Content": [GRAY] * 300})
    assert (refusal.status, refusal.code) == (400, 8)
    assert refusal.details.startswith("The tags that the 300 instances have in common would take ")
    assert creator.count() == 0
    assert len(series(creator, tags, GRAY, GRAY)) == 2


def test_a_bad_item_does_not_harm_the_series_it_was_meant_for(creator: Creator) -> None:
    # The real server deletes the whole series here.
    parent = creator.answer({"Tags": {"PatientID": "P"}})["ParentSeries"]
    for contents in ([GRAY, 5], [5]):
        creator.refusal({"Tags": {}, "Content": contents, "Parent": parent})
        assert creator.count() == 1


def test_arrays_are_not_encapsulated(creator: Creator) -> None:
    jpeg = data_uri(picture("L", form="JPEG"), "image/jpeg")
    assert creator.refusal({"Tags": {}, "Content": [jpeg], "Encapsulate": True}) == Refusal(500, 2)
    assert len(series(creator, {}, jpeg, Encapsulate=False)) == 1
