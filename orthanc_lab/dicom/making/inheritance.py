"""What a new instance inherits of its parent (PS3.3: patient, study and series modules)."""

from __future__ import annotations

from orthanc_lab.dicom.dictionary.tags import SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.dictionary.vrs import TEXT_VRS_OF_CHARSET
from orthanc_lab.dicom.files.charsets import Charset, by_term
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.dicom.files.text import TextDecoder, decoder_of, text_bytes
from orthanc_lab.protocol.levels import Level

__all__ = ["MODULES", "SEQUENCES", "inherited"]

_PATIENT = (
    0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100032, 0x00100040, 0x00101000, 0x00101001, 0x00102160,
    0x00102201, 0x00102292, 0x00102297, 0x00102298, 0x00102299, 0x00104000, 0x00120062, 0x00120063,
)  # fmt: skip
_STUDY = (
    0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00081030, 0x00081048, 0x00081060, 0x0020000D, 0x00200010,
)  # fmt: skip
_SERIES = (
    0x00080021, 0x00080031, 0x00080060, 0x0008103E, 0x00081050, 0x00081070, 0x00102210, 0x00180015, 0x00181030,
    0x00185100, 0x0020000E, 0x00200011, 0x00200060, 0x00280108, 0x00400244, 0x00400245, 0x00400253, 0x00400254,
    0x00400280,
)  # fmt: skip

MODULES: dict[Level, tuple[int, ...]] = {Level.PATIENT: _PATIENT, Level.STUDY: _STUDY, Level.SERIES: _SERIES}
"""The tags that Orthanc counts to each level."""


SEQUENCES: dict[Level, tuple[int, ...]] = {
    Level.PATIENT: (0x00100024, 0x00101002, 0x00102202, 0x00102293, 0x00102294, 0x00120064),
    Level.STUDY: (
        0x00080051, 0x00080096, 0x00081032, 0x00081049, 0x00081062, 0x00081110, 0x00081120, 0x00321034, 0x00401012,
    ),
}  # fmt: skip
"""The sequences of the modules: never handed down, but taken out where a module is exchanged."""

_LONGEST = 256  # bytes in UTF-8; longer values are not handed down


def inherited(model: DataSet, level: Level, default: Charset) -> tuple[DataSet, Charset]:
    """Return the tags of `model` that belong to a parent of this level and to those above it.

    Sequences are left out, as in Orthanc.

    Parameters
    ----------
    default
        Character set of a file that names none, or several: the values are converted to it.

    Returns
    -------
    tuple
        The tags, and the character set they are in.
    """
    modules = (tags for own, tags in MODULES.items() if own.depth <= level.depth)
    found = {tag: model[tag] for tags in modules for tag in tags if tag in model}
    found = {tag: element for tag, element in found.items() if isinstance(element.value, bytes)}
    stated = model.get(SPECIFIC_CHARACTER_SET)
    terms = stated.value if stated is not None and isinstance(stated.value, bytes) else b""
    decode = decoder_of(terms or None, default.name)
    found = {tag: element for tag, element in found.items() if not _is_long(element, decode)}
    charset = by_term(terms.rstrip(b"\0").decode("latin-1")) if terms else default
    if charset is not None:
        return found, charset
    return {tag: _in_charset(element, decode, default) for tag, element in found.items()}, default


def _is_long(element: Element, decode: TextDecoder) -> bool:
    if not isinstance(element.value, bytes) or len(element.value) <= _LONGEST // 4:
        return False
    text = text_bytes(element.value)
    return len(decode(text).encode() if element.vr in TEXT_VRS_OF_CHARSET else text) > _LONGEST


def _in_charset(element: Element, decode: TextDecoder, charset: Charset) -> Element:
    if element.vr not in TEXT_VRS_OF_CHARSET or not isinstance(element.value, bytes):
        return element
    return Element(element.vr, padded(charset.encode(decode(text_bytes(element.value))), b" "))
