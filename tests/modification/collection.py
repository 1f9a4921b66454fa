"""Two patients whose instances refer to each other, and have private and nested tags."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from orthanc_lab.dicom.files.data_set import DataSet, Element, encode_file, padded
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE

CLASS = "1.2.840.10008.5.1.4.1.1.7"


def text(vr: str, value: str) -> Element:
    """Return an element of text in Latin1."""
    return Element(vr, padded(value.encode("latin-1"), b"\0" if vr == "UI" else b" "))


def orthanc_id(*parts: str) -> str:
    """Return the Orthanc identifier of a resource."""
    digest = hashlib.sha1("|".join(parts).encode()).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))


def instance(sop: str = "1.5.1.1.1", **changes: Any) -> DataSet:
    """Return a small picture; `changes` are tags written as ``x00100010``, None to leave one out."""
    study, series = sop.split(".")[2:4]
    item: DataSet = {
        0x00080100: text("SH", "c1"),
        0x00081155: text("UI", "1.5.1.1.2"),
        0x00090010: text("LO", "PRIVATE"),
        0x00091001: text("LO", "np"),
        0x00100010: text("PN", "N^N"),
        0x00100020: text("LO", "P1"),
        0x0020000D: text("UI", "1.5.1"),
    }
    inner: DataSet = {0x00081140: Element("SQ", [{0x00080100: text("SH", "deep"), 0x00081155: text("UI", "1.9")}])}
    data_set: DataSet = {
        0x00080005: text("CS", "ISO_IR 100"),
        0x00080016: text("UI", CLASS),
        0x00080018: text("UI", sop),
        0x00080020: text("DA", "20200102"),
        0x00080050: text("SH", "ACC"),
        0x00080060: text("CS", "OT"),
        0x00081030: text("LO", "STUDY"),
        0x0008103E: text("LO", "SERIES"),
        0x00081140: Element("SQ", [item, inner]),
        0x00090010: text("LO", "PRIVATE"),
        0x00091001: text("LO", "priv"),
        0x00100010: text("PN", "Jérôme"),
        0x00100020: text("LO", "P1"),
        0x00100030: text("DA", "19700101"),
        0x00100040: text("CS", "M"),
        0x0020000D: text("UI", f"1.5.{study}"),
        0x0020000E: text("UI", f"1.5.{study}.{series}"),
        0x00200010: text("SH", "SID"),
        0x00200013: text("IS", sop.rsplit(".", 1)[1]),
        0x00200052: text("UI", "1.2.3.4.77"),
        0x00280002: Element("US", b"\1\0"),
        0x00280004: text("CS", "MONOCHROME2"),
        0x00280010: Element("US", b"\2\0"),
        0x00280011: Element("US", b"\2\0"),
        0x00280100: Element("US", b"\x08\0"),
        0x00280101: Element("US", b"\x08\0"),
        0x00280102: Element("US", b"\7\0"),
        0x00280103: Element("US", b"\0\0"),
        0x7FE00010: Element("OW", b"\1\2\3\4"),
    }
    for name, element in changes.items():
        tag = int(name[1:], 16)
        data_set.pop(tag, None)
        if element is not None:
            data_set[tag] = element
    return data_set


def file_of(data_set: DataSet) -> bytes:
    """Return a data set as a file."""
    sop = data_set[0x00080018].value
    assert isinstance(sop, bytes)
    return encode_file(data_set, EXPLICIT_LE, CLASS, sop.rstrip(b"\0").decode())


@cache
def collection() -> list[bytes]:
    """Return the files: P1 has study 1 with two series of two and study 2 with one; P2 has study 6."""
    files = [file_of(instance(f"1.5.{place}.{number}")) for place in ("1.1", "1.2", "2.1") for number in (1, 2)]
    other = {
        "x00100010": text("PN", "Two^B"),
        "x00100020": text("LO", "P2"),
        "x00100030": None,
        "x00081030": text("LO", "OTHER"),
        "x00080050": text("SH", "ACC2"),
        "x00080080": text("LO", "INST"),
        "x00080020": text("DA", "20210101"),
    }
    return files + [file_of(instance(f"1.5.6.1.{number}", **other)) for number in (1, 2)]


PATIENT = orthanc_id("P1")
STUDY = orthanc_id("P1", "1.5.1")
STUDY_2 = orthanc_id("P1", "1.5.2")
SERIES = orthanc_id("P1", "1.5.1", "1.5.1.1")
SERIES_2 = orthanc_id("P1", "1.5.1", "1.5.1.2")
INSTANCE = orthanc_id("P1", "1.5.1", "1.5.1.1", "1.5.1.1.1")
INSTANCE_2 = orthanc_id("P1", "1.5.1", "1.5.1.2", "1.5.1.2.1")
OTHER_PATIENT = orthanc_id("P2")
OTHER_STUDY = orthanc_id("P2", "1.5.6")
OTHER_SERIES = orthanc_id("P2", "1.5.6", "1.5.6.1")
OTHER_INSTANCE = orthanc_id("P2", "1.5.6", "1.5.6.1", "1.5.6.1.1")
