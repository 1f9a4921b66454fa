"""DICOM files made element by element, and pydicom's real ones."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pydicom.data

from orthanc_lab.dicom.files.data_set import DataSet, Element, Value
from orthanc_lab.dicom.files.write import write_file
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE

_DATA = Path(pydicom.data.__file__).parent
_WITHOUT_DATA_SET = {"README.txt", "DICOMDIR"}

REAL_FILES = sorted(
    path
    for folder in ("test_files", "charset_files")
    for path in (_DATA / folder).rglob("*")
    if path.is_file() and path.suffix in ("", ".dcm") and path.read_bytes()[128:132] == b"DICM"
)
"""The files inside of pydicom's wheel that have a preamble."""

IDENTIFIERS: DataSet = {
    0x00080016: Element("UI", b"1.2.840.10008.5.1.4.1.1.7\0"),
    0x00080018: Element("UI", b"1.2.3.4\0"),
    0x0020000D: Element("UI", b"1.2.3.1\0"),
    0x0020000E: Element("UI", b"1.2.3.2\0"),
    0x00100020: Element("LO", b"P "),
}


def real_file(name: str) -> bytes:
    """Return one of pydicom's files by its name."""
    return next(path for path in REAL_FILES if path.name == name).read_bytes()


def file_of(elements: dict[int, tuple[str, Value]], syntax: str = EXPLICIT_LE) -> bytes:
    """Return a file with the identifiers and these elements."""
    return write_file({**IDENTIFIERS, **{tag: Element(*element) for tag, element in elements.items()}}, syntax)


def code_of(call: Callable[[], object]) -> int | None:
    """Return the code of the error that a call raises, None if it succeeds."""
    try:
        call()
    except OrthancError as error:
        return error.code
    return None


def us(*numbers: int) -> tuple[str, bytes]:
    """Return an element of VR US."""
    return "US", struct.pack(f"<{len(numbers)}H", *numbers)


def image_of(pixels: bytes, width: int, height: int, **changes: int | str) -> dict[int, tuple[str, Value]]:
    """Return the elements of an image: 8-bit gray, or as `changes` say.

    Parameters
    ----------
    **changes
        ``bits``, ``stored``, ``high``, ``signed``, ``samples``, ``planar``, ``photometric``, ``frames``.
    """
    bits = int(changes.get("bits", 8))
    stored = int(changes.get("stored", bits))
    elements: dict[int, tuple[str, Value]] = {
        0x00280002: us(int(changes.get("samples", 1))),
        0x00280004: ("CS", str(changes.get("photometric", "MONOCHROME2")).encode()),
        0x00280010: us(height),
        0x00280011: us(width),
        0x00280100: us(bits),
        0x00280101: us(stored),
        0x00280102: us(int(changes.get("high", stored - 1))),
        0x00280103: us(int(changes.get("signed", 0))),
        0x7FE00010: ("OW" if bits > 8 else "OB", pixels),
    }
    if "planar" in changes:
        elements[0x00280006] = us(int(changes["planar"]))
    if "frames" in changes:
        elements[0x00280008] = ("IS", str(changes["frames"]).encode())
    return elements
