"""DICOM files and ZIP archives for the tests."""

from __future__ import annotations

import io
import struct
import zipfile

from orthanc_lab.dicom.files.data_set import DataSet, Element, encode_file, padded

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"


def dicom(
    patient: str | bytes | None = "P1",
    name: str | bytes | None = "Doe^John",
    study: str = "1.1",
    series: str = "1.1.1",
    sop: str = "1.1.1.1",
    *,
    number: str | None = "1",
    modality: str | None = "CT",
    charset: str = "",
    pixels: bytes | tuple[bytes, ...] | None = bytes(32),
    size: tuple[int, int] = (4, 4),
    bits: int = 16,
    extra: dict[int, tuple[str, str | bytes]] | None = None,
    sop_class: str = CT,
    syntax: str = EXPLICIT_LE,
) -> bytes:
    """Return a small CT image; `extra` as {0x00081030: ("LO", "Brain")}."""
    texts: dict[int, tuple[str, str | bytes | None]] = {
        0x00080005: ("CS", charset or None),
        0x00080016: ("UI", sop_class or None),
        0x00080018: ("UI", sop),
        0x00080060: ("CS", modality),
        0x00100010: ("PN", name),
        0x00100020: ("LO", patient),
        0x0020000D: ("UI", study),
        0x0020000E: ("UI", series),
        0x00200013: ("IS", number),
        **(extra or {}),
    }
    data_set: DataSet = {
        tag: Element(vr, padded(value.encode() if isinstance(value, str) else value, b"\0" if vr == "UI" else b" "))
        for tag, (vr, value) in texts.items()
        if value is not None
    }
    if pixels is not None:
        numbers = {0x00280002: 1, 0x00280010: size[0], 0x00280011: size[1], 0x00280100: bits, 0x00280101: bits}
        numbers |= {0x00280102: bits - 1, 0x00280103: 0}
        data_set |= {tag: Element("US", struct.pack("<H", value)) for tag, value in numbers.items()}
        data_set[0x00280004] = Element("CS", b"MONOCHROME2 ")
        data_set[0x7FE00010] = Element("OW", pixels) if isinstance(pixels, bytes) else Element("OB", pixels)
    return encode_file(data_set, syntax, sop_class, sop)


def names_of(archive: bytes) -> list[str]:
    """Return the names in a ZIP, after checking every CRC."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return opened.namelist()


def member(archive: bytes, name: str) -> bytes:
    """Return one member of a ZIP."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read(name)
