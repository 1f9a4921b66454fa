"""Decoding JPEG pictures to samples."""

from __future__ import annotations

import io
from functools import partial

from orthanc_lab.dicom.images import jpeg_header
from orthanc_lab.dicom.images.jpeg_header import JpegHeader
from orthanc_lab.dicom.images.picture import Picture, copy_into, samples_of
from orthanc_lab.dicom.limits import MAX_PICTURE_BYTES, may_unpack
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["jpeg_size", "read_jpeg", "read_jpeg_header"]

_END_OF_IMAGE = b"\xff\xd9"
_START_OF_SCAN = b"\xff\xda"


def read_jpeg(data: bytes) -> Picture:
    """Read a JPEG of 8-bit gray or colour; a truncated one is filled up, as libjpeg does.

    Raises
    ------
    OrthancError
        -1 with details if it is not a JPEG, 2 for CMYK, 15 if it is too large.
    """
    header = read_jpeg_header(data)
    return Picture(header.width, header.height, header.components, 8, partial(_decode, data, header))


def jpeg_size(data: bytes) -> int:
    """Return the bytes of the samples of a JPEG.

    Raises
    ------
    OrthancError
        As `read_jpeg`.
    """
    header = read_jpeg_header(data)
    return header.width * header.height * header.components


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Return the header of a JPEG file of 1 or 3 components with 8 bits.

    Raises
    ------
    OrthancError
        As `read_jpeg`.
    """
    if not data:
        raise _bad_jpeg("Empty input file")
    if data[:2] != b"\xff\xd8":
        raise _bad_jpeg(f"Not a JPEG file: starts with 0x{data[0]:02x} 0x{data[1] if len(data) > 1 else 0xFF:02x}")
    try:
        header = jpeg_header.read_jpeg_header(data)
    except ValueError as error:
        raise _bad_jpeg("JPEG datastream contains no image") from error
    if _START_OF_SCAN not in data:
        raise _bad_jpeg("Invalid JPEG file structure: missing SOS marker")
    if header.precision != 8:
        raise _bad_jpeg(f"Unsupported JPEG data precision {header.precision}")
    if header.components not in (1, 3):
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    if not 0 < header.width * header.height * header.components <= min(MAX_PICTURE_BYTES, may_unpack(len(data))):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return header


def _decode(data: bytes, header: JpegHeader, target: memoryview) -> None:
    if _decode_directly(data, header, target):
        return
    # Pillow takes a tenth of a second to import: only a server that gets pictures pays for it.
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415

    try:
        with JpegImageFile(io.BytesIO(_terminated(data))) as image:
            if image.size != (header.width, header.height):
                raise ValueError("the picture has two sizes")
            image.load()
            copy_into(target, samples_of(image))
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _bad_jpeg(str(error)) from error


def _decode_directly(data: bytes, header: JpegHeader, target: memoryview) -> bool:
    """Decode with the extra ``codecs``, without any copy; False without it, or if it refuses: Pillow says why."""
    try:
        from imagecodecs import Jpeg8Error, jpeg8_decode  # noqa: PLC0415 - as Pillow
    except ModuleNotFoundError:
        return False
    import numpy as np  # noqa: PLC0415 - as Pillow

    shape = (header.height, header.width) + ((3,) if header.components == 3 else ())
    try:
        jpeg8_decode(data, out=np.frombuffer(target, np.uint8).reshape(shape))
    except (Jpeg8Error, ValueError):  # damaged, or of another size than its header says
        return False
    return True


def _terminated(data: bytes) -> bytes:
    # More end markers make Pillow's libjpeg go to the end of a truncated file.
    return data if data.endswith(_END_OF_IMAGE) else data + _END_OF_IMAGE * 64


def _bad_jpeg(reason: str) -> OrthancError:
    return OrthancError(ErrorCode.INTERNAL_ERROR, f"Error during JPEG decoding: {reason}")
