"""One frame of an instance decoded to an array (PS3.5 section 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orthanc_lab.dicom.codecs.codec import codec_of
from orthanc_lab.dicom.codecs.decoding import decode_compressed
from orthanc_lab.dicom.dictionary.tags import PIXEL_DATA
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.images.elscint_runs import elscint_pixels
from orthanc_lab.dicom.images.image_description import ImageDescription, describe_image
from orthanc_lab.dicom.images.palette import Palette, apply_palette, palette_of
from orthanc_lab.dicom.images.raw_frames import compressed_frames, packed_size, uncompressed_frame
from orthanc_lab.dicom.images.ybr import rgb_of_ybr_full
from orthanc_lab.dicom.limits import may_unpack
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Array", "decode_frame", "decode_frames"]

Array = NDArray[Any]


def decode_frame(file: DicomFile, index: int, description: ImageDescription | None = None) -> Array:
    """Decode one frame.

    Returns
    -------
    numpy.ndarray
        Gray: shape (rows, columns), of uint8, uint16, int16 or uint32, before the rescale slope.
        Colour: shape (rows, columns, 3), RGB of uint8 or uint16. Single bits are 0 and 255.

    Raises
    ------
    OrthancError
        2 for a format that Orthanc does not decode, 3 for a missing frame, 15 for
        broken data, or a frame that would take many times the bytes of the file, 23 for a file that declares no frame.
    """
    return next(decode_frames(file, (index,), description))


def decode_frames(
    file: DicomFile, indices: Iterable[int], description: ImageDescription | None = None
) -> Iterator[Array]:
    """Yield some frames, each as `decode_frame` returns it; what all of them share is read once.

    Raises
    ------
    OrthancError
        As `decode_frame`.
    """
    description = description or describe_image(file.data_set)
    if description.decoded_bytes > may_unpack(packed_size(file)):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "A frame is too large")
    element = file.data_set.get(PIXEL_DATA)
    value = elscint_pixels(file.data_set) or b"" if element is None else element.value
    if description.frames == 0:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_FORMAT, "Image not supported (no frames)")
    if isinstance(value, bytes):
        check_format(description)
        if description.frame_bytes * description.frames > len(value):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    elif not isinstance(value, tuple):
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    frames: Sequence[Sequence[bytes]] = ()
    palette: Palette = ()
    for index in indices:
        _check_frame(index, description)
        if isinstance(value, bytes):
            pixels = _uncompressed(value, description, index)
        else:
            frames = frames or compressed_frames(value, description.frames)
            pixels = _compressed(b"".join(frames[index]), description, file.transfer_syntax)
        if description.photometric == "PALETTE COLOR":
            palette = palette or palette_of(file.data_set)
            pixels = apply_palette(pixels, palette)
        yield pixels


def check_format(description: ImageDescription) -> None:
    """Refuse the uncompressed formats that Orthanc does not decode.

    Raises
    ------
    OrthancError
        2 "Not implemented yet", -1 for 16-bit colours by plane.
    """
    bits, stored = description.bits_allocated, description.bits_stored
    if description.photometric == "PALETTE COLOR" and description.samples == 1 and bits in (8, 16):
        return
    if description.is_monochrome and description.samples == 1:
        if bits == stored == 1 or bits == 16 or (bits == stored == 8 and not description.signed):
            return
        if bits == 32 and stored < 32 and not description.signed:
            if description.high_bit + 1 != stored:
                raise OrthancError(ErrorCode.INTERNAL_ERROR)
            return
    elif description.photometric == "RGB" and description.samples == 3 and not description.signed:
        if bits == stored == 8:
            return
        if bits == stored == 16:
            if description.planar:
                raise OrthancError(ErrorCode.INTERNAL_ERROR)
            return
    raise OrthancError(ErrorCode.NOT_IMPLEMENTED)


def _check_frame(index: int, description: ImageDescription) -> None:
    if not 0 <= index < description.frames:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)


def _compressed(data: bytes, description: ImageDescription, transfer_syntax: str) -> Array:
    pixels = decode_compressed(data, transfer_syntax, description)
    if description.photometric == "PALETTE COLOR":
        return pixels
    if (pixels.ndim == 2 and not description.is_monochrome) or (pixels.ndim == 3 and pixels.dtype.itemsize > 2):
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    if description.signed and pixels.dtype.itemsize == 1:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    codec = codec_of(transfer_syntax)
    if codec is not None and codec.as_stored and description.planar and description.photometric == "YBR_FULL":
        # As in Orthanc: what is stored by pixel is shown unconverted.
        return rgb_of_ybr_full(pixels) if pixels.dtype == np.uint8 else pixels
    return _signed(pixels, description)


def _uncompressed(pixels: bytes, description: ImageDescription, index: int) -> Array:
    height, width = description.height, description.width
    if description.bits_allocated == 1:
        return _single_bits(pixels, description, index)
    samples = np.frombuffer(uncompressed_frame(pixels, description, index), f"<u{description.bits_allocated // 8}")
    if description.samples == 3:
        if description.planar:
            return np.ascontiguousarray(np.moveaxis(samples.reshape(3, height, width), 0, -1))
        return samples.reshape(height, width, 3)
    gray = samples.reshape(height, width)
    if description.photometric == "PALETTE COLOR":
        return gray
    if description.bits_allocated == 16 and description.bits_stored == 8 and not description.signed:
        return gray.astype(np.uint8)
    return _signed(_shifted(gray, description), description)


def _single_bits(pixels: bytes, description: ImageDescription, index: int) -> Array:
    count = description.width * description.height
    first = index * count
    start = first // 8
    bits = np.unpackbits(np.frombuffer(pixels, np.uint8)[start : (first + count + 7) // 8], bitorder="little")
    bits *= np.uint8(255)
    return bits[first - 8 * start :][:count].reshape(description.height, description.width)


def _shifted(gray: Array, description: ImageDescription) -> Array:
    # Where the samples start at bit 0 the bits above them are left as they are, like in Orthanc.
    # It counts with 16 bits: a high bit below the samples is far above them.
    shift = min(description.high_bit + 1 - description.bits_stored & 0xFFFF, description.bits_allocated)
    if shift == 0:
        return gray
    moved = gray >> shift
    if description.signed:
        spare = description.bits_allocated - description.bits_stored
        return ((moved << spare).view(np.int16) >> spare).view(np.uint16)
    return moved


def _signed(gray: Array, description: ImageDescription) -> Array:
    if description.signed and gray.dtype.kind == "u" and gray.dtype.itemsize == 2:
        return gray.view("<i2")
    return gray
