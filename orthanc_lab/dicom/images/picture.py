"""A decoded picture, as it becomes the pixel data of a new instance."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.files.data_set import Pieces

__all__ = ["Picture", "samples_of"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture."""

    width: int
    height: int
    samples: int  # 1 = gray, 3 = RGB, interleaved
    bits: int  # 8 or 16 per sample, unsigned
    pixels: Pieces  # little-endian, row by row without padding


def samples_of(image: Any) -> Pieces:
    """Return the samples of an 8-bit gray or RGB image of Pillow in the pieces in which Pillow writes them.

    They are what Pillow writes after the header of a PPM file: one copy less than with `tobytes`,
    which joins the pieces.
    """
    sink = _Sink()
    image.save(sink, "PPM")
    header = len(sink.pieces)
    missing: int = image.width * image.height * len(image.getbands())
    while missing > 0:
        header -= 1
        missing -= len(sink.pieces[header])
    return Pieces(sink.pieces[header:])


class _Sink(io.RawIOBase):
    """A file that keeps what is written to it, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.pieces.append(data)
        return len(data)
