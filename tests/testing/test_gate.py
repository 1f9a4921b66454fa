"""A gate that holds requests back."""

from __future__ import annotations

import threading

from orthanc_lab.testing.gate import Gate


def test_what_is_held_is_let_go_even_if_it_closes_at_once() -> None:
    gate = Gate()
    gate.hold()
    first = threading.Thread(target=gate.wait_for_permit, daemon=True)
    first.start()
    gate.wait_until_held()
    gate.let_go()
    gate.hold()
    first.join(10)
    assert not first.is_alive()
    second = threading.Thread(target=gate.wait_for_permit, daemon=True)
    second.start()
    gate.wait_until_held()
    gate.let_through()
    second.join(10)
    assert not second.is_alive()
