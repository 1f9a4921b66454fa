"""Images and documents to be turned into DICOM: recognised by their bytes, described as text."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

__all__ = ["Content", "content_of", "order", "refusal", "thumbnail"]

_KINDS: Mapping[bytes, str] = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"%PDF-": "PDF"}
_OTHERS: Mapping[tuple[int, bytes], str] = {
    (128, b"DICM"): "is already a DICOM file: upload it instead",
    (0, b"PK\x03\x04"): "is a ZIP archive",
    (0, b"GIF8"): "is a GIF",
    (0, b"BM"): "is a BMP",
    (0, b"II*\x00"): "is a TIFF",
    (0, b"MM\x00*"): "is a TIFF",
    (8, b"WEBP"): "is a WebP",
    (0, b"\x00\x00\x00\x0cjP"): "is a JPEG 2000",
    (0, b"\xff\x4f\xff\x51"): "is a JPEG 2000",
}
_DEPTHS = {"L": "gray", "RGB": "color", "RGBA": "color", "I;16": "gray, 16 bit", "I": "gray, 16 bit", "P": "color"}
_SEARCHED = 20 << 20  # bytes of a PDF that are searched for pages


@dataclass(frozen=True, slots=True)
class Content:
    """One image or document on the disk."""

    name: str
    path: Path
    kind: str  # PNG, JPEG or PDF
    words: str  # description: "PNG, 640 × 480, gray"

    @property
    def is_picture(self) -> bool:
        """Whether it has pixels."""
        return self.kind != "PDF"


def refusal(name: str, head: bytes) -> str:
    """Return why a file with these first bytes cannot become DICOM, "" if it can; its name does not matter.

    Examples
    --------
    >>> refusal("a.png", b"GIF89a")
    'is a GIF; only PNG, JPEG and PDF are accepted here'
    """
    if _kind(head):
        return ""
    known = [words for (start, signature), words in _OTHERS.items() if head[start:].startswith(signature)]
    return f"{known[0] if known else 'is of an unknown type'}; only PNG, JPEG and PDF are accepted here"


def _kind(head: bytes) -> str:
    return next((kind for signature, kind in _KINDS.items() if head.startswith(signature)), "")


def content_of(name: str, path: Path) -> Content:
    """Return a description of a file.

    Raises
    ------
    ValueError
        If the file has another type, is damaged, or is in a format that Orthanc does not read.
    """
    with path.open("rb") as file:
        head = file.read(200)
    if words := refusal(name, head):
        raise ValueError(words)
    kind = _kind(head)
    return Content(name, path, kind, _document(path) if kind == "PDF" else _picture(path, kind))


def _document(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_SEARCHED)
    pages = len(re.findall(rb"/Type\s*/Page(?![a-zA-Z])", data))  # pages in compressed objects are not found
    return f"PDF, {pages} page{'s' if pages > 1 else ''}" if pages else "PDF"


def _picture(path: Path, kind: str) -> str:
    with _opened(path) as picture:
        if kind == "JPEG" and picture.mode not in ("L", "RGB"):
            raise ValueError(f"is a {picture.mode} JPEG; Orthanc reads only gray and color (RGB)")
        return f"{kind}, {picture.width} × {picture.height}, {_DEPTHS.get(picture.mode, picture.mode)}"


def _opened(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # it is the user's own file
        try:
            return Image.open(path)
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError("cannot be read as an image: it is damaged, or too large") from error


def thumbnail(content: Content, side: int = 96) -> bytes:
    """Return a small PNG of an image; empty for a document.

    Raises
    ------
    ValueError
        If the pixels are damaged.
    """
    if not content.is_picture:
        return b""
    out = io.BytesIO()
    with _opened(content.path) as picture:
        try:
            picture.draft(None, (2 * side, 2 * side))  # decodes a JPEG directly at a small size
            if picture.mode in ("I;16", "I"):
                picture = picture.convert("I").point(lambda value: value / 256).convert("L")  # noqa: PLW2901
            small = picture.convert("RGB")
            small.thumbnail((side, side))
        except (OSError, SyntaxError, ValueError) as error:
            raise ValueError("is a damaged image") from error
        small.save(out, "PNG")
    return out.getvalue()


def order(content: Content) -> tuple[object, ...]:
    """Return the key for sorting names in natural order: ``2.png`` before ``10.png``.

    Examples
    --------
    >>> names = ["10.png", "2.png", "a1.png"]
    >>> sorted(names, key=lambda name: order(Content(name, Path(), "PNG", "")))
    ['2.png', '10.png', 'a1.png']
    """
    parts = re.split(r"(\d+)", content.name.lower())
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts))
