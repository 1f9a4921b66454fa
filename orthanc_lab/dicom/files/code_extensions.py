"""Text with code extensions converted to Unicode: several character sets in one value (PS3.5 section 6.1.2.5).

Orthanc reads such text by its first character set alone, and so does `orthanc_lab.dicom.files.text`; here every
character is kept.
"""

from __future__ import annotations

import re

from orthanc_lab.dicom.files.charsets import by_term

__all__ = ["unicode_of"]

_ESCAPE = re.compile(rb"(\x1b[\x20-\x2f]{1,2}[\x30-\x7e])")
_CODECS = {
    b"(B": "ascii", b"(J": "shift_jis", b")I": "shift_jis", b"-A": "latin-1", b"-B": "iso8859-2", b"-C": "iso8859-3",
    b"-D": "iso8859-4", b"-F": "iso8859-7", b"-G": "iso8859-6", b"-H": "iso8859-8", b"-L": "iso8859-5",
    b"-M": "iso8859-9", b"-T": "tis-620", b"$)A": "gb2312", b"$)C": "euc_kr",
}  # fmt: skip
"""What the bytes after an escape sequence are in; those of two bytes of 7 bits stay together with it."""
_TWO_BYTES = frozenset({b"$B", b"$(D"})  # JIS X 0208 and 0212


def unicode_of(value: bytes, terms: bytes) -> str:
    """Return the text of a value; what no character set explains is left out.

    Parameters
    ----------
    terms
        Specific Character Set (0008,0005): one term or several; none, or an unknown one, stands for Latin 1.
    """
    first = terms.decode("latin-1").split("\\")[0]
    charset = by_term(first) if first.strip() else None
    codec = "latin-1" if charset is None else charset.codec
    parts = _ESCAPE.split(value)
    text = parts[0].decode(codec, "ignore")
    for escape, part in zip(parts[1::2], parts[2::2], strict=True):
        if escape[1:] in _TWO_BYTES:
            text += (escape + part).decode("iso2022_jp_2", "ignore")
        else:
            text += part.decode(_CODECS.get(escape[1:], codec), "ignore")
    return text
