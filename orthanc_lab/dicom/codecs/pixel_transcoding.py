"""Pixel data compressed and decompressed, with the elements that describe them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from orthanc_lab.dicom.codecs.codec import Array, Codec, Encoder, codec_of
from orthanc_lab.dicom.codecs.decoding import decode_compressed
from orthanc_lab.dicom.codecs.derivation import describe_derivation, describe_lossy
from orthanc_lab.dicom.codecs.gray_levels import fit_gray_levels
from orthanc_lab.dicom.dictionary.tags import (
    BITS_ALLOCATED,
    LARGEST_IMAGE_PIXEL_VALUE,
    LARGEST_PIXEL_VALUE_IN_SERIES,
    PALETTES,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_DATA,
    PIXEL_PADDING_VALUE,
    PLANAR_CONFIGURATION,
    SAMPLES_PER_PIXEL,
    SMALLEST_IMAGE_PIXEL_VALUE,
    SMALLEST_PIXEL_VALUE_IN_SERIES,
)
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.images.image_description import ImageDescription, describe_image
from orthanc_lab.dicom.images.palette import apply_palette, bits_of_entries, palette_of
from orthanc_lab.dicom.images.raw_frames import compressed_frames, packed_size, uncompressed_frame
from orthanc_lab.dicom.images.ybr import full_resolution, rgb_of_ybr_full
from orthanc_lab.dicom.limits import MAX_NATIVE_BYTES, may_unpack
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Identifiers

__all__ = ["compress", "decompress", "decompress_items"]

_STALE = (
    SMALLEST_IMAGE_PIXEL_VALUE,
    LARGEST_IMAGE_PIXEL_VALUE,
    SMALLEST_PIXEL_VALUE_IN_SERIES,
    LARGEST_PIXEL_VALUE_IN_SERIES,
    PIXEL_PADDING_VALUE,
)
"""Elements that name values which lossy JPEG does not keep."""


def decompress(file: DicomFile) -> DataSet:
    """Return the data set with native pixel data; colours as RGB by pixel, unless they were stored otherwise.

    Raises
    ------
    OrthancError
        2 or 15 if the frames cannot be decoded, 24 for more bytes than the limits allow.
    """
    description = describe_image(file.data_set)
    _check_size(file, description)
    codec = codec_of(file.transfer_syntax)
    frames = _frames(file, description)
    as_stored = codec is not None and codec.as_stored
    if as_stored and description.planar and description.samples == 3:
        frames = (np.moveaxis(frame, -1, 0) for frame in frames)
    pixels = padded(b"".join(frame.tobytes() for frame in frames))
    found = {**file.data_set, PIXEL_DATA: Element("OW", pixels)}
    if description.samples == 3 and not as_stored:
        _set_colour(found, "RGB")
    return found


def decompress_items(file: DicomFile) -> DataSet:
    """Return the data set with native pixel data in the items of its sequences, which fit into every transfer syntax.

    Raises
    ------
    OrthancError
        As `decompress`.
    """
    return {
        tag: Element(element.vr, [_decompressed_item(replace(file, data_set=item)) for item in element.value])
        if isinstance(element.value, list)
        else element
        for tag, element in file.data_set.items()
    }


def _decompressed_item(file: DicomFile) -> DataSet:
    item = decompress_items(file)
    is_compressed = PIXEL_DATA in item and isinstance(item[PIXEL_DATA].value, tuple)
    return decompress(replace(file, data_set=item)) if is_compressed else item


def compress(file: DicomFile, target: str, quality: int, identifiers: Identifiers) -> DataSet | None:
    """Return the data set with encapsulated pixel data, None if this image cannot be compressed that way.

    A lossy transfer syntax makes a derived image, with a SOP Instance UID of its own.
    """
    codec = codec_of(target)
    description = describe_image(file.data_set)
    if codec is None or codec.encode is None or not description.frames or not _fits(description, codec):
        return None
    _check_size(file, description)
    frames = _frames(file, description)
    found = dict(file.data_set)
    sample_bits = description.bits_stored if codec.ratio_of_stored else description.bits_allocated
    if not codec.palettes and description.photometric == "PALETTE COLOR":
        palette = palette_of(file.data_set)
        frames = (apply_palette(frame, palette) for frame in frames)
        found[SAMPLES_PER_PIXEL] = Element("US", b"\3\0")
        description = replace(description, samples=3, photometric="RGB")
        sample_bits = bits_of_entries(file.data_set)
    elif codec.gray_bits and description.is_monochrome:
        levels = fit_gray_levels(found, description, frames, codec.gray_bits[description.bits_stored])
        levels.describe(found)
        frames, description = map(levels.apply, _frames(file, description)), levels.description
        sample_bits = levels.source_bits
    elif description.samples == 3:
        colour = _decoded_colour(file, description)
        if colour not in ("RGB", "YBR_FULL", "YBR_FULL_422" if codec.colours and not description.planar else ""):
            return None
        if codec.colours and colour != "RGB":
            frames, colour = map(rgb_of_ybr_full, frames), codec.colours
        description = replace(description, photometric=colour)
    if codec.ratio_of_stored and description.bits_stored <= 8 < description.bits_allocated and not description.signed:
        frames, description = _in_bytes(list(frames), description)
        found[BITS_ALLOCATED] = Element("US", struct.pack("<H", description.bits_allocated))
    encoded, room = [], may_unpack(packed_size(file))
    for frame in frames:
        encoded.append(padded(_encoded(codec.encode, frame, description, quality)))
        room -= len(encoded[-1])
        if room < 0:  # frames of a few bytes become many times larger
            raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)
    found[PIXEL_DATA] = Element("OB", (_offset_table(encoded), *encoded))
    if description.samples == 3:
        _set_colour(found, codec.colours or description.photometric)
    if codec.gray_bits:
        for tag in found.keys() & {*_STALE, *PALETTES}:
            del found[tag]
    samples = description.width * description.height * description.samples * description.frames
    ratio = samples * sample_bits / 8 / sum(map(len, encoded))
    words = {"quality": quality, "bits": description.bits_stored, "ratio": f"{ratio:.5g}"}
    _describe(found, codec, words, ratio, identifiers)
    return found


def _check_size(file: DicomFile, description: ImageDescription) -> None:
    most = min(MAX_NATIVE_BYTES, may_unpack(packed_size(file)))
    if max(description.frame_bytes * description.frames, description.decoded_bytes) > most:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)


def _in_bytes(frames: list[Array], description: ImageDescription) -> tuple[Iterator[Array], ImageDescription]:
    """Return frames in samples of one byte, if no bits are set above these."""
    if any(frame.size and frame.max() > 0xFF for frame in frames):
        return iter(frames), description
    return (frame.astype(np.uint8) for frame in frames), replace(description, bits_allocated=8)


def _encoded(encoder: Encoder, frame: Array, description: ImageDescription, quality: int) -> bytes:
    try:
        return encoder(frame, description, quality)
    except Exception as error:  # each library has exceptions of its own for pictures it cannot take
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED, "A frame cannot be compressed") from error


def _describe(data_set: DataSet, codec: Codec, words: dict[str, Any], ratio: float, identifiers: Identifiers) -> None:
    text = codec.description.format(**words)
    if codec.method:
        describe_lossy(data_set, text, codec.method, ratio, identifiers.uid())
    elif text:
        describe_derivation(data_set, text)


def _fits(description: ImageDescription, codec: Codec) -> bool:
    if codec.method and codec.palettes and description.photometric == "PALETTE COLOR":
        return False  # an index that is a little wrong has another colour
    if description.samples not in (1, 3) or not description.width or not description.height:
        return False
    if description.samples == 3:
        if description.photometric != "RGB" and not description.photometric.startswith("YBR"):
            return False
    elif codec.gray_bits and description.is_monochrome:
        return description.bits_stored in codec.gray_bits and description.bits_allocated in (8, 16, 32)
    return description.bits_allocated in codec.bits and (codec.signed or not description.signed)


def _decoded_colour(file: DicomFile, description: ImageDescription) -> str:
    """Return the Photometric Interpretation of what `_frames` yields of a colour image."""
    codec = codec_of(file.transfer_syntax)
    return description.photometric if codec is None or codec.as_stored else "RGB"


def _frames(file: DicomFile, description: ImageDescription) -> Iterator[Array]:
    """Yield the frames, colours by pixel: as RGB or, native and as runs, as they are stored."""
    value = file.data_set[PIXEL_DATA].value
    if isinstance(value, tuple):
        for fragments in compressed_frames(value, description.frames):
            yield decode_compressed(b"".join(fragments), file.transfer_syntax, description)
        return
    if isinstance(value, bytes) and description.photometric == "YBR_FULL_422" and description.samples == 3:
        yield from _frames_of_422(value, description)
        return
    if not isinstance(value, bytes) or description.frame_bytes * description.frames > len(value):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    kind = f"<{'i' if description.signed else 'u'}{description.bits_allocated // 8}"
    height, width = description.height, description.width
    for index in range(description.frames):
        samples = np.frombuffer(uncompressed_frame(value, description, index), kind)
        if description.samples == 1:
            yield samples.reshape(height, width)
        elif description.planar:
            yield np.ascontiguousarray(np.moveaxis(samples.reshape(3, height, width), 0, -1))
        else:
            yield samples.reshape(height, width, 3)


def _frames_of_422(value: bytes, description: ImageDescription) -> Iterator[Array]:
    size = description.width * description.height * 2
    if description.planar or description.width % 2 or size * description.frames > len(value):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    for index in range(description.frames):
        samples = np.frombuffer(value, np.uint8, size, index * size)
        yield full_resolution(samples, description.height, description.width)


def _set_colour(data_set: DataSet, photometric: str) -> None:
    data_set[PHOTOMETRIC_INTERPRETATION] = Element("CS", padded(photometric.encode(), b" "))
    data_set[PLANAR_CONFIGURATION] = Element("US", b"\0\0")


def _offset_table(fragments: list[bytes]) -> bytes:
    offsets, position = [], 0
    for fragment in fragments:
        offsets.append(position)
        position += 8 + len(fragment)
    if position > 0xFFFFFFFF:
        return b""
    return struct.pack(f"<{len(offsets)}I", *offsets)
