"""One commit for all who write at the same time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["GroupCommit"]

Item = TypeVar("Item")


class _Waiting(Generic[Item]):
    __slots__ = ("done", "error", "gate", "item")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self.error: BaseException | None = None
        self.gate: threading.Lock | None = None  # held until the item is done, or its thread is to lead


class GroupCommit(Generic[Item]):
    """Hands items to `commit` in groups, one group at a time.

    One thread leads: it commits its own item and all that wait. Those that come meanwhile are the next group:
    the slower the disk, the larger the groups.

    Parameters
    ----------
    commit
        Carries out a group of items, all of them or (on an error) none. If it fails for several, each gets a
        commit of its own, so that one that cannot be written does not spoil the others.
    afterwards
        Called with the items that were committed, before any caller goes on; where one wait for the disk serves
        them all. It must not raise.
    largest
        How many items may share a commit.

    Examples
    --------
    >>> written = []
    >>> group = GroupCommit(written.extend)
    >>> group.run("a line")
    >>> written
    ['a line']
    """

    def __init__(
        self,
        commit: Callable[[list[Item]], None],
        *,
        afterwards: Callable[[list[Item]], None] | None = None,
        largest: int = 64,
    ) -> None:
        self._commit = commit
        self._afterwards = afterwards
        self._largest = largest
        self._mutex = threading.Lock()  # guards the two below
        self._busy = False
        self._queue: deque[_Waiting[Item]] = deque()

    @property
    def waiting(self) -> int:
        """How many items wait for the next commit."""
        return len(self._queue)

    def run(self, item: Item) -> None:
        """Return once `item` is committed.

        Raises
        ------
        BaseException
            What `commit` raised for this item alone.
        """
        (error,) = self.run_each((item,))
        if error is not None:
            raise error

    def run_each(self, items: Sequence[Item]) -> list[BaseException | None]:
        """Return once all items are committed, or have failed: for each one what `commit` raised for it alone."""
        all_waiting = [_Waiting(item) for item in items]
        with self._mutex:
            for waiting in all_waiting:
                if self._busy:
                    waiting.gate = threading.Lock()
                    waiting.gate.acquire()
                    self._queue.append(waiting)
                self._busy = True
        for waiting in all_waiting:
            if waiting.gate is not None:
                waiting.gate.acquire()
            if not waiting.done:
                self._lead(waiting)
        return [waiting.error for waiting in all_waiting]

    def add(self, item: Item) -> None:
        """Let `item` share the next commit; its failure is not reported."""
        with self._mutex:
            self._queue.append(_Waiting(item))

    def _lead(self, first: _Waiting[Item]) -> None:
        group = [first]
        if self._queue:
            with self._mutex:
                while self._queue and len(group) < self._largest:
                    group.append(self._queue.popleft())
        self._run(group)
        if self._afterwards is not None:
            self._afterwards([waiting.item for waiting in group if waiting.error is None])
        successor = None
        with self._mutex:
            if self._queue:
                successor = next((waiting for waiting in self._queue if waiting.gate is not None), None)
            if successor is None:
                self._busy = False
            else:
                self._queue.remove(successor)
        for waiting in group:
            waiting.done = True
            if waiting.gate is not None:
                waiting.gate.release()
        if successor is not None and successor.gate is not None:
            successor.gate.release()

    def _run(self, group: list[_Waiting[Item]]) -> None:
        try:
            self._commit([waiting.item for waiting in group])
        except BaseException as error:
            if len(group) == 1:
                group[0].error = error
                return
            for waiting in group:  # which one failed is unknown
                self._run([waiting])
