"""Replacing a file at once: who reads it sees the old content, or the whole new one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend the name of a file beside another one, which it replaces at the end; not after an error.

    Raises
    ------
    OSError
        If the file cannot be brought to the disk, or replace the other one.

    Examples
    --------
    >>> with replacing(Path("notes.txt")) as part:
    ...     _ = part.write_text("a line")
    >>> Path("notes.txt").read_text()
    'a line'
    """
    part = path.with_name(f".orthanc-lab.{uuid.uuid4().hex[:8]}.part")  # two may replace it at the same time
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
