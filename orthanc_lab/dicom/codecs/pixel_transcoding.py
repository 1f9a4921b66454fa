"""Pixel data compressed and decompressed, with the elements that describe them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from orthanc_lab.dicom.codecs.codec import Array, Codec, Encoder, codec_of
from orthanc_lab.dicom.codecs.decoding import decode_compressed
from orthanc_lab.dicom.codecs.derivation import describe_derivation, describe_lossy
from orthanc_lab.dicom.dictionary.tags import (
    PALETTES,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_DATA,
    PLANAR_CONFIGURATION,
    SAMPLES_PER_PIXEL,
)
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.images.image_description import ImageDescription, describe_image
from orthanc_lab.dicom.images.palette import apply_palette
from orthanc_lab.dicom.images.raw_frames import compressed_frames, packed_size, uncompressed_frame
from orthanc_lab.dicom.limits import MAX_NATIVE_BYTES, may_unpack
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Identifiers

__all__ = ["compress", "decompress"]


def decompress(file: DicomFile) -> DataSet:
    """Return the data set with native pixel data, colours as RGB by pixel.

    Raises
    ------
    OrthancError
        2 or 15 if the frames cannot be decoded, 24 for more bytes than the limits allow.
    """
    description = describe_image(file.data_set)
    _check_size(file, description)
    pixels = padded(b"".join(frame.tobytes() for frame in _frames(file, description)))
    found = {**file.data_set, PIXEL_DATA: Element("OW", pixels)}
    if description.samples == 3:
        _set_colour(found, "RGB")
    return found


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
    if not codec.palettes and description.photometric == "PALETTE COLOR":
        frames = (apply_palette(frame, file.data_set) for frame in frames)
        for tag in [tag for tag in found if tag in PALETTES]:
            del found[tag]
        found[SAMPLES_PER_PIXEL] = Element("US", b"\3\0")
        description = replace(description, samples=3)
    native = description.frame_bytes * description.frames
    encoded = [_encoded(codec.encode, frame, description, quality) for frame in frames]
    found[PIXEL_DATA] = Element("OB", (_offset_table(encoded), *encoded))
    if description.samples == 3:
        _set_colour(found, codec.colours)
    _describe(found, codec, quality, native / sum(map(len, encoded)), identifiers)
    return found


def _check_size(file: DicomFile, description: ImageDescription) -> None:
    most = min(MAX_NATIVE_BYTES, may_unpack(packed_size(file.data_set)))
    if description.frame_bytes * description.frames > most:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)


def _encoded(encoder: Encoder, frame: Array, description: ImageDescription, quality: int) -> bytes:
    try:
        return encoder(frame, description, quality)
    except Exception as error:  # each library has exceptions of its own for pictures it cannot take
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED, "A frame cannot be compressed") from error


def _describe(data_set: DataSet, codec: Codec, quality: int, ratio: float, identifiers: Identifiers) -> None:
    text = codec.description.format(quality=quality, ratio=f"{ratio:.5g}")
    if codec.method:
        describe_lossy(data_set, text, codec.method, ratio, identifiers.uid())
    elif text:
        describe_derivation(data_set, text)


def _fits(description: ImageDescription, codec: Codec) -> bool:
    if description.samples not in (1, 3) or not description.width or not description.height:
        return False
    if description.samples == 3 and not (description.photometric == "RGB" or description.photometric.startswith("YBR")):
        return False
    return description.bits_allocated in codec.bits and (codec.signed or not description.signed)


def _frames(file: DicomFile, description: ImageDescription) -> Iterator[Array]:
    """Yield the frames as they are stored, colours by pixel; compressed YBR as RGB."""
    value = file.data_set[PIXEL_DATA].value
    if isinstance(value, tuple):
        for fragments in compressed_frames(value, description.frames):
            yield decode_compressed(b"".join(fragments), file.transfer_syntax, description)
        return
    if not isinstance(value, bytes) or description.frame_bytes * description.frames > len(value):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    if description.photometric.startswith("YBR"):
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
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


def _set_colour(data_set: DataSet, photometric: str) -> None:
    data_set[PHOTOMETRIC_INTERPRETATION] = Element("CS", padded(photometric.encode(), b" "))
    data_set[PLANAR_CONFIGURATION] = Element("US", b"\0\0")


def _offset_table(fragments: list[bytes]) -> bytes:
    offsets, position = [], 0
    for fragment in fragments:
        offsets.append(position)
        position += 8 + len(fragment) + (len(fragment) & 1)
    if position > 0xFFFFFFFF:
        return b""
    return struct.pack(f"<{len(offsets)}I", *offsets)
