"""The names and numbers of metadata and of attachments, as URIs and answers have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.metadata_names import METADATA_NUMBERS

__all__ = ["NumberedNames", "attachment_names", "content_type_of", "metadata_names"]

USER_RANGE = range(1024, 65536)
"""The numbers that people may use for their own metadata and attachments."""

ATTACHMENT_NUMBERS = {"dicom": 1, "dicom-as-json": 2, "dicom-until-pixel-data": 3}
"""The built-in types of attachments (Orthanc Book, "Attachments")."""

_INTEGER = re.compile(r"\s*+[+-]?[0-9]++\s*+", re.ASCII)
_NUMBERS = range(-(2**31), 2**31)
_LONGEST_NUMBER = 20


class NumberedNames:
    """Both ways between names and numbers.

    Parameters
    ----------
    builtin, user
        Name -> number.
    """

    def __init__(self, builtin: Mapping[str, int], user: Mapping[str, int]) -> None:
        self._numbers = {**user, **builtin}
        self._names = {number: name for name, number in self._numbers.items()}

    def number(self, name: str) -> int:
        """Return the number of a name, or the number that the text itself is.

        Raises
        ------
        OrthancError
            7 for an unknown name, 5 for a number that is too large or stands between blanks.
        """
        number = self._numbers.get(name)
        if number is None:
            if not _INTEGER.fullmatch(name):
                raise OrthancError(ErrorCode.INEXISTENT_ITEM)
            number = int(name.strip()[:_LONGEST_NUMBER])
            if name != name.strip() or number not in _NUMBERS:
                raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, "Syntax error in some user-supplied data")
        return number

    def name(self, number: int) -> str:
        """Return the name of a number, or the number as text if it has none."""
        return self._names.get(number, str(number))


def metadata_names(user: Mapping[str, int]) -> NumberedNames:
    """Return the names of metadata; `user` is the option ``UserMetadata``."""
    return NumberedNames(METADATA_NUMBERS, user)


def attachment_names(user: Mapping[str, Any]) -> NumberedNames:
    """Return the names of attachments; `user` is the option ``UserContentType``."""
    return NumberedNames(ATTACHMENT_NUMBERS, {name: _split(value)[0] for name, value in user.items()})


def content_type_of(number: int, user: Mapping[str, Any]) -> str:
    """Return the MIME type of an attachment's data."""
    if number == 1:
        return "application/dicom"
    types = dict(_split(value) for value in user.values())
    return types.get(number, "application/octet-stream")


def _split(value: Any) -> tuple[int, str]:
    if isinstance(value, int):
        return value, "application/octet-stream"
    return value[0], value[1]
