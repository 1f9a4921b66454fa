"""Decoding of compressed frames.

numpy and Pillow take a while to import; the server loads this module with the first picture.
"""

from __future__ import annotations

from orthanc_lab.dicom.codecs.codec import Array, codec_of
from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.limits import MAX_FRAME_BYTES, may_unpack
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["decode_compressed"]

_JPEG = "1.2.840.10008.1.2.4."


def decode_compressed(data: bytes, syntax: str, description: ImageDescription) -> Array:
    """Decode one frame.

    Parameters
    ----------
    data
        The fragments of the frame, joined.
    syntax
        Transfer syntax UID.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns) or (rows, columns, 3), colours as RGB; samples of the allocated size.

    Raises
    ------
    OrthancError
        2 for a transfer syntax without a decoder, 15 for data that cannot be decoded.
    """
    codec = codec_of(syntax)
    if codec is None or codec.decode is None:
        raise OrthancError(
            ErrorCode.NOT_IMPLEMENTED,
            "The built-in DCMTK decoder cannot decode some DICOM instance"
            + (f" whose transfer syntax is: {syntax}" if syntax.startswith(_JPEG) else ""),
        )
    if description.frame_bytes > min(MAX_FRAME_BYTES, len(data) * codec.expansion, may_unpack(len(data))):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "A frame is too large")
    try:
        pixels = codec.decode(data, description)
    except Exception as error:  # each library has exceptions of its own for broken data
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Cannot decode a non-palette image") from error
    shape = (description.height, description.width) + ((3,) if description.samples == 3 else ())
    if pixels.shape != shape:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "The size of a frame is not the one that the file declares")
    return pixels
