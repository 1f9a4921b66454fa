"""What is written down of a job, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.machine import Status
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Restore
from orthanc_lab.jobs.restoring import make_job, restore_entry
from orthanc_lab.jobs.rows import changed_keys, write_outputs, write_status
from orthanc_lab.jobs.store import Completion, JobRow, JobStore, OutputsChange, Removal, StatusChange
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.json_text import dumps, loads
from orthanc_lab.protocol.ports import Clock

__all__ = ["Journal"]

_SHARE = 50  # notes may take one part in 50 of the time


class Journal:
    """Writes jobs into their store and makes them again from it.

    A job that cannot outlive its process (it serializes to None) is written down only when
    it has ended, for the history.
    """

    def __init__(
        self,
        store: JobStore,
        restores: Mapping[str, Restore],
        clock: Clock,
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._restores = restores
        self._clock = clock
        self._on_error = on_error

    def begin(self, entry: Entry) -> None:
        """Write a new job down.

        Raises
        ------
        OrthancError
            As `JobStore.write`.
        """
        assert entry.job is not None
        payload = entry.job.serialize()
        if payload is not None:
            self._store.write(_row(entry, entry.status, dumps(payload)))
            entry.saved = True

    def save(self, entry: Entry, status: Status) -> None:
        """Write the next status of a job down, before it has it.

        Raises
        ------
        OrthancError
            As `JobStore.write`.
        """
        if not entry.saved:
            if status.state.is_final:
                self._store.write(_row(entry, status, None))
                entry.saved = True
            return
        state, text = status.state.value, write_status(status)
        if status.state is JobState.SUCCESS:
            self._store.write(Completion(entry.sequence, state, text, write_outputs(entry.outputs)))
            return
        # While the job runs, only its worker may ask it for its position.
        position = None if status.state is JobState.RUNNING else self._position(entry)
        self._store.write(StatusChange(entry.sequence, state, text, position))

    def note(self, entry: Entry, status: Status, *, at_once: bool = False) -> None:
        """Write down how far a running job is, unless that was done a moment ago.

        A failure is only reported: the next note makes up for it. The worker of the
        job calls this, and holds the job's lock.
        """
        begin = self._clock.monotonic()
        if not entry.saved or (begin < entry.next_note and not at_once):
            return
        position = self._position(entry)
        if position is not None:
            try:
                self._store.write(StatusChange(entry.sequence, status.state.value, write_status(status), position))
            except OrthancError as error:
                self._on_error(error)
        end = self._clock.monotonic()
        entry.next_note = end + _SHARE * (end - begin)

    def checkpoint(self, entry: Entry, status: Status) -> None:
        """Write down how far a running job is, before it goes on. Called as `note` is.

        Raises
        ------
        OrthancError
            As `JobStore.write`.
        """
        if entry.saved:
            position = self._changed_payload(entry)
            self._store.write(StatusChange(entry.sequence, status.state.value, write_status(status), position))

    def save_outputs(self, entry: Entry) -> None:
        """Write down which outputs a job still has, if they stand in its row.

        Raises
        ------
        OrthancError
            As `JobStore.write`.
        """
        if entry.saved:
            self._store.write(OutputsChange(entry.sequence, write_outputs(entry.outputs)))

    def save_outputs_later(self, entry: Entry) -> None:
        """Write down with the next change which outputs a job still has.

        A crash before it lets them come back: then they are surplus again at the next start.
        """
        if entry.saved:
            self._store.write_later(OutputsChange(entry.sequence, write_outputs(entry.outputs)))

    def forget(self, entry: Entry) -> None:
        """Remove a job from the disk.

        Raises
        ------
        OrthancError
            As `JobStore.write`.
        """
        if entry.saved:
            self._store.write(Removal(entry.sequence))

    def forget_later(self, entry: Entry) -> None:
        """Remove a job from the disk, with the next change.

        One that a crash left there is dropped for its age at the next start.
        """
        if entry.saved:
            self._store.write_later(Removal(entry.sequence))

    def make_again(self, entry: Entry) -> None:
        """Make the job of an entry that was restored to the history.

        Raises
        ------
        OrthancError
            As `make_job`.
        """
        row = self._store.row(entry.sequence)
        if row is None:
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, "This job was not saved, and cannot be run again")
        entry.payload, entry.job = make_job(row.type, row.payload, row.position, self._restores)

    def read(self, outputs: OutputStore) -> tuple[list[Entry], Iterable[str]]:
        """Return the jobs on disk in the order of submission, and the texts in which their outputs are named.

        A job that has failed has none: should it run again, it begins anew.
        """
        rows = self._store.rows()
        now = self._clock.now()
        entries = []
        for row in rows:
            entry, sound = restore_entry(row, self._restores, outputs, now, self._on_error)
            if not sound:
                self._save_a_damaged_one(entry)
            entries.append(entry)
        owners = (row for entry, row in zip(entries, rows, strict=True) if _may_go_on(entry) or entry.outputs)
        return entries, (f"{row.payload}{row.position}{row.outputs}" for row in owners)

    def _save_a_damaged_one(self, entry: Entry) -> None:
        try:
            self.save(entry, entry.status)
        except OrthancError as error:
            self._on_error(error)

    def _position(self, entry: Entry) -> str | None:
        """Return what has changed in the payload since it was written, None if that cannot be found out."""
        if entry.job is None:
            return None
        try:
            return self._changed_payload(entry)
        except Exception as error:
            self._on_error(error)
            return None

    def _changed_payload(self, entry: Entry) -> str:
        assert entry.job is not None
        if entry.payload is None:
            row = self._store.row(entry.sequence)
            entry.payload = loads(row.payload) if row is not None and row.payload is not None else {}
        return dumps(changed_keys(entry.payload, entry.job.serialize() or {}))


def _may_go_on(entry: Entry) -> bool:
    return entry.lacks_kind or not entry.status.state.is_final


def _row(entry: Entry, status: Status, payload: str | None) -> JobRow:
    return JobRow(
        sequence=entry.sequence,
        id=entry.id,
        type=entry.type,
        priority=entry.priority,
        created=entry.created.isoformat(),
        state=status.state.value,
        status=write_status(status),
        outputs=write_outputs(entry.outputs),
        payload=payload,
        position=None,
    )
