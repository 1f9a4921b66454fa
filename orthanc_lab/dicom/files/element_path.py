"""The path to an element through the sequences of a data set, as in the URIs below ``/content``."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.tags import PIXEL_DATA
from orthanc_lab.dicom.dictionary.vrs import TEXT_VRS
from orthanc_lab.dicom.files.data_set import DataSet, padded

__all__ = ["follow_path"]

_LAST_ITEM = "-1"


def follow_path(data_set: DataSet, path: Sequence[str], dictionary: Dictionary) -> bytes | list[str] | None:
    """Return what is at a path, None if there is nothing.

    For a data set that is the list of its tags (``gggg-eeee``), for a sequence the numbers of its
    items, for pixel data the numbers of their fragments (one if they are not compressed), for any
    other element its bytes, padding included.

    Parameters
    ----------
    path
        Tags in any form that the dictionary reads, and after each sequence the number of an item.

    Raises
    ------
    OrthancError
        27 for a name that is not a tag.
    """
    current = data_set
    rest = list(path)
    top = True
    while rest:
        tag = dictionary.parse_tag(rest.pop(0))
        element = current.get(tag)
        if element is None:
            return None
        value = element.value
        if isinstance(value, tuple) or (top and tag == PIXEL_DATA and isinstance(value, bytes)):
            return _fragment(value if isinstance(value, tuple) else (value,), rest)
        if isinstance(value, bytes):
            return None if rest else _bytes_of(element.vr, value)
        if not rest:
            return [str(index) for index in range(len(value))]
        item = _item(value, rest.pop(0))
        if item is None:
            return None
        current, top = item, False
    return [f"{tag >> 16:04x}-{tag & 0xFFFF:04x}" for tag in sorted(current)]


def _bytes_of(vr: str, value: bytes) -> bytes:
    # DCMTK keeps no more padding than a text needs.
    if vr in TEXT_VRS and vr != "UI" and not len(value) & 1:
        return padded(value.rstrip(b" "), b" ")
    return padded(value)


def _fragment(fragments: tuple[bytes, ...], rest: list[str]) -> bytes | list[str] | None:
    if not rest:
        return [str(index) for index in range(len(fragments))]
    index = _index(rest[0])
    if len(rest) > 1 or index is None or index >= len(fragments):
        return None
    return padded(fragments[index])


def _item(items: list[DataSet], text: str) -> DataSet | None:
    if text == _LAST_ITEM and items:
        return items[-1]
    index = _index(text)
    return None if index is None or index >= len(items) else items[index]


def _index(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None
