"""What all panels do: look, say what went wrong, recover, stop."""

from __future__ import annotations

import threading

import ipywidgets
import pytest

import orthanc_lab
from orthanc_lab import Client
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.widgets.elements.status import LEASE
from orthanc_lab.widgets.panel import Panel
from tests.widgets.browser import hide, show


class Counting(Panel):
    """Shows the number of patients."""

    def __init__(self, client: Client, **options: object) -> None:
        super().__init__(client, **options)
        self.shown = -1
        self.looked = threading.Semaphore(0)

    def poll(self) -> None:
        self.shown = self.poll_client.statistics["CountPatients"]
        self.looked.release()


def test_look_shows_the_server(client, study):
    panel = Counting(client)
    panel.refresh()
    assert panel.shown == 1
    assert panel.status.text == ""


def test_a_dead_server_is_said_and_its_return_is_noticed():
    with orthanc_lab.serve(process=True) as server:
        panel = Counting(Client.from_server(server))
        server.kill()
        panel.refresh()
        assert "No Orthanc answers at" in panel.status.text
        assert panel.status.is_warning
        server.restart()
        panel.refresh()
        assert panel.status.text == "The server is back."
        assert not panel.status.is_warning


def test_an_error_of_an_action_is_said_in_words(client):
    panel = Counting(client)
    panel.act("Deleting", lambda: client.transport.get("/nothing")).result()
    assert panel.status.is_warning
    assert panel.status.text.startswith("Deleting: Unknown resource (HTTP 404")


def test_the_words_of_an_action_are_said_and_the_panel_looks(client, study):
    panel = Counting(client)
    panel.act("Working", lambda: "Done.").result()
    assert panel.status.text == "Done."
    assert panel.shown == 1


class Following(Panel):
    """Follows what its action has started, as a panel with jobs does."""

    def __init__(self, client: Client, **options: object) -> None:
        super().__init__(client, **options)
        self.ended: list[str] = []
        self.is_warning = False

    def poll(self) -> None:
        while self.ended:
            self.tell(self.ended.pop(), is_warning=self.is_warning)


def test_what_a_poll_finds_is_not_replaced_by_the_words_of_the_action_before(client):
    panel = Following(client)

    def start() -> str:
        panel.ended.append("Made.")
        panel.refresh()  # as in the thread that polls, before the action says that it has started something
        assert panel.status.text == "Starting …"
        return "Started."

    panel.act("Starting", start).result()
    assert panel.status.text == "Made."


@pytest.mark.parametrize("is_warning", [False, True])
def test_what_a_poll_finds_does_not_hide_that_the_action_failed(client, is_warning):
    panel = Following(client)
    panel.is_warning = is_warning

    def fail() -> str:
        panel.ended.append("Made.")
        raise ValueError("no")

    panel.act("Starting", fail).result()
    assert panel.status.text == "Starting: no\nMade."
    assert panel.status.is_warning


def test_a_fault_of_the_panel_is_seen(client, caplog):
    class Broken(Panel):
        def poll(self) -> None:
            raise RuntimeError("a fault")

    panel = Broken(client)
    panel.refresh()
    assert panel.status.text == "This panel failed: RuntimeError: a fault"


def test_it_looks_while_it_is_seen(client):
    panel = Counting(client, interval=0.01)
    assert not panel.is_live
    show(panel)
    assert panel.is_live
    for _ in range(3):
        assert panel.looked.acquire(timeout=10)
    hide(panel)
    assert not panel.is_live


def test_a_closed_panel_looks_no_more(client):
    panel = Counting(client, interval=0.01)
    panel.start()
    panel.close()
    assert not panel.is_live


@pytest.mark.parametrize("turn", ["start", "stop"])
def test_start_and_stop_may_come_twice(client, turn):
    panel = Counting(client, interval=0.01)
    getattr(panel, turn)()
    getattr(panel, turn)()
    panel.stop()


