"""What an option of the configuration is, and how its value is checked."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any

from orthanc_lab.dimse.modality import check_retrieve_method
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import is_known
from orthanc_lab.protocol.warnings import WARNINGS

__all__ = [
    "Kind",
    "Option",
    "at_least_one",
    "check_title",
    "known_syntax",
    "not_empty",
    "numbered",
    "one_of",
    "pdu_length",
    "percentage",
    "port",
    "preferred_syntax",
    "retrieve_method",
    "standard_version",
    "threads",
    "warning_names",
]

_LARGEST = 2**31 - 1
_LONGEST_PATH, _LONGEST_NAME = 4095, 255  # bytes, as Linux has them
_NUMBER = re.compile(r"\s*-?[0-9]+\s*")
_BAD_TITLE = 2009
_OWN_WORDS = {
    "RegisteredUsers": 'Badly formatted list of users: "RegisteredUsers" must be an object, {"name": "password"}',
    "ExternalDictionaries": "List of strings expected in field: ExternalDictionaries",
    "Warnings": "Warnings configuration entry is not a Json object",
}


class Kind(Enum):
    """Type of the JSON value of an option."""

    BOOLEAN = "a Boolean (true or false)"
    INTEGER = "an integer"
    STRING = "a string"
    STRINGS = "a list of strings"
    OBJECT = "an object"


Check = Callable[[str, Any], None]
"""Raises for a value that has the right type and is refused all the same: called with the name and the value."""


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table of options."""

    name: str  # as in the configuration file
    kind: Kind
    default: Any
    meaning: str  # one sentence, for the sample configuration
    honoured: bool = True  # False: known, accepted, and warned about at start
    check: Check | None = None
    optional: bool = False  # in a program, None means "not set"
    nullable: bool = False  # in a file, null stands for the default
    single: bool = False  # a text stands for a list of it alone
    storage_field: str = ""  # the attribute of `StorageOptions` that has its value
    late: bool = (
        False  # Orthanc starts with a value of another type, which it reads later: then the default is in force
    )
    needs: str = ""  # the option without which Orthanc does not read this one; then it is `late`
    names: Collection[str] = ()  # of an object whose names are known: others have no effect
    names_of_each: Collection[str] = ()  # of an object of objects: those of each of them
    is_path: bool = False  # a file or a folder; a relative one starts at the folder of the configuration

    def checked(self, value: Any) -> Any:
        """Return the value of a configuration file.

        Raises
        ------
        OrthancError
            5, 3 or 15 with the words of Orthanc for a wrong type or value.
        """
        if value is None and self.nullable:
            return copy.deepcopy(self.default)
        if isinstance(value, str) and self.single:
            value = [value]
        if not self._fits(value):
            raise self._wrong_type()
        if self.kind is Kind.INTEGER and not 0 <= value <= _LARGEST:
            what = "a positive integer" if value < 0 else f"at most {_LARGEST}"
            raise out_of_range(f'The configuration option "{self.name}" must be {what}')
        if self.kind is Kind.STRING:
            self._check_text(value)
        if self.check is not None:
            self.check(self.name, value)
        return value

    def _check_text(self, text: str) -> None:
        try:
            encoded = os.fsencode(text) if self.is_path else text.encode()
        except UnicodeEncodeError:
            raise out_of_range(f'The configuration option "{self.name}" has half of a surrogate pair') from None
        if self.is_path and (b"\0" in encoded or not _is_path(encoded)):
            words = f"a path of at most {_LONGEST_PATH} bytes, each name of which has at most {_LONGEST_NAME}"
            raise out_of_range(f'The configuration option "{self.name}" must be {words}')

    def _fits(self, value: Any) -> bool:
        match self.kind:
            case Kind.BOOLEAN:
                return isinstance(value, bool)
            case Kind.INTEGER:
                return type(value) is int
            case Kind.STRING:
                return isinstance(value, str)
            case Kind.STRINGS:
                return isinstance(value, list) and all(isinstance(item, str) for item in value)
            case Kind.OBJECT:
                return isinstance(value, dict)

    def _wrong_type(self) -> OrthancError:
        if self.kind is Kind.STRINGS and self.name not in _OWN_WORDS:
            return OrthancError(ErrorCode.BAD_FILE_FORMAT, f"Badly formatted list of strings: {self.name}")
        words = _OWN_WORDS.get(self.name)
        if words is not None:
            return OrthancError(ErrorCode.BAD_FILE_FORMAT, words)
        if self.kind is Kind.OBJECT:
            text = f'Bad format of the "{self.name}" configuration section: it must be an object'
            return OrthancError(ErrorCode.BAD_FILE_FORMAT, text)
        text = f'The configuration option "{self.name}" must be {self.kind.value}'
        return OrthancError(ErrorCode.BAD_PARAMETER_TYPE, text)


