"""What a `DicomNode` finds among its data sets: matching by value, list, pattern and range (PS3.4, C.2.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import pydicom
from pydicom import DataElement, Dataset
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement

__all__ = ["Source", "answers", "as_texts", "data_sets", "matching"]

Source: TypeAlias = "str | Path | bytes | Dataset"
"""A DICOM file, a folder of them, the bytes of a file, or a data set."""

_UNIQUE = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
_TEXTS = {vr: vr for vr in ("DA", "TM", "DT", "CS", "AS", "UI")} | {"IS": "SH", "DS": "SH"}  # VRs to hold a pattern
_FIRST_GROUP = 0x0008  # Orthanc also sends an element of the file header, which nodes ignore
_NO_KEYS = ("QueryRetrieveLevel", "RetrieveAETitle", "SpecificCharacterSet")


def data_sets(sources: Iterable[Source]) -> Iterator[Dataset]:
    """Yield the data set of each source; folders give all files below them."""
    for source in sources:
        if isinstance(source, Dataset):
            yield source
        elif isinstance(source, bytes):
            yield pydicom.dcmread(BytesIO(source))
        elif Path(source).is_dir():
            yield from (pydicom.dcmread(file) for file in sorted(Path(source).rglob("*")) if file.is_file())
        else:
            yield pydicom.dcmread(source)


def matching(identifier: Dataset, stored: Iterable[Dataset]) -> list[Dataset]:
    """Return the data sets that match an identifier, whatever its level."""
    keys = [key for key in identifier if key.tag.group >= _FIRST_GROUP and key.keyword not in _NO_KEYS]
    return [dataset for dataset in stored if all(_matches(key, dataset) for key in keys)]


def as_texts(identifier: Dataset) -> Dataset:
    """Return an identifier that may hold patterns, such as ``2026*``, which pydicom takes for errors."""
    copy = Dataset()
    for tag in list(identifier.keys()):  # its iterator would convert the values
        raw = identifier.get_item(tag)
        if isinstance(raw, RawDataElement) and raw.value is not None and _vr(raw) in _TEXTS:
            text = raw.value.decode("utf-8", "replace").rstrip(" \0")
            copy[tag] = DataElement(tag, _TEXTS[_vr(raw)], text, validation_mode=IGNORE)
        else:
            copy[tag] = identifier[tag]
    return copy


def _vr(element: RawDataElement) -> str:
    return element.VR or (dictionary_VR(element.tag) if dictionary_has_tag(element.tag) else "UN")


def answers(identifier: Dataset, stored: Iterable[Dataset], aet: str) -> Iterator[Dataset]:
    """Yield one response for each patient, study, series or instance that matches an identifier.

    Without QueryRetrieveLevel, as in a query of a worklist, each data set is an answer.
    """
    unique = _UNIQUE.get(identifier.get("QueryRetrieveLevel", ""))
    seen = set()
    for dataset in matching(identifier, stored):
        if unique is not None:
            value = str(dataset.get(unique, ""))
            if value in seen:
                continue
            seen.add(value)
        yield _answer(identifier, dataset, unique, aet)


def _answer(identifier: Dataset, dataset: Dataset, unique: str | None, aet: str) -> Dataset:
    answer = Dataset()
    for key in identifier:
        if key.keyword == "QueryRetrieveLevel" or key.tag not in dataset:
            answer[key.tag] = DataElement(key.tag, key.VR, key.value if key.keyword in _NO_KEYS else None)
        else:
            answer[key.tag] = dataset[key.tag]
    if unique is not None:
        setattr(answer, unique, dataset.get(unique, ""))
        answer.RetrieveAETitle = aet
    if "SpecificCharacterSet" in dataset:
        answer.SpecificCharacterSet = dataset.SpecificCharacterSet
    return answer


def _matches(key: DataElement, dataset: Dataset) -> bool:
    if key.VR == "SQ":
        items = dataset.get(key.keyword) or []
        return not key.value or any(all(_matches(inner, item) for inner in key.value[0]) for item in items)
    wanted = _values(key)
    if not wanted:
        return True  # universal matching
    found = _values(dataset[key.tag]) if key.tag in dataset else []
    return any(_matches_value(key.VR, pattern, value) for pattern in wanted for value in found)


def _values(element: DataElement) -> list[str]:
    values = element.value if element.VM > 1 else [element.value]
    return [str(value) for value in values if value not in (None, "")]


def _matches_value(vr: str, pattern: str, value: str) -> bool:
    if vr in ("DA", "TM", "DT") and "-" in pattern:
        first, _, last = pattern.partition("-")
        return first <= value and (not last or value <= last or value.startswith(last))
    flags = re.IGNORECASE if vr == "PN" else 0
    parts = [".*" if letter == "*" else "." if letter == "?" else re.escape(letter) for letter in pattern]
    return re.fullmatch("".join(parts), value, flags | re.DOTALL) is not None
