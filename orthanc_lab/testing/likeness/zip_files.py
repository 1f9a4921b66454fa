"""Comparing ZIP archives: their members in order, with attributes and bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from orthanc_lab.testing.likeness.dicom_files import compare_dicom
from orthanc_lab.testing.likeness.difference import Difference
from orthanc_lab.testing.likeness.pairs import Pairs

__all__ = ["compare_zip"]

_LARGEST = 512 << 20  # bytes of all members
_ATTRIBUTES = ("compress_type", "flag_bits", "create_version", "extract_version", "external_attr", "extra", "comment")


def compare_zip(ours: bytes, real: bytes, pairs: Pairs) -> Iterator[Difference]:
    """Compare two archives; members that differ in their bytes are compared as DICOM files."""
    mine, theirs = _opened(ours), _opened(real)
    if mine is None or theirs is None:
        if mine is not theirs:
            yield Difference.of("zip", f"{ours[:30]!r} ({len(ours)} bytes)", f"{real[:30]!r} ({len(real)} bytes)")
        return
    if mine.comment != theirs.comment:
        yield Difference.of("zip comment", mine.comment, theirs.comment)
    if max(sum(info.file_size for info in archive.infolist()) for archive in (mine, theirs)) > _LARGEST:
        yield Difference.of("zip", "", "too large to be compared")
        return
    our_names, real_names = mine.namelist(), theirs.namelist()
    if len(our_names) != len(real_names) or not all(map(pairs.alike, our_names, real_names)):
        yield Difference.of("zip members", our_names, real_names)
        return
    for index, (info, their_info) in enumerate(zip(mine.infolist(), theirs.infolist(), strict=True)):
        for name in _ATTRIBUTES:
            if getattr(info, name) != getattr(their_info, name):
                yield Difference.of(f"zip {name}", getattr(info, name), getattr(their_info, name))
        kind = "dicomdir" if info.filename == "DICOMDIR" else f"zip member {index}"
        yield from compare_dicom(mine.read(info), theirs.read(their_info), pairs, kind)


def _opened(body: bytes) -> zipfile.ZipFile | None:
    try:
        return zipfile.ZipFile(io.BytesIO(body))
    except zipfile.BadZipFile:
        return None
