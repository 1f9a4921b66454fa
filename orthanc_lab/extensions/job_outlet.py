"""Where the outputs of an extension's job go."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from orthanc_lab.extensions.failures import extension_error
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobOutput
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["JobOutlet", "listed", "remove"]

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class JobOutlet:
    """The outputs that a job has left so far.

    Parameters
    ----------
    kept
        Those of earlier steps.
    check
        Raises once the job must not leave any more.
    """

    def __init__(self, store: OutputStore, kept: Mapping[str, list[str]], check: Callable[[], None]) -> None:
        self._store = store
        self._check = check
        # The name in the output store, the media type, the name of the file that is downloaded.
        self._kept = {key: list(row) for key, row in kept.items()}

    def keep(self, key: str, content: bytes, content_type: str, filename: str) -> None:
        """Write an output.

        Raises
        ------
        OrthancError
            1 for a key that is no name or was used, 19 for a full disk, 14 if it cannot be written.
        """
        self._check()
        if not isinstance(key, str) or _KEY.fullmatch(key) is None or key in self._kept:
            raise extension_error(f"{key!r:.80} cannot be the key of an output, or is one already")
        if not isinstance(content, (bytes, bytearray)):
            raise extension_error(f"The output {key} must be bytes, not {type(content).__name__}")
        for text in (content_type, filename):
            if not (isinstance(text, str) and text.isprintable() and '"' not in text):
                raise extension_error(f"{text!r:.80} cannot be the type or the file name of the output {key}")
        try:
            name = self._store.new_name("")
            self._write(name, bytes(content))
        except OSError as error:
            code = ErrorCode.FULL_STORAGE if error.errno in _NO_SPACE else ErrorCode.CANNOT_WRITE_FILE
            raise OrthancError(code, f"Cannot write the output {key}: {error.strerror or error}") from error
        self._kept[key] = [name, content_type, filename]

    def _write(self, name: str, content: bytes) -> None:
        try:
            writer, _ = self._store.append(name, 0)
            try:
                writer.write(content)
            finally:
                writer.close()
        except BaseException:
            _remove(self._store, name)  # a part of it would take what is left of the disk
            raise

    def discard(self) -> None:
        """Remove all outputs: the job has failed."""
        remove(self._store, self._kept)

    def rows(self) -> dict[str, list[str]]:
        """Return what a job saves of its outputs."""
        return {key: list(row) for key, row in self._kept.items()}


def remove(store: OutputStore, rows: Mapping[str, list[str]]) -> None:
    """Remove the outputs of a job."""
    for name, *_ in rows.values():
        _remove(store, name)


def _remove(store: OutputStore, name: str) -> None:
    with suppress(OSError):  # it stays behind until the next start
        store.remove(name)


def listed(rows: Mapping[str, list[str]]) -> dict[str, JobOutput]:
    """Return the outputs as the engine takes them."""
    return {key: JobOutput(name, content_type, filename) for key, (name, content_type, filename) in rows.items()}
