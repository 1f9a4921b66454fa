"""What a caller passes by mistake, told in words before anything is done with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["check_function", "check_text", "existing_file", "items_of", "path_of"]


def path_of(given: object) -> Path:
    """Return a path.

    Raises
    ------
    TypeError
        For what is none.

    Examples
    --------
    >>> path_of(None)
    Traceback (most recent call last):
    TypeError: Expected a path, a text or a Path, not None
    """
    if isinstance(given, str | os.PathLike):
        return Path(given)
    raise TypeError(f"Expected a path, a text or a Path, not {given!r}")


def existing_file(given: object) -> Path:
    """Return the path of a file to be read.

    Raises
    ------
    TypeError
        For what is no path.
    FileNotFoundError, IsADirectoryError, NotADirectoryError
        If there is no such file.
    """
    path = path_of(given)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a file")
    if path.exists():
        return path
    if not path.parent.exists():
        raise FileNotFoundError(f"There is no folder {path.parent}")
    if not path.parent.is_dir():
        raise NotADirectoryError(f"{path.parent} is a file, not a folder")
    raise FileNotFoundError(f"There is no file {path}")


def check_text(given: object, what: str) -> None:
    """Check that something is a text; `what` says which, and what it looks like.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(given, str):
        raise TypeError(f"Expected {what}, not {given!r}")


def check_function(given: object, what: str) -> None:
    """Check that something can be called; `what` says what it is.

    Raises
    ------
    TypeError
        If it cannot.
    """
    if not callable(given):
        raise TypeError(f"Expected {what}, not {given!r}")


def items_of(given: object, kind: type, what: str) -> list[Any]:
    """Return what is of one type as a list; `what` says where it comes from.

    Raises
    ------
    TypeError
        For anything else.
    """
    items = list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping) else [given]
    for item in items:
        if not isinstance(item, kind):
            raise TypeError(f"Expected {what}, not {item!r:.100}")
    return items
