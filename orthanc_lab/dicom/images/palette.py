"""Palette indices converted to colours (PS3.3 section C.7.6.3.1.5)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Palette", "apply_palette", "palette_of"]

Palette = Sequence[tuple[NDArray[np.uint8], int]]
"""Of red, green and blue: the entries of the table, and the index of the first one."""

_DESCRIPTORS = (
    tags.RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags.GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags.BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
)
_AT_ONCE = 1 << 20  # pixels that are looked up at a time: as indices they take eight bytes each
_TABLES = (
    tags.RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags.GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags.BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
)


def palette_of(data_set: DataSet) -> Palette:
    """Read the tables of a file: the upper bytes of their entries.

    Raises
    ------
    OrthancError
        2 if a table is missing, 15 if one is shorter than declared.
    """
    return [_entries(data_set, *pair) for pair in zip(_DESCRIPTORS, _TABLES, strict=True)]


def apply_palette(indices: NDArray[Any], palette: Palette) -> NDArray[Any]:
    """Return RGB of 8 bits."""
    found = np.empty((*indices.shape, 3), np.uint8)
    step = max(_AT_ONCE // max(indices.shape[1], 1), 1)
    for colour, (entries, first) in enumerate(palette):
        for row in range(0, len(indices), step):
            positions = indices[row : row + step].astype(np.int64) - first
            found[row : row + step, :, colour] = entries[np.clip(positions, 0, len(entries) - 1)]
    return found


def bits_of_entries(data_set: DataSet) -> int:
    """Return how many bits the entries of the tables have, 8 or 16, as the first one declares it."""
    form = data_set.get(_DESCRIPTORS[0])
    declared = form.value[4:6] if form is not None and isinstance(form.value, bytes) else b""
    return 16 if int.from_bytes(declared, "little") > 8 else 8


def _entries(data_set: DataSet, descriptor: int, table: int) -> tuple[NDArray[np.uint8], int]:
    """Return the entries of a table, and the index of the first one."""
    form, data = data_set.get(descriptor), data_set.get(table)
    if form is None or data is None or not isinstance(form.value, bytes) or not isinstance(data.value, bytes):
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    if len(form.value) < 6:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    count, first, bits = struct.unpack_from("<HHH", form.value)
    count = count or 65536
    if bits == 16 or len(data.value) >= 2 * count:
        entries = np.frombuffer(data.value, "<u2", min(count, len(data.value) // 2))
        entries = (entries >> 8 if bits == 16 else entries & 0xFF).astype(np.uint8)
    else:
        entries = np.frombuffer(data.value, np.uint8, min(count, len(data.value)))
    if len(entries) < count:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return entries, first
