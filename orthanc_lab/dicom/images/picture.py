"""A picture, as it becomes the pixel data of a new instance."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.files.data_set import Room, joined

__all__ = ["Picture", "copy_into", "samples_of"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, which is decoded into the memory where it is needed."""

    width: int
    height: int
    samples: int  # 1 = gray, 3 = RGB, interleaved
    bits: int  # 8 or 16 per sample, unsigned
    decode: Callable[[memoryview], None]  # writes `pixels` into memory of their size, or raises OrthancError

    @property
    def room(self) -> Room:
        """The place of its pixels in a file: little-endian, row by row without padding."""
        return Room(self.width * self.height * self.samples * self.bits // 8, self.decode)

    @property
    def pixels(self) -> bytes:
        """The pixels, decoded."""
        return joined([self.room])


def copy_into(target: memoryview, pieces: Iterable[bytes]) -> None:
    """Write pieces one after the other into memory.

    Raises
    ------
    ValueError
        If they have another size.
    """
    end = 0
    for piece in pieces:
        start, end = end, end + len(piece)
        target[start:end] = piece
    if end != len(target):
        raise ValueError(f"{end} bytes in place of {len(target)}")


def samples_of(image: Any) -> Sequence[bytes]:
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
    return sink.pieces[header:]


class _Sink(io.RawIOBase):
    """A file that keeps what is written to it, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.pieces.append(data)
        return len(data)
