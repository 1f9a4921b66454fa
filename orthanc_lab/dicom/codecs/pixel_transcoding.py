"""Pixel data compressed and decompressed, with the elements that describe them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from orthanc_lab.dicom.codecs.decoders import decode_compressed
from orthanc_lab.dicom.codecs.derivation import describe_derivation, describe_lossy
from orthanc_lab.dicom.codecs.encoders import NEAR, Encoder, encoder_for
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.images.image_description import ImageDescription, describe_image
from orthanc_lab.dicom.images.palette import apply_palette
from orthanc_lab.dicom.images.pixels import Array
from orthanc_lab.dicom.images.raw_frames import compressed_frames, uncompressed_frame
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Identifiers

__all__ = ["MAX_BYTES", "compress", "decompress"]

MAX_BYTES = 1 << 31
"""Pixel data that would take more bytes than this are not decompressed."""

_JPEG = "1.2.840.10008.1.2.4."
_LOSSY_JPEG = {_JPEG + "50": "JPEG baseline", _JPEG + "51": "JPEG extended sequential 8 bit"}
_LOSSLESS_JPEG = (_JPEG + "57", _JPEG + "70")
_RLE = "1.2.840.10008.1.2.5"
_SAMPLES, _PHOTOMETRIC, _PLANAR, _PIXEL_DATA = 0x00280002, 0x00280004, 0x00280006, 0x7FE00010
_PALETTE = range(0x00281101, 0x00281204)


def decompress(file: DicomFile) -> DataSet:
    """Return the data set with native pixel data, colours as RGB by pixel.

    Raises
    ------
    OrthancError
        2 or 15 if the frames cannot be decoded, 24 for more than `MAX_BYTES`.
    """
    description = describe_image(file.data_set)
    if description.frame_bytes * description.frames > MAX_BYTES:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)
    pixels = padded(b"".join(frame.tobytes() for frame in _frames(file, description)))
    found = {**file.data_set, _PIXEL_DATA: Element("OW", pixels)}
    if description.samples == 3:
        _set_colour(found, "RGB")
    return found


def compress(file: DicomFile, target: str, quality: int, identifiers: Identifiers) -> DataSet | None:
    """Return the data set with encapsulated pixel data, None if this image cannot be compressed so.

    A lossy transfer syntax makes a derived image, with a SOP Instance UID of its own.
    """
    encoder = encoder_for(target)
    description = describe_image(file.data_set)
    if encoder is None or not description.frames or not _fits(description, target):
        return None
    frames = _frames(file, description)
    found = dict(file.data_set)
    if target in _LOSSY_JPEG and description.photometric == "PALETTE COLOR":
        frames = (apply_palette(frame, file.data_set) for frame in frames)
        for tag in [tag for tag in found if tag in _PALETTE]:
            del found[tag]
        found[_SAMPLES] = Element("US", b"\3\0")
        description = replace(description, samples=3)
    native = description.frame_bytes * description.frames
    encoded = [_encoded(encoder, frame, description, quality) for frame in frames]
    found[_PIXEL_DATA] = Element("OB", (_offset_table(encoded), *encoded))
    if description.samples == 3:
        _set_colour(found, "YBR_FULL_422" if target in _LOSSY_JPEG else "RGB")
    _describe(found, target, quality, native / sum(map(len, encoded)), identifiers)
    return found


def _encoded(encoder: Encoder, frame: Array, description: ImageDescription, quality: int) -> bytes:
    try:
        return encoder(frame, description, quality)
    except Exception as error:  # each library has exceptions of its own for pictures it cannot take
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED, "A frame cannot be compressed") from error


def _describe(data_set: DataSet, target: str, quality: int, ratio: float, identifiers: Identifiers) -> None:
    size = f"{ratio:.5g}"
    if target in _LOSSY_JPEG:
        text = f"Lossy compression with {_LOSSY_JPEG[target]}, IJG quality factor {quality}, compression ratio {size}"
        describe_lossy(data_set, text, "ISO_10918_1", ratio, identifiers.uid())
    elif target == _JPEG + "81":
        text = f"near lossless JPEG-LS compression, factor {size} (NEAR={NEAR})"
        describe_lossy(data_set, text, "ISO_14495_1", ratio, identifiers.uid())
    elif target in _LOSSLESS_JPEG:
        text = f"Lossless JPEG compression, selection value 1, point transform 0, compression ratio {size}"
        describe_derivation(data_set, text)


def _fits(description: ImageDescription, target: str) -> bool:
    bits = description.bits_allocated
    if description.samples not in (1, 3) or not description.width or not description.height:
        return False
    if description.samples == 3 and not (description.photometric == "RGB" or description.photometric.startswith("YBR")):
        return False
    if target in _LOSSY_JPEG:
        return bits == 8 and not description.signed
    if target == _JPEG + "81":
        return bits in (8, 16) and not description.signed
    return bits in (8, 16) or (bits == 32 and target == _RLE)


def _frames(file: DicomFile, description: ImageDescription) -> Iterator[Array]:
    """Yield the frames as they are stored, colours by pixel; compressed YBR as RGB."""
    value = file.data_set[_PIXEL_DATA].value
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
    data_set[_PHOTOMETRIC] = Element("CS", padded(photometric.encode(), b" "))
    data_set[_PLANAR] = Element("US", b"\0\0")


def _offset_table(fragments: list[bytes]) -> bytes:
    offsets, position = [], 0
    for fragment in fragments:
        offsets.append(position)
        position += 8 + len(fragment) + (len(fragment) & 1)
    if position > 0xFFFFFFFF:
        return b""
    return struct.pack(f"<{len(offsets)}I", *offsets)
