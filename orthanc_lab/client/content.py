"""What `Client.create_dicom` takes as content, turned into a data URI."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["data_uri"]

_SIGNATURES: Mapping[bytes, str] = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"%PDF-": "application/pdf",
    b"P7": "image/x-portable-arbitrarymap",
    b"solid": "model/stl",
}


def data_uri(content: Any) -> str:
    """Return the data URI of a picture or document.

    Parameters
    ----------
    content
        Bytes or path of a PNG, JPEG, PDF, PAM or STL; a `PIL.Image.Image`; a matplotlib
        figure; or an array of shape (rows, columns) or (rows, columns, 3), 8 or 16 bit.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(content, (str, Path)):
        content = Path(content).read_bytes()
    if isinstance(content, (bytes, bytearray)):
        data = bytes(content)
        for signature, mime in _SIGNATURES.items():
            if data.startswith(signature):
                return _uri(mime, data)
        raise ValueError("The content is no PNG, JPEG, PDF, PAM or STL: it begins with " + repr(data[:8]))
    if hasattr(content, "savefig"):
        return _uri("image/png", _written(lambda out: content.savefig(out, format="png")))
    if hasattr(content, "mode") and hasattr(content, "save"):
        return _uri("image/png", _png(content))
    if hasattr(content, "__array__"):
        return _uri("image/png", _png(_picture(content)))
    raise ValueError(f"A {type(content).__name__} cannot become a DICOM instance")


def _uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def _written(write: Any) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def _png(picture: Any) -> bytes:
    # Orthanc reads grey of 8 and 16 bit and RGB; every other mode is brought to one of them.
    if picture.mode not in ("L", "RGB", "I;16"):
        picture = picture.convert("L" if picture.mode in ("1", "LA") else "RGB")
    return _written(lambda out: picture.save(out, "PNG"))


def _picture(content: Any) -> Any:
    import numpy as np  # noqa: PLC0415 - only for arrays
    from PIL import Image  # noqa: PLC0415

    array = np.asarray(content)
    if array.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"An array must be of uint8 or uint16, this one is {array.dtype}; scale it first")
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8):
        return Image.fromarray(array)
    raise ValueError(f"An array must have shape (rows, columns) or (rows, columns, 3), this one has {array.shape}")
