"""The outputs of finished jobs: only those used last are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobOutput
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["JobOutputs"]


class JobOutputs:
    """The jobs that have outputs (``MediaArchiveSize`` of them at most).

    Parameters
    ----------
    store
        Where the outputs are; those that belong to no job are removed there.
    limit
        How many jobs keep their outputs; the least recently used goes first.
    save
        Writes down which outputs a job still has.
    save_later
        Writes it down with the next change of a job.
    on_error
        Called with the error if an output cannot be removed.

    Raises
    ------
    OrthancError
        3 if `limit` is not positive.
    """

    def __init__(
        self,
        store: OutputStore,
        limit: int,
        save: Callable[[Entry], None],
        save_later: Callable[[Entry], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        if limit <= 0:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "The size of the media archive must be positive")
        self._store = store
        self._limit = limit
        self._save = save
        self._save_later = save_later
        self._on_error = on_error
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Entry] = OrderedDict()  # by job id, least recently used first

    def put(self, entry: Entry) -> None:
        """Keep the outputs of a job, and drop those used least recently."""
        with self._lock:
            self._kept[entry.id] = entry
            surplus = [self._kept.popitem(last=False)[1] for _ in range(len(self._kept) - self._limit)]
        for old in surplus:
            if self._remove_all(old):
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
        self._remove_all(entry)

    def drop_one(self, entry: Entry, key: str) -> bool:
        """Remove one output of a job; False if it has none by that name.

        Raises
        ------
        OrthancError
            If that cannot be written down: then it has it still.
        """
        with self._lock:
            output = entry.outputs.get(key)
            if output is None:
                return False
            entry.outputs = {other: item for other, item in entry.outputs.items() if other != key}
            if not entry.outputs:
                self._kept.pop(entry.id, None)
        if output.content is None:
            self._remove(output.name)
            return True
        try:
            self._save(entry)
        except BaseException:
            with self._lock:
                entry.outputs = {**entry.outputs, key: output}
                self._kept[entry.id] = entry
            raise
        return True

    def clear_orphans(self, owners: Iterable[str]) -> None:
        """Remove the outputs whose names occur in none of the texts `owners`."""
        orphans = set(self._store.names())
        if not orphans:
            return
        for text in owners:
            orphans -= {name for name in orphans if name in text}
        for name in orphans:
            self._remove(name)

    def _remove_all(self, entry: Entry) -> bool:
        """Remove the outputs of a job; return whether some were in its row."""
        outputs, entry.outputs = entry.outputs, {}
        for output in outputs.values():
            if output.content is None:
                self._remove(output.name)
        return any(output.content is not None for output in outputs.values())

    def _remove(self, name: str) -> None:
        try:
            self._store.remove(name)
        except OSError as error:  # it stays behind until the next start
            self._on_error(error)
