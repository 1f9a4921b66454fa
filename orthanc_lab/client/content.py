"""Turns what `Client.create_dicom` accepts as content into a data URI."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any

__all__ = ["data_uri", "dicom_tags"]

_SIGNATURES: Mapping[bytes, str] = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"%PDF-": "application/pdf",
    b"P7": "image/x-portable-arbitrarymap",
    b"solid": "model/stl",
}
_PNG_FORMS = (b"\x08\x00", b"\x10\x00", b"\x08\x02", b"\x08\x06", b"\x10\x06")
"""Bit depth and colour type of the PNGs that Orthanc reads: grey, RGB and RGBA."""


def data_uri(content: Any) -> str:
    """Return the data URI of an image or document.

    Parameters
    ----------
    content
        Bytes or path of a PNG, JPEG, PDF, PAM or STL; a `PIL.Image.Image`; a matplotlib
        figure; or an 8- or 16-bit array of shape (rows, columns) or (rows, columns, 3).

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(content, (str, Path)):
        content = Path(content).read_bytes()
    if isinstance(content, (bytes, bytearray, memoryview)):
        return _of_bytes(bytes(content))
    if hasattr(content, "savefig"):
        return _uri("image/png", _written(lambda out: content.savefig(out, format="png")))
    if hasattr(content, "mode") and hasattr(content, "save"):
        return _uri("image/png", _png(content))
    if hasattr(content, "__array__"):
        return _uri("image/png", _png(_picture(content)))
    raise ValueError(f"A {type(content).__name__} cannot become a DICOM instance")


def _of_bytes(data: bytes) -> str:
    for signature, mime in _SIGNATURES.items():
        if data.startswith(signature):
            if mime == "image/png" and data[24:26] not in _PNG_FORMS:
                data = _png_of_png(data)
            return _uri(mime, data)
    raise ValueError(f"The content is not a PNG, JPEG, PDF, PAM or STL: it begins with {data[:8]!r}")


def _png_of_png(data: bytes) -> bytes:
    from PIL import Image  # noqa: PLC0415 - slow to import

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return _png(picture)
    except (OSError, SyntaxError) as error:
        raise ValueError(f"The PNG is broken: {error}") from error


def dicom_tags(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Return tags with their values as Orthanc expects them: text, lists of items, or data URIs.

    Parameters
    ----------
    tags
        Text; a number; a date or a time; bytes, for private and other binary tags; a list of numbers or texts (for
        a multi-valued element); a list of dictionaries (a sequence); a value of pydicom; None for an empty element.

    Raises
    ------
    TypeError
        For another value, such as NaN, with the name of the tag.
    """
    if not isinstance(tags, Mapping):
        raise TypeError(f"Expected a dictionary of tags and their values, not {tags!r}")
    return {name: _value(name, value) for name, value in tags.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return _uri("application/octet-stream", bytes(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        if all(isinstance(item, Mapping) for item in value):
            return [dicom_tags(item) for item in value]
        return "\\".join("" if item is None else _text(name, item) for item in value)
    return None if value is None else _text(name, value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str) or hasattr(value, "original_string"):  # the latter: names, dates and times of pydicom
        return str(value)
    if isinstance(value, (Real, Decimal)) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.strftime("%Y%m%d")
    if isinstance(value, time):
        return value.strftime("%H%M%S.%f" if value.microsecond else "%H%M%S")
    words = (
        "it is text, a finite number, a date, a time, bytes, None, "
        "or a list of texts, numbers, or dictionaries (a sequence)"
    )
    hint = "; take the date() or the time() of it" if isinstance(value, datetime) else ""
    raise TypeError(f"{value!r} cannot be the value of {name}: {words}{hint}")


def _uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def _written(write: Any) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def _png(picture: Any) -> bytes:
    # Orthanc reads 8- and 16-bit grey, and RGB; every other mode is converted to one of them.
    if picture.mode == "I":  # how some versions of Pillow read 16-bit grey
        picture = picture.convert("I;16")
    elif picture.mode == "F":
        raise ValueError("A floating-point image cannot be stored with 8 or 16 bits; scale it to integers first")
    elif picture.mode not in ("L", "RGB", "I;16"):
        picture = picture.convert("L" if picture.mode in ("1", "LA") else "RGB")
    return _written(lambda out: picture.save(out, "PNG"))


def _picture(content: Any) -> Any:
    import numpy as np  # noqa: PLC0415 - only for arrays
    from PIL import Image  # noqa: PLC0415

    array = np.asarray(content)
    if array.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"An array must be uint8 or uint16, but this one is {array.dtype}; scale it first")
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8):
        return Image.fromarray(array)
    raise ValueError(
        f"An array must have shape (rows, columns), or (rows, columns, 3) with uint8; this one has {array.shape}.\n"
        "To make a series from a volume, pass it as a list: create_dicom(list(volume), …)"
    )
