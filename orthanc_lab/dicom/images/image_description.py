"""What the Image Pixel module tells about the pixel data (PS3.3 section C.7.6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.text import text_bytes
from orthanc_lab.dicom.limits import MAX_FRAMES
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["ImageDescription", "count_frames", "describe_image", "items_of", "number_of", "parse_frames", "text_of"]

_UINT32 = 2**32
_BITS_ALLOCATED = frozenset({1, 8, 16, 24, 32})


@dataclass(frozen=True, slots=True)
class ImageDescription:
    """Form of the samples of one frame."""

    width: int  # columns
    height: int  # rows
    samples: int  # per pixel: 1 or 3
    planar: bool  # colours one after the other, not pixel by pixel
    photometric: str  # MONOCHROME1, MONOCHROME2, RGB, PALETTE COLOR, YBR_FULL …
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    frames: int  # 0 for a file that declares so

    @property
    def frame_bits(self) -> int:
        """Size of a frame that is not compressed, in bits."""
        return self.width * self.height * self.samples * self.bits_allocated

    @property
    def frame_bytes(self) -> int:
        """Size of a frame that is not compressed, in bytes; frames of single bits are packed."""
        return (self.frame_bits + 7) // 8

    @property
    def decoded_bytes(self) -> int:
        """Size of a frame as an array, in bytes: single bits take one each, the indices of a palette three."""
        samples = 3 if self.photometric == "PALETTE COLOR" else self.samples
        return self.width * self.height * samples * max(1, self.bits_allocated // 8)

    @property
    def is_monochrome(self) -> bool:
        """True for gray pixels."""
        return self.photometric in ("MONOCHROME1", "MONOCHROME2")


def describe_image(data_set: DataSet) -> ImageDescription:
    """Read the description of the pixels.

    Raises
    ------
    OrthancError
        2 if rows, columns or bits are missing, more bits are stored than allocated, or the number of frames is not
        a number; 23 for bits, samples or an order of them that no image has, 15 for single bits that are not packed;
        15 for more than `MAX_FRAMES` frames.
    """
    height, width = number_of(data_set, tags.ROWS), number_of(data_set, tags.COLUMNS)
    allocated = number_of(data_set, tags.BITS_ALLOCATED)
    frames = _frames(text_of(data_set, tags.NUMBER_OF_FRAMES).strip()) if tags.NUMBER_OF_FRAMES in data_set else 1
    if height is None or width is None or allocated is None or frames is None:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    stored = number_of(data_set, tags.BITS_STORED)
    stored = allocated if stored is None else stored
    samples, planar = number_of(data_set, tags.SAMPLES_PER_PIXEL), number_of(data_set, tags.PLANAR_CONFIGURATION)
    samples = 1 if samples is None else samples
    if stored > allocated:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    if allocated not in _BITS_ALLOCATED or not samples or (samples > 1 and planar not in (None, 0, 1)):
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_FORMAT)
    if stored == 1 != allocated:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    high_bit = number_of(data_set, tags.HIGH_BIT)
    return ImageDescription(
        width,
        height,
        samples,
        planar == 1,
        text_of(data_set, tags.PHOTOMETRIC_INTERPRETATION).strip(),
        allocated,
        stored,
        stored - 1 if high_bit is None else high_bit,
        bool(number_of(data_set, tags.PIXEL_REPRESENTATION)),
        frames,
    )


def count_frames(data_set: DataSet) -> int:
    """Return the number of frames that a file declares; 1 if it does not.

    Raises
    ------
    OrthancError
        15 if it is not a number, or more than `MAX_FRAMES`.
    """
    return parse_frames(text_of(data_set, tags.NUMBER_OF_FRAMES))


def parse_frames(text: str) -> int:
    """Read the value of Number of Frames; 1 for an empty one.

    Raises
    ------
    OrthancError
        15 if it is not a number, or more than `MAX_FRAMES`.
    """
    frames = _frames(text) if text else 1
    if frames is None:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return frames


def _frames(text: str) -> int | None:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 12):
        return None
    frames = int(digits)
    if frames >= _UINT32:
        return None
    if frames > MAX_FRAMES:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"More than {MAX_FRAMES} frames are not supported: {frames}")
    return frames


def number_of(data_set: DataSet, tag: int) -> int | None:
    """Return the first number of an element, be it of VR US or text; None if there is none."""
    element = data_set.get(tag)
    if element is None or not isinstance(element.value, bytes):
        return None
    if element.vr in ("US", "SS", "UL", "SL", "UN", "OW", "OB"):
        return int.from_bytes(element.value[:2], "little") if len(element.value) >= 2 else None
    text = text_of(data_set, tag).split("\\", maxsplit=1)[0].strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def items_of(data_set: DataSet, tag: int) -> list[DataSet]:
    """Return the items of a sequence, none if it is absent."""
    element = data_set.get(tag)
    return element.value if element is not None and isinstance(element.value, list) else []


def text_of(data_set: DataSet, tag: int) -> str:
    """Return the text of an element without its padding, empty if it is absent."""
    element = data_set.get(tag)
    if element is None or not isinstance(element.value, bytes):
        return ""
    return text_bytes(element.value).decode("latin-1")
