"""Files and folders that no other user of the machine can read: patients are in them, and passwords."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = [
    "FILE_MODE",
    "create_private_file",
    "is_private_folder",
    "make_private_folder",
    "open_private_log",
    "write_private_file",
]

FILE_MODE = 0o600
_FOLDER_MODE = 0o700
_ATTEMPTS = 1000  # others may remove the folder above each time; where it stays, none can be made in it


def make_private_folder(path: str | Path) -> None:
    """Create a folder, with those above it that do not exist; one that exists keeps its mode.

    Raises
    ------
    OSError
        If it cannot be created; `FileExistsError` for a file of this name.
    """
    for left in reversed(range(_ATTEMPTS)):
        try:
            os.mkdir(path, _FOLDER_MODE)  # noqa: PTH102 # hot path; the mode of os.makedirs is for the last folder alone
        except FileNotFoundError:
            if not left:
                raise
            make_private_folder(os.path.dirname(os.path.abspath(path)))  # noqa: PTH100, PTH120
        except FileExistsError:
            if not os.path.isdir(path):  # noqa: PTH112
                raise
            return
        else:
            return


def create_private_file(path: str | Path) -> None:
    """Create an empty file for SQLite, which reports what hinders it in its own words.

    One that exists is not even opened: closing it would release the locks that SQLite holds in this process.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))


def open_private_log(path: str | Path) -> BinaryIO:
    """Open a file to append to it; one that exists keeps its mode.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags, FILE_MODE))


def write_private_file(path: str | Path, content: bytes) -> None:
    """Write a file whole; one that exists is replaced, and its mode with it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, FILE_MODE)
        file.write(content)


def is_private_folder(path: str | Path) -> bool:
    """Tell whether a path is a folder, not a link to one, of this user, in which nobody else can write."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(found.st_mode):
        return False
    mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return mine and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
