"""The names of the files that are about to appear or to vanish.

A name is written here before its file is created, and before the commit that releases
it. So whatever the moment of a crash, a file that nothing refers to has its name
in the journal, and the next start removes it without looking through the storage area.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from orthanc_lab.protocol.ports import Identifiers
from orthanc_lab.storage.files.log_file import LogFile

__all__ = ["FileJournal", "LogJournal"]

_LONG = 1 << 16  # bytes; a longer journal is emptied when nothing is open
_TOO_LONG = 1 << 20  # bytes; a longer one is rewritten with what is open
_SHORTEST = 36  # letters of a name
_FOLDER = 4  # letters of a name that say in which folder the file is
_TOGETHER = 256  # files in a row that share a folder: to make one for each, and to remove it, costs more than the file


class FileJournal(Protocol):
    """Names of files that are not yet, or no longer, what an attachment refers to."""

    def reserve(self, extension: str, identifiers: Identifiers) -> str:
        """Return a new UUID, under which a file can be created: it is written down.

        Parameters
        ----------
        extension
            What follows it in the name of the file.

        Raises
        ------
        OSError
            If it cannot be written down.
        OrthancError
            If what keeps it is away.
        """
        ...

    def take_over(self, transaction: object, names: Sequence[str]) -> None:
        """Forget names in the transaction of the index by which attachments come to refer to their files.

        Raises
        ------
        OrthancError
            If one of the files has been given up in the meantime, and may be gone.
        """
        ...

    def taken_over(self, names: Iterable[str]) -> None:
        """Take note that this transaction has been committed."""
        ...

    def release(self, transaction: object, names: Sequence[str]) -> None:
        """Write names down, within the transaction of the index after which nothing refers to their files.

        Raises
        ------
        OSError
            If they cannot be written down; then none is.
        """
        ...

    def give_up(self, names: Sequence[str]) -> Sequence[str]:
        """Return those of the names that no transaction can take over any more: their files can be removed."""
        ...

    def settle(self, names: Iterable[str]) -> None:
        """Forget names whose files are gone."""
        ...

    def close(self) -> None:
        """End; what is open is dealt with later."""
        ...


class LogJournal:
    """An append-only list of names on disk, cut back when it grows, of the only server that knows the files.

    Parameters
    ----------
    file
        Where the names are; what an earlier process left in it is in `leftovers`.

    Raises
    ------
    OSError
        If it cannot be written to.
    """

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        # A crash may have cut off the last name; its file was not created yet.
        names = file.read().decode("ascii", "replace").split("\n")[:-1]
        self.leftovers: tuple[str, ...] = tuple(dict.fromkeys(name for name in names if len(name) >= _SHORTEST))
        self._open: dict[str, None] = dict.fromkeys(self.leftovers)
        self._size = 0
        self._is_torn = False  # a part of a name, which could not be written, is beyond the size
        self._reserved = 0
        self._folder = ""
        self._rewrite()

    def reserve(self, extension: str, identifiers: Identifiers) -> str:
        """Return a new UUID, whose name is written down."""
        uuid = identifiers.uuid()
        with self._lock:
            if self._reserved % _TOGETHER == 0:
                self._folder = uuid[:_FOLDER]
            self._reserved += 1
            uuid = self._folder + uuid[_FOLDER:]
        self.note([uuid + extension])
        return uuid

    def note(self, names: Sequence[str]) -> None:
        """Write names down, before anything happens to their files.

        Raises
        ------
        OSError
            If they cannot be written; then none is.
        """
        entry = "".join([f"{name}\n" for name in names])
        with self._lock:
            if self._is_torn:
                self._cut(self._size)
            try:
                self._file.append(entry.encode("ascii"))
            except OSError:
                self._is_torn = True
                self._cut(self._size)
                raise
            self._size += len(entry)
            self._open.update(dict.fromkeys(entry.split()))

    def take_over(self, transaction: object, names: Sequence[str]) -> None:
        """Do nothing: a name that stays here does no harm to a file that is referred to."""

    def taken_over(self, names: Iterable[str]) -> None:
        """Forget names: their files belong to the index."""
        self.settle(names)

    def release(self, transaction: object, names: Sequence[str]) -> None:
        """Write names down, before the commit."""
        self.note(names)

    def give_up(self, names: Sequence[str]) -> Sequence[str]:
        """Return those that are open: a file that belongs to the index is not removed."""
        with self._lock:
            return [name for name in names if name in self._open]

    def settle(self, names: Iterable[str]) -> None:
        """Forget names: their files belong to the index, or are gone."""
        with self._lock:
            for name in names:
                self._open.pop(name, None)
            with suppress(OSError):  # it stays long: the commit is done, and must not be taken for one that failed
                if self._size >= _TOO_LONG and self._open:
                    self._rewrite()
                elif self._size >= _LONG and not self._open:
                    self._cut(0)

    def close(self) -> None:
        """Close the file; it stays empty unless something is left to do."""
        with self._lock:
            if not self._open:
                with suppress(OSError):  # then the next start looks for the files
                    self._file.truncate(0)
            self._file.close()

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._size = size
        self._is_torn = False

    def _rewrite(self) -> None:
        """Write down what is open, and nothing else."""
        content = "".join(f"{name}\n" for name in self._open).encode("ascii")
        self._file.rewrite(content)
        self._size = len(content)
        self._is_torn = False
