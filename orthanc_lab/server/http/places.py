"""The places of an HTTP server: how many connections there are at a time, and which one has to leave for another."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from typing import Protocol

__all__ = ["Guest", "Places"]

_PATIENT_S = 0.25  # what a client may owe without losing its place
_LOOK_S = 0.05  # how often those who wait for a place look for one
_SHORTEST_S = 0.001  # of their waits
_NETWORK = 8  # bytes of an IPv6 address that name a network: its owner has all addresses in it


class Guest(Protocol):
    """A connection, as far as its place is concerned."""

    def lateness(self, now: float) -> float:
        """Return for how many seconds the client owes something; below 0 if it does not."""
        ...

    def has_sent(self) -> bool:
        """Whether what it owes is here already, and was not looked at yet."""
        ...

    def finish(self) -> None:
        """Accept no further request."""
        ...

    def cut(self) -> None:
        """End the connection; its thread gives the place back."""
        ...


class Places:
    """Places for connections.

    While there are enough, nobody is disturbed. When all are taken, a new connection gets the place of the client
    that owes something for the longest time: the rest of a request, or taking its answer.

    Parameters
    ----------
    most
        Connections at a time.
    most_of_address
        Connections of one address at a time; 0 for no such limit.
    """

    def __init__(self, most: int, most_of_address: int = 0) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._changed = threading.Condition()
        self._taken: dict[Guest, bytes] = {}  # with the key of its address, in the order they came
        self._of_address: dict[bytes, dict[Guest, None]] = {}
        self._is_closed = False

    def take(self, guest: Guest, address: str) -> bool:
        """Give a place to a connection, waiting for one if necessary; False if there is none for its address."""
        key = _key(address)
        with self._changed:
            if not self._wait_for_place_of_address(key):
                return False
            while len(self._taken) >= self._most and not self._is_closed:
                self._make_room(self._taken, _PATIENT_S)
                self._changed.wait(_LOOK_S)
            if self._is_closed:
                return False
            self._taken[guest] = key
            self._of_address.setdefault(key, {})[guest] = None
        return True

    def give_back(self, guest: Guest) -> None:
        """Take note that a connection has ended."""
        with self._changed:
            key = self._taken.pop(guest, None)
            if key is not None:
                self._forget_address(guest, key)
            self._changed.notify_all()

    def make_room(self) -> None:
        """Cut the connection that has to leave first, if there is one."""
        with self._changed:
            self._make_room(self._taken, _PATIENT_S)

    def close(self) -> list[Guest]:
        """Give no further places; return the connections that there are."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            return list(self._taken)

    def wait_until_empty(self, timeout: float) -> list[Guest]:
        """Return the connections that are still there after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken, timeout)
            return list(self._taken)

    def _wait_for_place_of_address(self, key: bytes) -> bool:
        """Wait for one of the places that an address may take; False if its clients owe nothing.

        The latest loses its own. With many that owe something each has its time, however fast others come; with few,
        nobody who comes from elsewhere meanwhile has to wait for them.
        """
        began = time.monotonic()
        while self._most_of_address and len(guests := self._of_address.get(key, {})) >= self._most_of_address:
            now = time.monotonic()
            late = [lateness for guest in guests if (lateness := guest.lateness(now)) >= 0]
            patience = _PATIENT_S * len(late) / self._most_of_address
            is_over = now - began >= patience
            if self._make_room(guests, 0 if is_over else patience):
                return True
            if is_over:
                return False
            self._changed.wait(max(_SHORTEST_S, min(_LOOK_S, patience - max(late))))
        return True

    def _make_room(self, guests: Iterable[Guest], patience: float) -> bool:
        now = time.monotonic()
        for guest in sorted(guests, key=lambda guest: guest.lateness(now), reverse=True):
            if guest.lateness(now) < patience:
                return False
            if not guest.has_sent():
                guest.cut()
                self._forget_address(guest, self._taken[guest])
                return True
        return False

    def _forget_address(self, guest: Guest, key: bytes) -> None:
        guests = self._of_address.get(key, {})
        guests.pop(guest, None)
        if not guests:
            self._of_address.pop(key, None)


def _key(address: str) -> bytes:
    if ":" not in address:
        return address.encode()
    return socket.inet_pton(socket.AF_INET6, address.partition("%")[0])[:_NETWORK]
