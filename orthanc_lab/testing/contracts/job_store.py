"""What every store of jobs must do: a back end passes by a subclass with a fixture ``open_store``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from orthanc_lab.jobs.store import Completion, JobRow, JobStore, OutputsChange, Removal, StatusChange
from orthanc_lab.protocol.errors import OrthancError

__all__ = ["JobStoreContract", "OpenStore"]

OpenStore = Callable[[], JobStore]
"""Opens the same list again; the one that was open before is closed, or its process was killed."""

_LARGE = "x" * 100_000


def _row(sequence: int, payload: str | None = '{"steps":3}') -> JobRow:
    return JobRow(
        sequence=sequence,
        id=f"id-{sequence}",
        type="Archive",
        priority=-sequence,
        created="2026-11-24T05:42:33+00:00",
        state="Pending",
        status='{"progress":0}',
        outputs="{}",
        payload=payload,
        position=None,
    )


class JobStoreContract:
    """The contract of `orthanc_lab.jobs.store.JobStore`.

    A subclass has a fixture ``open_store`` that returns an `OpenStore` over an empty list.
    """

    @pytest.mark.parametrize("payload", [None, "{}", _LARGE, '"\\ud800 µ"'], ids=["none", "small", "large", "odd"])
    def test_a_job_is_kept(self, open_store: OpenStore, payload: str | None) -> None:
        """What was written is read back, also by the next one that opens the list."""
        row = replace(_row(1, payload), position='{"done":1}')
        store = open_store()
        store.write(row)
        assert store.row(1) == row
        assert list(open_store().rows()) == [row]

    def test_jobs_come_in_the_order_of_submission(self, open_store: OpenStore) -> None:
        """Whatever the order in which they were written."""
        store = open_store()
        rows = [_row(sequence) for sequence in (3, 1, 2)]
        for row in rows:
            store.write(row)
        assert list(store.rows()) == sorted(rows, key=lambda row: row.sequence)

    def test_a_status_changes(self, open_store: OpenStore) -> None:
        """The position stays unless there is a new one."""
        store = open_store()
        store.write(_row(1, _LARGE))
        store.write(StatusChange(1, "Running", "{}", '{"done":1}'))
        store.write(StatusChange(1, "Paused", "[]"))
        assert store.row(1) == replace(_row(1, _LARGE), state="Paused", status="[]", position='{"done":1}')

    @pytest.mark.parametrize("payload", ["{}", _LARGE], ids=["small", "large"])
    def test_a_success_needs_no_payload(self, open_store: OpenStore, payload: str) -> None:
        """It keeps its outputs, until they are dropped."""
        store = open_store()
        store.write(replace(_row(1, payload), position="{}"))
        store.write(Completion(1, "Success", "{}", '{"archive":[]}'))
        done = replace(_row(1, None), state="Success", status="{}", outputs='{"archive":[]}')
        assert store.row(1) == done
        store.write(OutputsChange(1, "{}"))
        assert open_store().row(1) == replace(done, outputs="{}")

    def test_a_job_is_removed(self, open_store: OpenStore) -> None:
        """The others stay."""
        store = open_store()
        for sequence in (1, 2):
            store.write(_row(sequence, _LARGE))
        store.write(Removal(1))
        assert store.row(1) is None
        assert list(open_store().rows()) == [_row(2, _LARGE)]

    def test_a_change_of_an_unknown_job_does_nothing(self, open_store: OpenStore) -> None:
        """It may have been removed a moment ago."""
        store = open_store()
        for change in (StatusChange(1, "", ""), Completion(1, "", "", ""), OutputsChange(1, ""), Removal(1)):
            store.write(change)
        assert list(store.rows()) == []

    def test_what_can_wait_comes_with_the_next_change(self, open_store: OpenStore) -> None:
        """Or with the end of the store."""
        store = open_store()
        for sequence in (1, 2):
            store.write(_row(sequence))
        store.write_later(Removal(1))
        store.write(_row(3))
        assert store.row(1) is None
        store.write_later(Removal(2))
        store.close()
        assert [row.sequence for row in open_store().rows()] == [3]

    def test_a_change_that_cannot_be_written_changes_nothing(self, open_store: OpenStore) -> None:
        """And those that come with it are written all the same."""
        store = open_store()
        store.write(_row(1))
        with pytest.raises(OrthancError) as raised:
            store.write(_row(1, _LARGE))
        assert raised.value.code == 11
        assert store.row(1) == _row(1)
        store.write_later(_row(1, _LARGE))
        store.write(_row(2))
        assert [row.sequence for row in store.rows()] == [1, 2]

    def test_a_closed_store_refuses(self, open_store: OpenStore) -> None:
        """Closing it again does no harm."""
        store = open_store()
        store.write(_row(1))
        store.close()
        store.close()
        with pytest.raises(OrthancError) as raised:
            store.write(_row(2))
        assert raised.value.code == 36
        with pytest.raises(OrthancError) as raised:
            store.row(1)
        assert raised.value.code == 36
        assert list(open_store().rows()) == [_row(1)]

    def test_many_write_at_once(self, open_store: OpenStore) -> None:
        """Each change is there when its caller goes on."""
        store, missing = open_store(), []

        def write(first: int) -> None:
            for sequence in range(first, first + 25):
                store.write(_row(sequence))
                if store.row(sequence) != _row(sequence):
                    missing.append(sequence)

        writers = [threading.Thread(target=write, args=(first,)) for first in range(0, 200, 25)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert missing == []
        assert [row.sequence for row in store.rows()] == list(range(200))