def _is_path(path: bytes) -> bool:
    return len(path) <= _LONGEST_PATH and all(len(name) <= _LONGEST_NAME for name in path.split(b"/"))


def out_of_range(text: str) -> OrthancError:
    """Return the error for a value that has the right type, but is not allowed."""
    return OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, text)


def at_least_one(name: str, value: Any) -> None:
    """Refuse 0."""
    if value < 1:
        raise out_of_range(f'The configuration option "{name}" must be a strictly positive integer')


def port(name: str, value: Any) -> None:
    """Refuse a number above those of ports."""
    if value > 65535:
        raise out_of_range(f'The configuration option "{name}" must be a port, at most 65535')


def percentage(name: str, value: Any) -> None:
    """Refuse a quality of JPEG outside 1 … 100."""
    if not 1 <= value <= 100:
        raise out_of_range(
            f"The default quality for lossy transcoding must be an integer between 1 and 100, received: {value}"
        )


def known_syntax(name: str, value: Any) -> None:
    """Refuse anything but a transfer syntax."""
    if not is_known(value):
        raise out_of_range(f"Unknown transfer syntax for ingest transcoding: {value}")


def preferred_syntax(name: str, value: Any) -> None:
    """Refuse anything but a transfer syntax."""
    if not is_known(value):
        raise out_of_range(f"Unknown preferred transfer syntax: {value}")


def retrieve_method(name: str, value: Any) -> None:
    """Refuse a method of retrieving that is unknown."""
    check_retrieve_method(value)


def not_empty(name: str, value: Any) -> None:
    """Refuse an empty text."""
    if not value:
        raise out_of_range(f'Global configuration option "{name}" cannot be empty')


def check_title(value: str) -> None:
    """Refuse what is no title of an application entity."""
    if not 1 <= len(value) <= 16:
        raise OrthancError(_BAD_TITLE)


def pdu_length(name: str, value: Any) -> None:
    """Refuse a PDU that DICOM does not allow."""
    if value < 4096:
        raise out_of_range("Maximum PDU length must be greater than 4096")
    if value > 131072:
        raise out_of_range("Maximum PDU length must be smaller than 131072")


def standard_version(name: str, value: Any) -> None:
    """Refuse a version of the standard whose table of names to hide Orthanc does not have."""
    if value not in ("2008", "2017c", "2021b", "2023b"):
        raise out_of_range(f"Unknown specific version of the DICOM standard: {value}")


def warning_names(name: str, value: Any) -> None:
    """Refuse a warning that Orthanc does not have."""
    for warning, on in value.items():
        if warning not in WARNINGS:
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"{warning} is not recognized as a valid warning name")
        if not isinstance(on, (bool, int, float)) and on is not None:
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"The warning {warning} is neither true nor false")


def threads(name: str, value: Any) -> None:
    """Refuse numbers of threads that are not unsigned integers."""
    for kind, count in value.items():
        if type(count) is not int or count < 0:
            text = f'Bad format for "{name}.{kind}".  It should be an unsigned integer'
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, text)


def one_of(*allowed: str) -> Check:
    """Return a check that refuses any other text."""
    listed = ", ".join(f'"{text}"' for text in allowed[:-1]) + f' or "{allowed[-1]}"'

    def check(name: str, value: Any) -> None:
        if value not in allowed:
            raise out_of_range(f'Configuration option "{name}" should be {listed}: {value}')

    return check


def numbered(what: str, builtin: Collection[str], *, typed: bool = False) -> Check:
    """Return a check of names with numbers of their own, 1024 … 65535 (metadata, attachments).

    Parameters
    ----------
    what
        What is numbered, for messages.
    builtin
        Names that are taken, as are all numbers.
    typed
        Whether a MIME type may be with a number.
    """

    def check(name: str, value: Any) -> None:
        used: set[int] = set()
        for key, item in value.items():
            has_type = typed and isinstance(item, list) and len(item) == 2 and isinstance(item[1], str)
            number = item[0] if has_type else item
            if type(number) is not int:
                raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, f"Not a number in this user-defined {what}: {key}")
            if not 1024 <= number <= 65535:
                raise out_of_range(
                    f'A user content type must have index between 1024 and 65535, but "{key}" has index {number}'
                )
            if key in builtin or _NUMBER.fullmatch(key):
                raise OrthancError(ErrorCode.BAD_REQUEST, f"Cannot register this user-defined {what}: {key}")
            if number in used:
                raise out_of_range(
                    f'Cannot associate user content type "{key}" with index {number}, as this index is already used'
                )
            used.add(number)

    return check
