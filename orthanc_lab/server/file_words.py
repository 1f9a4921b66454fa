"""What went wrong with a file or a port, in words for whoever typed a command."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["check_writable", "port_number", "words_of", "words_of_port"]


def words_of(error: OSError) -> str:
    """Return what happened in a sentence, without the number of the error.

    Examples
    --------
    >>> try:
    ...     _ = open("missing/file")
    ... except OSError as error:
    ...     print(words_of(error))
    There is no folder missing
    """
    if error.strerror is None:
        return str(error)  # it was raised with words of its own
    if error.filename is None:
        return error.strerror
    path = Path(str(error.filename))
    if isinstance(error, FileNotFoundError):
        return f"There is no file {path}" if path.parent.is_dir() else f"There is no folder {path.parent}"
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder, not a file"
    if isinstance(error, NotADirectoryError):
        return f"{path.parent} is a file, not a folder" if path.parent.is_file() else f"{path.parent} is not a folder"
    if isinstance(error, FileExistsError):
        return f"{path} exists already"
    if isinstance(error, PermissionError):
        return f"{path} cannot be opened: you have no permission"
    return f"{path}: {error.strerror}"


def port_number(text: str) -> int:
    """Return the TCP port that was typed as an argument.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def words_of_port(port: int) -> str:
    """Return what to do about a port on which nothing can listen."""
    return f"Port {port} is in use, or not allowed. Choose another --port; 0 takes any free one"


def check_writable(path: Path | None) -> None:
    """Check early that a file can be written when the work is done; None is none.

    Raises
    ------
    OSError
        If it cannot.
    """
    if path is not None:
        is_new = not path.exists()
        with path.open("ab"):
            pass
        if is_new:
            path.unlink()
