"""The inner parts of pynetdicom that `orthanc_lab.dimse.upper_layer` builds on: each with the reason.

They are no promise of pynetdicom's. When a new version fails here, look at the upper layer before the bound of the
extra ``network`` is moved.
"""

from __future__ import annotations

import inspect
import queue
import socket

import pytest
from pynetdicom import AE, evt, fsm
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dul import _PDU_TYPES, DULServiceProvider
from pynetdicom.transport import AssociationSocket

from orthanc_lab.dimse.connection import Connection
from orthanc_lab.dimse.upper_layer import QuickAssociation


@pytest.fixture
def association():
    return Association(AE("LAB"), "acceptor")


def test_provider_is_replaced_after_the_association_is_made(association):
    """`QuickAssociation` puts its own in their place; nothing else keeps the first ones."""
    assert type(association.dul) is DULServiceProvider
    assert type(association.dimse) is DIMSEServiceProvider
    kept = [name for name, value in vars(association).items() if value in (association.dul, association.dimse)]
    assert kept == ["dul", "dimse"]
    assert not hasattr(association.acse, "_dul")


def test_time_outs_are_set_at_the_provider(association):
    """So they are set again after it was replaced."""
    source = inspect.getsource(Association.acse_timeout.fset) + inspect.getsource(Association.network_timeout.fset)
    assert "self.dul.artim_timer" in source
    assert "self.dul._idle_timer" in source


def test_queues_of_the_provider(association):
    """The state machine takes its events, and what is to be sent, from queues, and puts what it says into another."""
    dul = association.dul
    for name in ("event_queue", "to_provider_queue", "to_user_queue", "_recv_pdu"):
        assert isinstance(getattr(dul, name), queue.Queue), name
    assert dul._kill_thread is False
    assert dul.socket is None


def test_the_provider_turns_what_is_sent_into_events(association):
    assert association.dul._process_recv_primitive() is False
    association.acse.send_abort(0)
    assert association.dul._process_recv_primitive() is True
    assert association.dul.event_queue.get_nowait() == "Evt15"


def test_decoding_returns_the_event():
    assert {kind[0]: event for kind, (_, event) in _PDU_TYPES.items()} == {
        1: "Evt6",
        2: "Evt3",
        3: "Evt4",
        4: "Evt10",
        5: "Evt12",
        6: "Evt13",
        7: "Evt16",
    }


def test_states():
    """Messages come in Sta6 and Sta7 and go in Sta6 and Sta8; in Sta1 and Sta13 the association is over."""
    table = fsm.TRANSITION_TABLE
    assert {state for event, state in table if table[event, state] in ("DT-2", "AR-6")} == {"Sta6", "Sta7"}
    assert {state for event, state in table if table[event, state] in ("DT-1", "AR-7")} == {"Sta6", "Sta8"}
    assert "Awaiting Transport Connection Close" in fsm.STATES["Sta13"]
    assert table["Evt19", "Sta6"] == "AA-8"  # an invalid PDU is answered by an abort
    assert table["Evt17", "Sta6"] == "AA-4"  # the end of the connection is told to the user


def test_the_socket_is_replaced():
    """`Connection` does not call its constructor, so it sets what the methods that it inherits use."""
    used = {"_assoc", "_tls_args", "_ready", "_is_connected", "select_timeout", "socket"}
    assert used == {
        name
        for name in ("_assoc", "_tls_args", "_ready", "_is_connected", "select_timeout", "socket")
        if f"self.{name}" in inspect.getsource(AssociationSocket)
    }
    one, other = socket.socketpair()
    with one, other:
        association = QuickAssociation(AE("LAB"), "acceptor", longest_pdu=16384, patience=1)
        association.attach(one)
        assert isinstance(association.dul.socket, Connection)
        assert association.dul.state_machine.current_state == "Sta2"
        association.kill()


def test_no_thread_is_started():
    """A thread of pynetdicom's would take PDUs away from the user's own."""
    association = QuickAssociation(AE("LAB"), "requestor", longest_pdu=16384, patience=1)
    assert association._is_paused
    assert "_is_paused" in inspect.getsource(Association.release)
    association.dul.start()
    assert association._dul_ready.is_set()
    assert not association.dul.is_alive()


def test_handlers_that_are_always_asked():
    """Without them, `evt.trigger` of an intervention raises; those of notifications only write logs."""
    association = QuickAssociation(AE("LAB"), "acceptor", longest_pdu=16384, patience=1)
    assert set(association.get_events()) == set(evt._INTERVENTION_EVENTS)
