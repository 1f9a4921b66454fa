"""The folder of a server inside another program."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["OwnFolder", "Stoppable"]


class OwnFolder:
    """A folder that was given, or a temporary one that is removed at the end."""

    def __init__(self, given: Path | None) -> None:
        self._temporary = None if given else tempfile.TemporaryDirectory(prefix="orthanc-lab-")
        self.path = given or Path(self._temporary.name if self._temporary else ".")

    @property
    def is_temporary(self) -> bool:
        """True if its files are ours to remove."""
        return self._temporary is not None

    def remove(self) -> None:
        """Remove a temporary folder; a given one stays."""
        if self._temporary is not None:
            self._temporary.cleanup()


class Stoppable(AbstractContextManager[Any]):
    """Something that the end of a ``with`` block stops."""

    def stop(self) -> None:
        """Stop; a second time does no harm."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
