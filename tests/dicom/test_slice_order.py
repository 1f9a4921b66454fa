"""The order of the slices of a series."""

from __future__ import annotations

import pytest

from orthanc_lab.dicom.images.slice_order import Slice, order_slices

AXIAL = "1\\0\\0\\0\\1\\0"


def slices(*tags: dict[str, str]) -> list[Slice]:
    names = {"ipp": "0020,0032", "iop": "0020,0037", "n": "0020,0013", "image": "0054,1330", "frames": "0028,0008"}
    return [
        Slice(f"I{index}", {names[name]: value for name, value in given.items()}) for index, given in enumerate(tags)
    ]


def placed(*heights: float, orientation: str = AXIAL) -> list[dict[str, str]]:
    return [{"ipp": f"0\\0\\{z}", "iop": orientation, "n": str(9 - index)} for index, z in enumerate(heights)]


@pytest.mark.parametrize(
    ("tags", "order", "is_volume"),
    [
        (placed(30, 10, 20), "120", True),
        (placed(30, 10, 20, orientation="1\\0\\0\\0\\-1\\0"), "021", True),
        (placed(10, 10, 20), "210", False),
        ([*placed(30, 10), {"n": "1"}], "210", False),
        ([*placed(30), *placed(10, orientation="1\\0\\0\\0\\0\\-1")], "01", False),
        (placed(30, 10, orientation="1\\0\\0\\1\\0\\0"), "10", False),
        ([{"n": " 4 "}, {"n": "-2"}, {"n": "3"}], "120", False),
        ([{"image": "3"}, {"image": "1"}], "10", False),
        ([{"image": "3", "n": "1"}, {"image": "1", "n": "2"}], "01", False),
        ([{}], "0", False),
    ],
)
def test_order(tags: list[dict[str, str]], order: str, is_volume: bool) -> None:
    ordered = order_slices(slices(*tags))
    assert ordered is not None
    assert ("".join(item.instance[1:] for item in ordered.slices), ordered.is_volume) == (order, is_volume)


@pytest.mark.parametrize("tags", [[{}, {}], [{"n": "1"}, {}], [{"n": "1"}, {"n": "abc"}]])
def test_no_order(tags: list[dict[str, str]]) -> None:
    assert order_slices(slices(*tags)) is None


@pytest.mark.parametrize(("text", "frames"), [("3", 3), ("", 1), ("abc", 1), ("-1", 1)])
def test_frames(text: str, frames: int) -> None:
    assert slices({"frames": text})[0].frames == frames
