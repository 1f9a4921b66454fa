"""Which connection has to leave for another."""

from __future__ import annotations

import time

from orthanc_lab.server.http.places import Places

PATIENCE_S = 0.25
HERE = "127.0.0.1"


class Client:
    """A connection whose client owes something since it came, unless it is at work."""

    def __init__(self, *, at_work: bool = False) -> None:
        self._at_work = at_work
        self._since = time.monotonic()
        self.owed_s: float | None = None  # when it was put out

    def lateness(self, now: float) -> float:
        return -1.0 if self._at_work or self.owed_s is not None else now - self._since

    def has_sent(self) -> bool:
        return False

    def finish(self) -> None:
        """Nothing more is asked of it."""

    def cut(self) -> None:
        self.owed_s = time.monotonic() - self._since


def come(places: Places, *work: bool) -> list[Client]:
    clients = [Client(at_work=at_work) for at_work in work]
    assert all(places.take(client, HERE) for client in clients)
    return clients


def test_a_client_has_its_time_however_many_come_from_its_address() -> None:
    places = Places(100, most_of_address=4)
    clients = come(places, *[False] * 4)
    clients += come(places, *[False] * 4)
    put_out = [client.owed_s for client in clients if client.owed_s is not None]
    assert len(put_out) == 4
    assert min(put_out) >= PATIENCE_S
    assert all(client.owed_s is not None for client in clients[:4]), "who came first leaves first"


def test_one_that_owes_something_leaves_soon_if_the_others_work() -> None:
    places = Places(100, most_of_address=4)
    *busy, idle = come(places, True, True, True, False)
    come(places, True)
    assert idle.owed_s is not None
    assert [client.owed_s for client in busy] == [None] * 3


def test_none_leaves_if_all_work() -> None:
    places = Places(100, most_of_address=2)
    come(places, True, True)
    assert not places.take(Client(), HERE)
    assert places.take(Client(), "127.0.0.2")
