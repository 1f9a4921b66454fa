"""Values of DICOM tags that stay in a capsule: what images are and how large, never what anybody wrote."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from orthanc_lab.dicom.files.charsets import by_term
from orthanc_lab.testing.capsule.registered import is_known_creator

__all__ = ["kept_number_bytes", "kept_text"]

_NUMBERS = frozenset(
    {0x00200011, 0x00200012, 0x00200013, 0x00200100, 0x00200105, 0x00201002, 0x00201200, 0x00201202, 0x00201204}
    | {0x00201206, 0x00201208, 0x00201209, 0x00280002, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100}
    | {0x00280101, 0x00280102, 0x00280103, 0x00540081, 0x00540101, 0x00541330, 0x00180091, 0x00280014}
)
"""Counts, sizes in pixels, and places in an order."""
_DECIMALS = frozenset(
    {0x00180050, 0x00180088, 0x00200032, 0x00200037, 0x00201041, 0x00280030, 0x00281050, 0x00281051, 0x00281052}
    | {0x00281053, 0x00181164, 0x00180080, 0x00180081}
)
"""Where the image is, and how its values are shown; two decimals of them stay."""
_OFFSETS = frozenset({0x00041200, 0x00041202, 0x00041400, 0x00041420})
"""Positions in a DICOMDIR."""
_FLAGS = frozenset({0x00041212, 0x00041410})
_LENGTH = re.compile(r"[0-9]{1,7}", re.ASCII)  # of a group
_NUMBER = re.compile(r" *-?[0-9]{1,4} *", re.ASCII)
_DECIMAL = re.compile(
    r"(?P<kept> *[+-]?[0-9]{1,4}(?:\.[0-9]{0,2})?)(?P<more>(?<=\.[0-9]{2})[0-9]+)?(?P<pad> *)", re.ASCII
)
_FILE = re.compile(r"IMAGES|DICOMDIR|IM[0-9]{1,6}", re.ASCII)
_PROGRAM = re.compile(r"OFFIS_DCMTK_[0-9]{3}|PYDICOM [0-9.]{1,9}|PYNETDICOM_[0-9]{1,4}", re.ASCII)


def kept_text(tag: int, text: str) -> str | None:
    """Return one value of a tag as it stays in a capsule, None if it does not.

    Examples
    --------
    >>> kept_text(0x00080060, "CT"), kept_text(0x00080060, "MILLER")
    ('CT', None)
    >>> kept_text(0x00200032, "-12.34567"), kept_text(0x00200032, "1234567"), kept_text(0x00200032, "7.5")
    ('-12.34000', None, '7.5')
    """
    plain = text.strip(" ")
    if not plain:
        return text
    if plain in _terms().get(tag, ()):
        return text
    if not tag & 0xFFFF:
        return text if _LENGTH.fullmatch(text) else None
    if tag in _NUMBERS:
        return text if _NUMBER.fullmatch(text) else None
    if tag in _DECIMALS:
        return _rounded(text)
    if tag == 0x00100040:
        return "O" if plain in ("M", "F", "O") else None
    if tag == 0x00080005:
        return text if by_term(plain) is not None else None
    if tag == 0x00041500:
        return text if _FILE.fullmatch(plain) else None
    if tag == 0x00020013:
        return text if _PROGRAM.fullmatch(plain) else None
    if tag & 0x10000 and 0x10 <= tag & 0xFFFF <= 0xFF:
        return text if is_known_creator(plain) else None
    return None


@functools.cache
def _terms() -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for line in Path(__file__).with_name("kept_terms.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            tag, *terms = line.split()
            found.setdefault(int(tag, 16), set()).update(term.replace("+", " ") for term in terms)
    return found


def _rounded(text: str) -> str | None:
    match = _DECIMAL.fullmatch(text)
    return None if match is None else match["kept"] + "0" * len(match["more"] or "") + match["pad"]


def kept_number_bytes(tag: int, vr: str, value: bytes) -> bool:
    """Tell whether the bytes of a number stay: one number of a tag above, or a length or position in the file."""
    if len(value) == 2:
        return tag in _NUMBERS or tag in _FLAGS
    if len(value) == 4 and vr == "UL":
        return tag in _OFFSETS or (not tag & 0xFFFF and int.from_bytes(value, "little") < 10_000_000)
    return tag == 0x00020001 and value == b"\0\1"
