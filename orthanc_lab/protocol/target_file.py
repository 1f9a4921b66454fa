"""Whether a file can be saved where a user wants it, told in words before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["check_target", "check_target_folder"]


def check_target(path: Path) -> None:
    """Check that a file of this name can be made, or replaced.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        As `check_target_folder`.
    IsADirectoryError
        If it is a folder.

    Examples
    --------
    >>> check_target(Path("/nowhere/study.zip"))
    Traceback (most recent call last):
    FileNotFoundError: The folder /nowhere does not exist
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a file")
    check_target_folder(path.parent)


def check_target_folder(folder: Path) -> None:
    """Check that files can be made in a folder.

    Raises
    ------
    FileNotFoundError
        If it does not exist.
    NotADirectoryError
        If it is a file.
    PermissionError
        If nothing can be written there.
    """
    if not folder.exists():
        raise FileNotFoundError(f"The folder {folder} does not exist")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"The folder {folder} cannot be written to: you have no permission")
