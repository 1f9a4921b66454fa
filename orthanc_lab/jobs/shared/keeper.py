"""Keeping the lease of a server, and looking after the jobs of others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from orthanc_lab.jobs.shared.records import Lease
from orthanc_lab.jobs.shared.store import SharedJobStore
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor, Steps, Task
from orthanc_lab.protocol.ports import Clock

__all__ = ["Keeper", "ServerIdentity"]

_LOG = logging.getLogger("orthanc_lab")
_RENEWALS = 3  # in the time of a lease
_LOOKS = 5
_SOON = 20


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A server, as others name it."""

    id: str  # ``DatabaseServerIdentifier``
    name: str  # what a person reads
    address: Callable[[], str] = str  # of its REST API, as it is now


class Keeper:
    """Renews the lease of a server, and lets it look around regularly, and at once when somebody says so.

    Parameters
    ----------
    clock
        What leases are renewed by; that of the machine.
    duration
        How long a lease lasts, seconds.
    joined
        Called with each new lease, before jobs are claimed under it. There is another one after the first if the one
        before was ended by others, who have the jobs now.
    look
        Called regularly; with True when the leases of others are to be looked at, too.
    """

    def __init__(
        self,
        store: SharedJobStore,
        identity: ServerIdentity,
        executor: Executor,
        clock: Clock,
        duration: float,
        *,
        joined: Callable[[Lease], None],
        look: Callable[[bool], None],
    ) -> None:
        self._store = store
        self._identity = identity
        self._executor = executor
        self._clock = clock
        self._duration = duration
        self._joined = joined
        self._look = look
        self._lease: Lease | None = None
        self._sure_until = 0.0  # monotonic: nobody can have ended the lease before
        self._tasks: list[Task] = []
        self._stopping = False
        self._is_troubled = False
        self._looks_at_others = 0.0

    @property
    def epoch(self) -> int | None:
        """The epoch of the lease; None between two of them."""
        lease = self._lease
        return None if lease is None else lease.epoch

    @property
    def duration(self) -> float:
        """How long a lease lasts, seconds."""
        return self._duration

    @property
    def is_sure(self) -> bool:
        """Whether nobody else can have the jobs of this server; else its next renewal tells."""
        return self._clock.monotonic() < self._sure_until

    def start(self) -> None:
        """Get a lease and begin to keep it.

        Raises
        ------
        OrthancError
            As `SharedJobStore.register`.
        """
        self._register()
        self._tasks = [
            self._executor.spawn("jobs-lease", self._keep()),
            self._executor.spawn("jobs-look", self._look_around()),
        ]

    def look_soon(self) -> None:
        """Look around at once; from any thread."""
        if self._tasks:
            self._tasks[-1].wake()

    def stop(self, timeout: float) -> None:
        """End the tasks; the lease lasts until it is given up, or ends."""
        self._stopping = True
        for task in self._tasks:
            task.wake()
        for task in self._tasks:
            task.join(timeout)

    def troubled(self, error: OrthancError) -> None:
        """Log that the list cannot be reached, once until it can."""
        if not self._is_troubled:
            self._is_troubled = True
            _LOG.error("The shared list of jobs cannot be reached: %s", error)

    def _register(self) -> None:
        began = self._clock.monotonic()
        identity = self._identity
        lease = self._store.register(identity.id, identity.name, identity.address())
        self._sure_until = began + self._duration
        self._joined(lease)
        self._lease = lease

    def _keep(self) -> Steps:
        pause = self._duration / _SOON  # the address is known once the listener is up
        while not self._stopping:
            yield pause
            pause = self._duration / _RENEWALS
            if self._stopping:
                return
            try:
                self._renew()
            except OrthancError as error:
                self.troubled(error)
            else:
                self._is_troubled = False

    def _renew(self) -> None:
        lease = self._lease
        began = self._clock.monotonic()
        if lease is not None and self._store.renew(lease.epoch, self._identity.address()):
            self._sure_until = began + self._duration
            return
        if lease is not None:
            _LOG.warning("The lease of this server has ended: others go on with its jobs")
        self._lease = None
        self._register()
        self.look_soon()

    def _look_around(self) -> Steps:
        while not self._stopping:
            now = self._clock.monotonic()
            others = now >= self._looks_at_others
            if others:
                self._looks_at_others = now + self._duration / _LOOKS * 0.9
            try:
                self._look(others)
            except OrthancError as error:
                self.troubled(error)
            yield self._duration / _LOOKS
