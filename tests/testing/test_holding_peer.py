"""The peer that holds uploads: so many go through as it is told."""

from __future__ import annotations

import doctest
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
import requests

from orthanc_lab.testing import gate, holding_peer
from orthanc_lab.testing.holding_peer import HoldingPeer


def send(peer: HoldingPeer) -> int:
    return requests.post(f"{peer.url}/instances", data=b"DICM", timeout=30).status_code


def test_as_many_uploads_go_through_as_were_let():
    with HoldingPeer() as peer, ThreadPoolExecutor(3) as senders:
        peer.hold()
        sent = [senders.submit(send, peer) for _ in range(3)]
        peer.wait_until_held(3)
        assert not any(future.done() for future in sent)
        peer.let_through(2)
        done, held = wait(sent, timeout=30, return_when=FIRST_COMPLETED)
        first = next(iter(done))
        done, held = wait(set(sent) - {first}, timeout=30, return_when=FIRST_COMPLETED)
        assert (len(done), len(held)) == (1, 1)
        assert first.result() == 200
        assert not wait(held, timeout=0.1).done, "the third is held"
        peer.let_go()
        assert [future.result() for future in sent] == [200] * 3


def test_an_open_peer_answers_at_once():
    with HoldingPeer() as peer:
        assert send(peer) == 200


def test_a_wait_for_uploads_that_do_not_come_ends(monkeypatch):
    monkeypatch.setattr(gate, "_LONGEST_HOLD", 0.05)
    peer = HoldingPeer()
    peer.hold()
    with peer, pytest.raises(TimeoutError, match="0 of 1 requests are held"):
        peer.wait_until_held()


def test_its_example_runs():
    assert doctest.testmod(holding_peer).failed == 0
