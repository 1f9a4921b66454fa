"""What a query may ask of a tag."""

from __future__ import annotations

from orthanc_lab.dicom.dictionary.dictionary import Dictionary, Tag, format_tag
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.value_matching import RANGED_VRS, WILDCARD_VRS

__all__ = ["check_wildcards", "has_wildcards"]


def has_wildcards(value: str) -> bool:
    """Tell whether a value is a pattern."""
    return "*" in value or "?" in value


def check_wildcards(tag: Tag, value: str, dictionary: Dictionary) -> None:
    """Refuse a pattern for a tag whose values are no texts (PS3.4 section C.2.2.2.4).

    In a list of several values, wildcards stand for themselves; a private tag has no VR here, as in Orthanc.

    Raises
    ------
    OrthancError
        3 ``Wildcards are not allowed on tag 0008,0020``.
    """
    if not has_wildcards(value):
        return
    vr = dictionary.vr_of(tag, "")
    is_list = "\\" in value and not (vr in RANGED_VRS and "-" in value)
    if not is_list and vr not in WILDCARD_VRS:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"Wildcards are not allowed on tag {format_tag(tag)}")
