"""Profiles of anonymization (PS3.15 table E.1-1), as Orthanc applies them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["DEFAULT_VERSION", "Profile", "profile_of"]

DEFAULT_VERSION = "2023b"
_VERSIONS = ("2008", "2017c", "2021b", "2023b")


@dataclass(frozen=True, slots=True)
class Profile:
    """What one version of the table does; all sets hold tags."""

    removed: frozenset[int]  # taken out
    cleared: frozenset[int]  # emptied, if present
    removed_in_items: frozenset[int]  # of the cleared ones, those taken out inside of sequences
    uids: frozenset[int]  # replaced by new UIDs
    removes_curves_in_items: bool  # curves (50xx) and comments of overlays, inside of sequences
    method: str  # value of DeidentificationMethod (0012,0063)


def profile_of(version: str) -> Profile:
    """Return the profile of a version of DICOM.

    Raises
    ------
    OrthancError
        3 ``Unknown specific version of the DICOM standard: X``.
    """
    if version not in _VERSIONS:
        message = f"Unknown specific version of the DICOM standard: {version}"
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, message)
    return _profile(version)


@functools.cache
def _profile(version: str) -> Profile:
    column = _VERSIONS.index(version)
    tags: dict[str, set[int]] = {action: set() for action in "XZBU-"}
    for line in _table():
        tag, actions = line.split(" ")
        tags[actions[column]].add(int(tag, 16))
    suffix = " Table E.1-1" if version == "2008" else " Table E.1-1 Basic Profile"
    return Profile(
        removed=frozenset(tags["X"]),
        cleared=frozenset(tags["Z"] | tags["B"]),
        removed_in_items=frozenset(tags["B"]),
        uids=frozenset(tags["U"]),
        removes_curves_in_items=version != "2008",
        method=f" - PS 3.15-{version}{suffix}",
    )


def _table() -> list[str]:
    text = Path(__file__).with_name("anonymization_profiles.txt").read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
