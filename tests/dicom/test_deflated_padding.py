"""The byte that makes the length of a deflated data set even."""

from __future__ import annotations

import random
import zlib

import pytest

from orthanc_lab.dicom.files.deflated_padding import without_padding

DEFLATED, EXPLICIT = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1"


def deflated(size: int) -> bytes:
    """Return deflated data of about `size` bytes."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(random.Random(size).randbytes(size)) + packer.flush()


@pytest.mark.parametrize("size", [0, 1, 16_370, 16_379, 16_384, 32_758, 32_763, 100_000])
def test_the_byte_goes_and_nothing_else(size: int) -> None:
    data = deflated(size)
    assert without_padding(data + b"\0", DEFLATED) == data
    assert without_padding(data, DEFLATED) == data
    assert without_padding(data + b"\0\0", DEFLATED) == data + b"\0\0"
    assert without_padding(data + b"\0", EXPLICIT) == data + b"\0"


def test_all_places_of_the_end_among_the_parts() -> None:
    for size in range(16_340, 16_400):
        data = deflated(size)
        assert without_padding(data + b"\0", DEFLATED) == data


def test_damaged_and_cut_data_stay() -> None:
    data = deflated(50_000)
    for broken in (b"\xff" * 9 + b"\0", data[:30_000] + b"\0"):
        assert without_padding(broken, DEFLATED) == broken


def test_data_that_would_become_too_large_stay() -> None:
    bomb = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = b"".join([*(bomb.compress(bytes(1 << 20)) for _ in range(60)), bomb.flush(), b"\0"])
    assert without_padding(data, DEFLATED) == data
