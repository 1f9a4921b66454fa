"""Palette indices converted to colours (PS3.3 section C.7.6.3.1.5)."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["apply_palette"]

_DESCRIPTORS = (
    tags.RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags.GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags.BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
)
_TABLES = (
    tags.RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags.GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags.BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
)


def apply_palette(indices: NDArray[Any], data_set: DataSet) -> NDArray[Any]:
    """Return RGB of 8 bits: the upper bytes of the tables' entries.

    Raises
    ------
    OrthancError
        2 if a table is missing, 15 if one is shorter than declared.
    """
    colours = [
        _lookup(indices, data_set, descriptor, table) for descriptor, table in zip(_DESCRIPTORS, _TABLES, strict=True)
    ]
    return np.stack(colours, axis=-1)


def _lookup(indices: NDArray[Any], data_set: DataSet, descriptor: int, table: int) -> NDArray[Any]:
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
    positions = np.clip(indices.astype(np.int64) - first, 0, count - 1)
    found: NDArray[np.uint8] = np.take(entries, positions)
    return found
