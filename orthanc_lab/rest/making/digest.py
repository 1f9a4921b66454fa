"""The MD5 of a file, computed while the file is made."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, Self, TypeVar

from orthanc_lab.protocol.execution import Executor, Pool

__all__ = ["Digest"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_AT_ONCE = 2  # the digest, and one piece of work beside it


class Digest:
    """A `orthanc_lab.dicom.files.data_set.Watch` that computes the MD5 of a file.

    Parameters
    ----------
    executor
        Where it is computed.
    """

    def __init__(self, executor: Executor) -> None:
        self.md5 = ""
        """Of the whole file; empty if it was not made little by little."""
        self._executor = executor
        self._pool: Pool | None = None
        self._hash = hashlib.md5(usedforsecurity=False)
        self._working: Future[None] | None = None
        self._lock = threading.Lock()  # guards what follows
        self._beginning = memoryview(b"")
        self._size = 0  # of what was hashed, bytes
        self._is_working = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def submit(
        self, function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Begin a piece of work beside that of the caller, and beside the computing."""
        if self._pool is None:
            self._pool = self._executor.pool("making", _AT_ONCE)
        return self._pool.submit(function, *args, **kwargs)

    def note(self, beginning: memoryview) -> None:
        """Hash what was made since the last time, beside the work of the caller."""
        with self._lock:
            self._beginning = beginning
            if self._is_working:
                return
            self._is_working = True
        self._working = self.submit(self._catch_up)

    def end(self, whole: memoryview) -> None:
        """Hash the rest."""
        if self._working is not None:
            self.note(whole)
            self._working.result()
            self._beginning = memoryview(b"")
            self.md5 = self._hash.hexdigest()

    def _catch_up(self) -> None:
        while True:
            with self._lock:
                piece = self._beginning[self._size :]
                if not piece:
                    self._is_working = False
                    return
                self._size += len(piece)
            self._hash.update(piece)
