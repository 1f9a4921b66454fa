"""The content of a new DICOM file: a picture, a document or raw samples, from a data URI."""

from __future__ import annotations

import struct
from typing import Any

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.files import data_uri
from orthanc_lab.dicom.files.data_set import DataSet, Element, Pieces, padded
from orthanc_lab.dicom.images.picture import Picture
from orthanc_lab.dicom.images.read_jpeg import jpeg_size, read_jpeg, read_jpeg_header
from orthanc_lab.dicom.images.read_pam import read_pam
from orthanc_lab.dicom.images.read_png import png_size, read_png
from orthanc_lab.dicom.making.documents import DOCUMENTS, embed_document
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.memory_budget import Reservation

__all__ = ["embed", "encapsulate", "is_data_uri"]


_READERS = {
    "image/png": read_png,
    "image/jpeg": read_jpeg,
    "image/jpg": read_jpeg,
    "image/x-portable-arbitrarymap": read_pam,
}
_COPIES = 3  # of the pixels at the same time: those of the decoder, of the data set and of the file
_UNSUPPORTED = frozenset(
    {
        "application/dicom",
        "application/dicom+json",
        "application/dicom+xml",
        "application/gzip",
        "application/javascript",
        "application/json",
        "application/wasm",
        "application/x-font-woff",
        "application/x-nacl",
        "application/x-pnacl",
        "application/xml",
        "application/zip",
        "font/woff2",
        "image/gif",
        "image/jp2",
        "image/svg+xml",
        "image/x-icon",
        "text/css",
        "text/html",
        "text/plain",
    }
)
"""Types that Orthanc knows from elsewhere; it refuses them in other words than unknown ones."""
_OTHER_NAMES = {"text/xml": "application/xml"}


def is_data_uri(value: object) -> bool:
    """Tell whether a JSON value has the form of a base64 data URI."""
    return isinstance(value, str) and data_uri.matches(value)


def embed(data_set: DataSet, uri: str | memoryview, memory: Reservation | None = None, *, at_once: bool = True) -> None:
    """Embed the content of a data URI in a data set (Orthanc Book, "Creation of DICOM instances").

    Parameters
    ----------
    memory
        To which the memory of a decoded picture is added.
    at_once
        False leaves a picture to be decoded when the file is written: into its place there, and what is wrong with
        it, apart from its header, shows then.

    Raises
    ------
    OrthancError
        15 for a broken URI, picture or document, 2 for a type that cannot be embedded,
        3 for an unknown one.
    """
    stated, data = data_uri.decode(uri)
    mime = _OTHER_NAMES.get(stated.lower(), stated.lower())
    if mime in _READERS:
        if memory is not None:
            memory.add(_COPIES * _decoded_size(mime, data))
        _embed_picture(data_set, _READERS[mime](data), at_once=at_once)
    elif mime in DOCUMENTS:
        embed_document(data_set, mime, data)
    elif mime == "application/octet-stream":
        data_set[tags.PIXEL_DATA] = Element("OW", padded(data))
    elif mime in _UNSUPPORTED:
        message = f"Unsupported MIME type for the content of a new DICOM file: {mime}"
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED, message)
    else:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)


def _decoded_size(mime: str, data: bytes) -> int:
    """Return the bytes of a picture, before it is decoded; 0 for one that is not compressed, or is refused."""
    if mime == "image/png":
        return png_size(data)
    return 0 if mime == "image/x-portable-arbitrarymap" else jpeg_size(data)


def encapsulate(data_set: DataSet, uri: str | memoryview) -> None:
    """Embed the bytes of a JPEG file unchanged in a data set, for JPEG baseline (``Encapsulate``).

    Raises
    ------
    OrthancError
        2 for another type than ``image/jpeg``, else as `embed`.
    """
    mime, data = data_uri.decode(uri)
    if mime != "image/jpeg":
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED, f"Cannot encapsulate pixel data from MIME type: {mime}")
    header = read_jpeg_header(data)
    _describe(data_set, header.width, header.height, header.components, 8)
    photometric = b"MONOCHROME2 " if header.components == 1 else b"YBR_FULL_422"
    data_set[tags.PHOTOMETRIC_INTERPRETATION] = Element("CS", photometric)
    data_set[tags.PIXEL_DATA] = Element("OB", (bytes(4), padded(data)))  # one frame, at offset 0


def _embed_picture(data_set: DataSet, picture: Picture, *, at_once: bool) -> None:
    _describe(data_set, picture.width, picture.height, picture.samples, picture.bits)
    if picture.samples == 3:
        data_set[tags.PHOTOMETRIC_INTERPRETATION] = Element("CS", b"RGB ")
    else:
        data_set.setdefault(tags.PHOTOMETRIC_INTERPRETATION, Element("CS", b"MONOCHROME2 "))
    room: Any = picture.room  # joined like bytes
    data_set[tags.PIXEL_DATA] = Element("OW", Pieces((picture.pixels if at_once else room,)))


def _describe(data_set: DataSet, width: int, height: int, samples: int, bits: int) -> None:
    data_set[tags.SAMPLES_PER_PIXEL] = _unsigned(samples)
    data_set[tags.ROWS] = _unsigned(height)
    data_set[tags.COLUMNS] = _unsigned(width)
    data_set[tags.BITS_ALLOCATED] = _unsigned(bits)
    data_set[tags.BITS_STORED] = _unsigned(bits)
    data_set[tags.HIGH_BIT] = _unsigned(bits - 1)
    data_set[tags.PIXEL_REPRESENTATION] = _unsigned(0)
    if samples == 3:
        data_set[tags.PLANAR_CONFIGURATION] = _unsigned(0)


def _unsigned(number: int) -> Element:
    return Element("US", struct.pack("<H", number))