def test_where_no_widget_is_drawn_there_is_html(client):
    bundle = Counting(client)._repr_mimebundle_()
    assert client.url in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_browser_that_is_silent_is_gone(client):
    clock = ManualClock()
    panel = Counting(client, interval=0.01, clock=clock)
    show(panel)
    gone = threading.Event()
    panel.status.observe(lambda change: gone.set(), "is_seen")
    clock.advance(LEASE + 1)
    assert gone.wait(10)
    assert not panel.is_live
    show(panel)  # it was asleep
    assert panel.is_live
    panel.close()


def test_each_of_two_views_counts(client):
    panel = Counting(client)
    show(panel, "a")
    show(panel, "b")
    hide(panel, "a")
    assert panel.is_live
    hide(panel, "b")
    assert not panel.is_live


def test_what_is_older_than_the_outage_is_pale():
    with orthanc_lab.serve(process=True) as server:
        panel = Counting(Client.from_server(server))
        server.kill()
        panel.refresh()
        assert panel.is_away
        assert "orthanc-stale" in panel.body._dom_classes
        server.restart()
        panel.refresh()
        assert not panel.is_away
        assert "orthanc-stale" not in panel.body._dom_classes


def test_a_refusal_is_said_until_it_ends(client, monkeypatch):
    panel = Counting(client)
    with monkeypatch.context() as patch:
        patch.setattr(panel, "poll", lambda: client.transport.get("/nothing"))
        panel.refresh()
        assert panel.status.text.startswith("Unknown resource")
    panel.refresh()
    assert panel.status.text == ""


def test_what_an_action_said_is_not_wiped_by_a_look(client):
    panel = Counting(client)
    panel.act("Deleting", lambda: client.transport.get("/nothing")).result()
    panel.refresh()
    assert panel.status.text.startswith("Deleting: Unknown resource")


def test_close_closes_all_that_is_in_it(client):
    panel = Counting(client)
    inner = ipywidgets.VBox([ipywidgets.Button()])
    panel.body.children = [inner]
    panel.close()
    assert all(widget.comm is None for widget in (panel, panel.body, panel.status, inner, inner.children[0]))


def threads_of_panels() -> list[threading.Thread]:
    names = ("orthanc-lab serial queue", "orthanc-lab frames")
    return [thread for thread in threading.enumerate() if thread.name in names]


def test_a_panel_for_which_there_is_no_thread_polls_when_there_is_one(client, monkeypatch):
    panel = Counting(client, interval=0.01)

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            panel.start()
        with pytest.raises(RuntimeError, match="can't start"):
            panel.act("Deleting", lambda: None)
    assert panel.status.text == "Deleting: can't start new thread"
    panel.tell("Two jobs have ended.")
    assert panel.status.text == "Two jobs have ended."
    assert not panel.is_live
    panel.start()
    assert panel.looked.acquire(timeout=10)
    panel.close()


def test_the_first_poll_may_come_before_the_start_returns(client, monkeypatch):
    panel, start, looked = Counting(client, interval=3600), threading.Thread.start, []

    def start_and_look(thread):
        start(thread)
        looked.append(panel.looked.acquire(timeout=10))

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start_and_look)
        panel.start()
    assert looked == [True]
    panel.close()


def test_many_panels_leave_no_threads(client):
    before = len(threads_of_panels())
    for _ in range(10):
        panel = Counting(client, interval=0.01)
        show(panel)
        panel.act("Working", lambda: None).result()
        hide(panel)
    for thread in threads_of_panels():
        thread.join(10)
    assert len(threads_of_panels()) <= before


@pytest.mark.parametrize(("interval", "error"), [(0, ValueError), ("1s", TypeError)])
def test_an_interval_in_which_nothing_can_be_polled(client, interval, error):
    with pytest.raises(error, match=r"interval .* seconds"):
        Counting(client, interval=interval)
