"""Pixel data that scanners of ELSCINT keep in private elements, as runs of differences (``PMSCT_RLE1``).

The runs are undone first: 0xA5, a count less one, a byte. What results are differences to the sample before, of
one byte each; 0x5A marks a whole sample, the low byte first.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator

from orthanc_lab.dicom.dictionary.tags import COLUMNS, ROWS
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.images.image_description import number_of, text_of
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["elscint_pixels"]

_COMPRESSION = 0x07A11011
_PIXELS = 0x07A1100A
_MOST_SAMPLES = 1 << 24  # 4096 x 4096; those scanners made no more than 1024 x 1024
_RUN, _WHOLE = 0xA5, 0x5A


def elscint_pixels(data_set: DataSet) -> bytes | None:
    """Return the samples of 16 bits of a file without Pixel Data, None if it has no private ones.

    Raises
    ------
    OrthancError
        15 if they are fewer than the file declares, or far more than such an image has.
    """
    element = data_set.get(_PIXELS)
    if element is None or not element.value or text_of(data_set, _COMPRESSION) != "PMSCT_RLE1":
        return None
    if element.vr not in ("OB", "UN") or not isinstance(element.value, bytes):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    count = (number_of(data_set, ROWS) or 0) * (number_of(data_set, COLUMNS) or 0)
    if count > _MOST_SAMPLES:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    samples = array("H", _samples(_bytes(element.value), count))
    if len(samples) < count:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _bytes(data: bytes) -> Iterator[int]:
    position, end = 0, len(data)
    while position < end:
        value = data[position]
        if value == _RUN and position + 2 < end:
            for _ in range(data[position + 1] + 1):
                yield data[position + 2]
            position += 3
        else:
            yield value
            position += 1


def _samples(differences: Iterator[int], count: int) -> Iterator[int]:
    sample = 0
    for _ in range(count):
        difference = next(differences, None)
        if difference is None:
            return
        if difference == _WHOLE:
            low, high = next(differences, None), next(differences, None)
            if low is None or high is None:
                return
            sample = high << 8 | low
        else:
            sample = sample + (difference ^ 0x80) - 0x80 & 0xFFFF
        yield sample
