"""The header of a JPEG picture: what must be known before memory is allocated (ITU-T T.81 annex B)."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.dicom.images.image_description import ImageDescription

__all__ = ["JpegHeader", "read_jpeg_header", "read_matching_header", "with_whole_spectrum"]

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}  # 0xF7: JPEG-LS (ITU-T T.87)
_START_OF_SCAN = b"\xff\xda"
_MOST_SCANS = 50  # a progressive picture has about ten; each passes over all samples
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """Size and colours of a picture."""

    width: int
    height: int
    precision: int  # bits of a sample
    components: int
    is_jfif: bool
    adobe_transform: int | None  # 0 = none, 1 = YCbCr; None without an Adobe segment


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Read the segments up to the frame header.

    Raises
    ------
    ValueError
        If there is none, or far too many scans follow.
    """
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG picture")
    if data.count(_START_OF_SCAN) > _MOST_SCANS:
        raise ValueError("the JPEG picture has too many scans")
    position = 2
    is_jfif = False
    adobe: int | None = None
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise ValueError("a JPEG marker is missing")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in _WITHOUT_LENGTH:
            position += 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        segment = data[position + 4 : position + 2 + length]
        if marker in _FRAME_MARKERS and len(segment) >= 6:
            height, width = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
            return JpegHeader(width, height, segment[0], segment[5], is_jfif, adobe)
        if marker == 0xE0 and segment[:5] == b"JFIF\0":
            is_jfif = True
        elif marker == 0xEE and segment[:5] == b"Adobe" and len(segment) >= 12:
            adobe = segment[11]
        elif marker in (0xD9, 0xDA):
            break
        position += 2 + max(length, 2)
    raise ValueError("the JPEG picture has no frame header")


def read_matching_header(data: bytes, description: ImageDescription) -> JpegHeader:
    """Read the header of a frame, which must have the size and the components that its file declares.

    Raises
    ------
    ValueError
        As `read_jpeg_header`, and if it has others.
    """
    header = read_jpeg_header(data)
    declared = (description.width, description.height, description.samples)
    if (header.width, header.height, header.components) != declared:
        raise ValueError("the picture has another size")
    return header


def with_whole_spectrum(data: bytes) -> bytes:
    """Return a sequential picture with the spectral selection that the standard demands; others unchanged.

    Some encoders leave the numbers of the first and last coefficient at 0.
    """
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc1"))
    scan = data.find(b"\xff\xda", max(frame, 0))
    if frame < 0 or scan < 0:
        return data
    spectrum = scan + 5 + 2 * data[scan + 4]
    return data[:spectrum] + b"\x00\x3f\x00" + data[spectrum + 3 :]
