"""The tags of an instance as text to paste elsewhere: Python for pydicom, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from orthanc_lab.widgets.elements.tag_row import TagRow

__all__ = ["as_json", "as_pydicom"]

_FILE_META = "0002"
_PIXELS = "7fe0"
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
_NUMBERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("IS", "SL", "SS", "SV", "UL", "US", "UV"), int),
    **dict.fromkeys(("FD", "FL"), float),
}


def as_pydicom(rows: Iterable[TagRow]) -> str:
    """Return Python that makes a data set of these tags, without pixels and file meta information.

    Examples
    --------
    >>> print(as_pydicom([TagRow("0028,0010", "Rows", "0028,0010", "US", "128")]))
    from pydicom import Dataset
    <BLANKLINE>
    ds = Dataset()
    ds.Rows = 128
    """
    return "\n".join(["from pydicom import Dataset", "", "ds = Dataset()", *_statements(_plain_rows(rows))])


def _plain_rows(rows: Iterable[TagRow]) -> list[TagRow]:
    return [row for row in rows if row.path[:4].lower() not in (_FILE_META, _PIXELS)]


def _statements(rows: Sequence[TagRow]) -> Iterator[str]:
    names = {"": "ds"}
    items = {row.parent for row in rows if not row.tag}
    for row in rows:
        owner = names[row.parent]
        if not row.tag:  # an item of a sequence
            names[row.path] = f"{owner}[{row.path.rpartition('/')[2]}]"
            yield f"{owner}.append(Dataset())"
            continue
        target = f"{owner}.{row.name}" if _is_keyword(row) else f"{owner}[0x{row.tag.replace(',', '')}].value"
        if row.vr == "SQ" or row.path in items:
            names[row.path] = target
            yield f"{owner}.{row.name} = []" if _is_keyword(row) else _added(owner, row, "SQ", [])
        elif row.is_away or row.value == "(binary)" or not _BINARY.isdisjoint(row.vr.split(" or ")):
            yield f"# {target}: too long or binary"
        else:
            value = _value(row)
            yield f"{target} = {value!r}" if _is_keyword(row) else _added(owner, row, row.vr or "UN", value)


def _added(owner: str, row: TagRow, vr: str, value: Any) -> str:
    if vr == "UN" and isinstance(value, str):
        value = value.encode()
    return f"{owner}.add_new(0x{row.tag.replace(',', '')}, {vr!r}, {value!r})"


def _is_keyword(row: TagRow) -> bool:
    return row.name.isidentifier() and int(row.tag[:4], 16) % 2 == 0


def _value(row: TagRow) -> Any:
    convert = _NUMBERS.get(row.vr[:2])
    if convert is None or not row.value:
        return row.value
    try:
        numbers = [convert(part) for part in row.value.split("\\")]
    except ValueError:
        return row.value
    return numbers[0] if len(numbers) == 1 else numbers


def as_json(rows: Iterable[TagRow]) -> str:
    """Return the tags by name as JSON, with sequences as lists, in the form of Orthanc's ``simplified-tags``.

    Examples
    --------
    >>> print(as_json([TagRow("0010,0010", "PatientName", "0010,0010", "PN", "Doe^John")]))
    {
      "PatientName": "Doe^John"
    }
    """
    root: dict[str, Any] = {}
    places: dict[str, Any] = {"": root}
    for row in rows:
        above = places[row.parent]
        if not row.tag:
            places[row.path] = {}
            above.append(places[row.path])
        elif row.vr == "SQ":
            places[row.path] = above[row.name] = []
        else:
            above[row.name] = None if row.is_away or row.value == "(binary)" else row.value
    return json.dumps(root, indent=2, ensure_ascii=False)
