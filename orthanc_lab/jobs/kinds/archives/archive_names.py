"""The names of directories and files inside an archive, by Orthanc 1.12.7's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["NameRegister", "clean_name", "directory_name", "file_name", "file_numbers", "own_number"]

_REMOVED = re.compile(r"[^A-Za-z0-9._ ]+")
_SPACES = re.compile(r" {2,}")
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,20}\s*\Z", re.ASCII)

_DIRECTORIES: Mapping[int, tuple[str, str, str]] = {
    0: ("0010,0020", "0010,0010", "Unknown Patient"),
    1: ("0008,0050", "0008,1030", "Unknown Study"),
    2: ("0008,0060", "0008,103e", "Unknown Series"),
}


def clean_name(text: str) -> str:
    """Return `text` as a name in an archive: ``A-Z a-z 0-9 . _`` and single spaces.

    Characters outside ASCII and all other signs are removed, ``^`` and a line feed become a space.
    """
    return _SPACES.sub(" ", _REMOVED.sub("", text.replace("^", " ").replace("\n", " "))).strip(" ")


def directory_name(depth: int, tags: Mapping[str, str]) -> str:
    """Return the name of the directory of a patient (depth 0), study (1) or series (2).

    A text of which nothing remains, or ``..``, is as good as none. (Orthanc 1.12.7 keeps both,
    and so leads outside of the folder where the archive is unpacked.)
    """
    first, second, unknown = _DIRECTORIES[depth]
    name = clean_name(f"{tags.get(first, '')} {tags.get(second, '')}")
    return unknown if name in ("", ".", "..") else name


def own_number(instance_number: str) -> int:
    """Return the InstanceNumber as Orthanc reads it: 0 if it is missing, negative or no integer."""
    if not _INTEGER.match(instance_number):
        return 0
    number = int(instance_number)
    return number if 0 <= number < 2**63 else 0


def file_numbers(instance_numbers: Sequence[str]) -> list[tuple[int, int]]:
    """Order the instances of one series and number them (Orthanc 1.12.6 and later).

    Parameters
    ----------
    instance_numbers
        InstanceNumber of each instance, in the order of storage.

    Returns
    -------
    list of (position, number)
        Positions in `instance_numbers`, in the order of the archive, each with the number in
        its file name: its own one if all of them differ, else a counter from 0.
    """
    numbers = [own_number(text) for text in instance_numbers]
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    if len(set(numbers)) == len(numbers):
        return [(position, numbers[position]) for position in order]
    return [(position, count) for count, position in enumerate(order)]


def file_name(modality: str, number: int) -> str:
    """Return the name of a file by the modality of its series: ``CT000001.dcm``."""
    # Orthanc prints the number as a signed 32-bit integer; the rule of names removes its minus.
    signed = (number + 2**31) % 2**32 - 2**31
    prefix = modality.upper()
    if not prefix:
        text = f"{signed:08d}"
    elif len(prefix) == 1:
        text = f"{prefix}{signed:07d}"
    else:
        text = f"{prefix[:2]}{signed:06d}"
    return clean_name(text + ".dcm")


class NameRegister:
    """The names in use in one directory; a second use gets the suffix ``-2``."""

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return `name`, with the suffix that makes it unique."""
        uses = self._uses[name] = self._uses.get(name, 0) + 1
        return name if uses == 1 else f"{name}-{uses}"
