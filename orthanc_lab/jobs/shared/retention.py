"""How many ended jobs are kept, of all servers, and how many of them with what they left behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from orthanc_lab.jobs.machine import Effect
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobOutput
from orthanc_lab.jobs.rows import read_outputs
from orthanc_lab.jobs.shared.mirror import Mirror
from orthanc_lab.jobs.shared.shared_entry import SharedEntry
from orthanc_lab.jobs.shared.store import Dropped, SharedJobStore
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.jobs import JobState

__all__ = ["Retention"]

_NEARLY_FULL = 0.8  # of the history


class Retention:
    """Forgets the jobs that ended first, and removes the outputs that no job has any more.

    Parameters
    ----------
    outputs
        Where they are removed.
    history_size
        How many ended jobs are kept.
    media_archive_size
        How many of them keep their outputs.
    on_error
        Called with the errors that no caller gets.
    """

    def __init__(
        self,
        store: SharedJobStore,
        mirror: Mirror,
        outputs: OutputStore,
        *,
        history_size: int,
        media_archive_size: int,
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._outputs = outputs
        self._history_size = history_size
        self._media_archive_size = media_archive_size
        self._on_error = on_error

    def follow_up(self, entry: SharedEntry, effects: Collection[Effect]) -> None:
        """Make room for a job that has ended, or remove what one has left behind that was deleted.

        Raises
        ------
        OrthancError
            If the list cannot be reached.
        """
        if Effect.FORGET in effects:
            self._remove_outputs(entry.outputs)
        if Effect.COMPLETE in effects:
            if entry.outputs:
                self._take_in(self._store.trim_outputs(self._media_archive_size))
            # Other servers complete jobs, too, and this one hears of that a moment later.
            if self._number_ended() >= _NEARLY_FULL * self._history_size:
                self._take_in(self._store.trim_history(self._history_size))

    def trim_history(self) -> None:
        """Forget jobs, if there are too many that ended.

        Raises
        ------
        OrthancError
            If the list cannot be reached.
        """
        if self._number_ended() > self._history_size:
            self._take_in(self._store.trim_history(self._history_size))

    def remove_output(self, output: JobOutput) -> None:
        """Remove what belongs to no job any more; should that fail, it is removed later as such."""
        if output.content is None:
            try:
                self._outputs.remove(output.name)
            except (OSError, OrthancError) as error:
                self._on_error(error)

    def _number_ended(self) -> int:
        counts = self._mirror.table.counts()
        return counts[JobState.SUCCESS] + counts[JobState.FAILURE]

    def _take_in(self, dropped: Sequence[Dropped]) -> None:
        for one in dropped:
            if one.row is None:
                self._mirror.forget(one.id)
            else:
                self._mirror.learn(one.row)
            try:
                self._remove_outputs(read_outputs(one.outputs))
            except (ValueError, TypeError, AttributeError) as error:
                self._on_error(error)

    def _remove_outputs(self, outputs: Mapping[str, JobOutput]) -> None:
        for output in outputs.values():
            self.remove_output(output)
