"""Small requests of several clients, answered together by one thread.

With a thread for each connection, clients that send one small file after the other make their threads fight for the
interpreter lock: each wait for a socket, a statement or the disk gives it away, and getting it back takes longer than
the work. So while there are several of them, their connections are watched by one thread, which reads what has come,
has it answered as a batch, and sends the answers. All that is not a whole small request of the known kind, and all
waiting for a client, is left to the thread of the connection.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, runtime_checkable

__all__ = ["Application", "Batches", "BatchingApplication", "Member", "Offer"]

_log = logging.getLogger("orthanc_lab.http")
_IN_A_ROW = 3  # requests of the known kind, after which a client is likely to send more
_LOOK_S = 0.25  # how often clients that send nothing are looked at
_LARGEST = 64  # requests in a batch

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Offer(NamedTuple):
    """A whole small request that has come."""

    head: bytes
    environ: dict[str, Any]
    body: bytes


Answered = tuple[str, list[tuple[str, str]], bytes]
"""Status, headers and body of an answer."""


@runtime_checkable
class BatchingApplication(Protocol):
    """A WSGI application that can answer some requests together."""

    def answers_together(self, env: Mapping[str, str]) -> bool:
        """Tell whether `answer_together` is worth being asked for requests like this one."""
        ...

    def answer_together(self, requests: Sequence[tuple[dict[str, Any], bytes]]) -> list[Answered | Application | None]:
        """Return the answer to each request with its body, or the application that answers it; None for as usual."""
        ...


class Member(Protocol):
    """A connection whose requests may be answered in batches."""

    in_a_row: int
    """How many requests of the known kind it has sent, one after the other."""
    outcome: Application | None
    """What answers the request that has come, where its thread has to go on."""
    deadline: float
    """Moment of the monotonic clock until which the next request must have begun."""

    @property
    def descriptor(self) -> int | None:
        """Of its socket; None if its bytes cannot be read by others (TLS)."""
        ...

    @property
    def request(self) -> Mapping[str, str]:
        """The last request."""
        ...

    def has_sent(self) -> bool:
        """Whether something has come that was not read yet."""
        ...

    def offer(self) -> Offer | None:
        """Read what has come, without waiting; None unless that is one whole small request, nothing more."""
        ...

    def conclude(self, offer: Offer, answer: Answered) -> bool:
        """Send the answer to an offer; False if its thread has to do what is left: to send the rest, or to end."""
        ...

    def cut(self) -> None:
        """End the connection, which its thread notices."""
        ...


class _Place:
    """A connection that is watched, and its thread that waits for the end of this."""

    __slots__ = ("gate", "member")

    def __init__(self, member: Member) -> None:
        self.member = member
        self.gate = threading.Lock()
        self.gate.acquire()


class Batches:
    """Watches connections and has their requests answered together; safe to use from many threads.

    Parameters
    ----------
    application
        Returns the one that answers the next requests.
    """

    def __init__(self, application: Callable[[], Application]) -> None:
        self._application = application
        self._poll = select.epoll() if hasattr(select, "epoll") else None  # others cannot be told while they wait
        self._lock = threading.Lock()  # guards what follows
        self._senders: set[Member] = set()  # of requests of the known kind
        self._places: dict[int, _Place] = {}  # by descriptor; only the watching thread takes one out
        self._is_watching = False
        self._looked_at = 0.0  # moment when late clients were looked for
        self._known: Application | None = None
        self._known_batching: BatchingApplication | None = None  # the same, if it is one

    def visit(self, member: Member) -> None:
        """Watch a connection whose request was just answered, if that helps; return when its thread has to go on."""
        application = self._batching()
        if self._poll is None or application is None or not application.answers_together(member.request):
            self.forget(member)
            return
        member.in_a_row += 1
        with self._lock:
            self._senders.add(member)
            are_several = len(self._senders) > 1
        descriptor = member.descriptor
        if member.in_a_row >= _IN_A_ROW and are_several and descriptor is not None:
            self._watch(member, descriptor)

    def forget(self, member: Member) -> None:
        """Take note that a connection has ended, or does other things now."""
        if member.in_a_row:
            member.in_a_row = 0
            with self._lock:
                self._senders.discard(member)

    def close(self) -> None:
        """Release what is left, once all connections have ended."""
        with self._lock:
            if self._poll is not None and not self._is_watching:
                self._poll.close()
                self._poll = None

    def _watch(self, member: Member, descriptor: int) -> None:
        place = _Place(member)
        with self._lock:
            if self._poll is None:
                return
            self._places[descriptor] = place
            try:
                self._poll.register(descriptor, select.EPOLLIN)
                if not self._is_watching:
                    threading.Thread(target=self._run, name="orthanc-lab-batches", daemon=True).start()
                    self._is_watching = True
            except (OSError, RuntimeError):  # the system has no memory, or no thread, for this
                del self._places[descriptor]
                with suppress(OSError):
                    self._poll.unregister(descriptor)
                return
        place.gate.acquire()

    def _run(self) -> None:
        try:
            while self._look():
                pass
        except BaseException:
            _log.exception("Requests are answered one by one from now on")
            with self._lock:
                self._is_watching = False
                poll, self._poll = self._poll, None
                places, self._places = self._places, {}
            if poll is not None:
                poll.close()
            for place in places.values():
                place.gate.release()

    def _look(self) -> bool:
        """Answer what has come; False if there is no connection any more."""
        assert self._poll is not None
        events = self._poll.poll(_LOOK_S, _LARGEST)
        ready = [(descriptor, self._places[descriptor]) for descriptor, _ in events]
        if ready:
            self._answer(ready)
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_S:
            self._looked_at = now
            for place in self._places.copy().values():
                # What has come while the others were answered is not late.
                if now > place.member.deadline and not place.member.has_sent():
                    place.member.cut()
        with self._lock:
            self._is_watching = bool(self._places)
            return self._is_watching

    def _answer(self, ready: list[tuple[int, _Place]]) -> None:
        application = self._batching()
        offers: list[tuple[int, _Place, Offer]] = []
        for descriptor, place in ready:
            offer = place.member.offer()
            if offer is None or application is None or not application.answers_together(offer.environ):
                self._release(descriptor, place)
            else:
                offers.append((descriptor, place, offer))
        if application is None or not offers:
            return
        outcomes = application.answer_together([(offer.environ, offer.body) for _, _, offer in offers])
        for (descriptor, place, offer), outcome in zip(offers, outcomes, strict=True):
            if not isinstance(outcome, tuple):
                place.member.outcome = outcome
                self._release(descriptor, place)
            elif not place.member.conclude(offer, outcome):
                self._release(descriptor, place)

    def _batching(self) -> BatchingApplication | None:
        application = self._application()
        if application is not self._known:
            self._known_batching = application if isinstance(application, BatchingApplication) else None
            self._known = application
        return self._known_batching

    def _release(self, descriptor: int, place: _Place) -> None:
        """Let the thread of a connection go on; it comes back after some more requests of the known kind."""
        assert self._poll is not None
        self._poll.unregister(descriptor)
        del self._places[descriptor]
        self.forget(place.member)
        place.gate.release()
