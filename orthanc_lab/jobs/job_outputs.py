"""The files that finished jobs left behind: only the last used ones are kept."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.ports import JobOutput
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Identifiers

__all__ = ["JobOutputs"]

_PREFIX = "job-"


class JobOutputs:
    """The folder of outputs (``MediaArchiveSize`` of them at most).

    Parameters
    ----------
    folder
        A folder of this server alone: files there that belong to no job are removed.
    limit
        How many jobs keep their outputs; the least recently used goes first.
    save
        Writes down which outputs a job still has.
    on_error
        Told of a file that cannot be removed, and of a job that cannot be written down.

    Raises
    ------
    OrthancError
        3 if `limit` is not positive.
    """

    def __init__(
        self,
        folder: Path,
        limit: int,
        identifiers: Identifiers,
        save: Callable[[Entry], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        if limit <= 0:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "The size of the media archive must be positive")
        self.folder = folder
        self._limit = limit
        self._identifiers = identifiers
        self._save = save
        self._on_error = on_error
        self._folder_made = False
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Entry] = OrderedDict()  # by job id, least recently used first

    def new_file(self, suffix: str) -> Path:
        """Return the name of a file that does not exist yet."""
        if not self._folder_made:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._folder_made = True
        while True:
            path = self.folder / f"{_PREFIX}{self._identifiers.uuid()}{suffix}"
            if not os.path.exists(path):  # noqa: PTH110 # a third of the time of Path.exists
                return path

    def put(self, entry: Entry) -> None:
        """Keep the outputs of a job, and let go of those used least recently."""
        with self._lock:
            self._kept[entry.id] = entry
            surplus = [self._kept.popitem(last=False)[1] for _ in range(len(self._kept) - self._limit)]
        for old in surplus:
            if self._remove_files(old):
                self._save_later(old)

    def get(self, entry: Entry, key: str) -> JobOutput | None:
        """Return an output of a job, which counts as a use of it."""
        with self._lock:
            output = entry.outputs.get(key)
            if output is not None and entry.id in self._kept:
                self._kept.move_to_end(entry.id)
            return output

    def drop(self, entry: Entry) -> None:
        """Remove all outputs of a job."""
        with self._lock:
            self._kept.pop(entry.id, None)
        self._remove_files(entry)

    def drop_one(self, entry: Entry, key: str) -> bool:
        """Remove one output of a job; False if it has none by that name.

        Raises
        ------
        OrthancError
            If that cannot be written down.
        """
        with self._lock:
            output = entry.outputs.get(key)
            if output is None:
                return False
            entry.outputs = {other: item for other, item in entry.outputs.items() if other != key}
            if not entry.outputs:
                self._kept.pop(entry.id, None)
        if output.content is None:
            self._remove(output.path)
        else:
            self._save(entry)
        return True

    def clear_orphans(self, owners: Iterable[str]) -> None:
        """Remove the files of this folder whose name stands in none of the texts `owners`."""
        files = {path.name: path for path in self.folder.glob(f"{_PREFIX}*")} if self.folder.is_dir() else {}
        if not files:
            return
        for text in owners:
            for name in [name for name in files if name in text]:
                del files[name]
        for path in files.values():
            self._remove(path)

    def _remove_files(self, entry: Entry) -> bool:
        """Remove the outputs of a job; return whether some stand in its row."""
        outputs, entry.outputs = entry.outputs, {}
        for output in outputs.values():
            if output.content is None:
                self._remove(output.path)
        return any(output.content is not None for output in outputs.values())

    def _save_later(self, entry: Entry) -> None:
        try:
            self._save(entry)
        except OrthancError as error:  # what is too much is dropped again at the next start
            self._on_error(error)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:  # it stays behind until the next start
            self._on_error(error)
