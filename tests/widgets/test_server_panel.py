"""The server panel: on a server in a thread, in a process of its own, and elsewhere."""

from __future__ import annotations

import json
import re
import threading

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.widgets import JobsPanel, ServerPanel
from tests.widgets.browser import hear, hide, show


@pytest.fixture(params=[False, True], ids=["thread", "process"])
def server(request):
    with orthanc_lab.serve(process=request.param, Name="Before") as server:
        yield server


@pytest.fixture
def panel(server):
    panel = ServerPanel(server)
    yield panel
    panel.close()


def offered(panel):
    return set(panel.toolbar.offers)


def test_what_it_shows(panel, server):
    assert panel.state == "running"
    facts = panel._facts.value
    assert f'href="{server.url}/app/explorer.html"' in facts
    assert "Running" in facts
    assert "“Before”" in facts
    assert any("Orthanc has started" in line for line in panel.log_view.lines)


def test_stop_and_start_keep_port_and_files(panel, server):
    panel.client.upload(samples.path("ct/soft_tissue"))
    url = server.url
    panel.toolbar.press("stop")
    panel.act("", lambda: None).result()
    assert panel.state == "stopped"
    assert offered(panel) == {"start"}
    assert "Stopped" in panel._facts.value
    assert not panel.status.is_warning  # as it was asked to be
    panel.toolbar.press("start")
    panel.act("", lambda: None).result()
    assert panel.state == "running"
    assert server.url == url
    assert panel.client.statistics["CountInstances"] == 20
    assert "20 instances" in panel._facts.value


def test_only_a_process_can_be_killed(panel, server):
    is_process = hasattr(server, "kill")
    assert offered(panel) == {"stop", "restart"} | ({"kill"} if is_process else set())
    if is_process:
        assert panel.toolbar.offers["kill"].startswith("Kill the process, like kill -9?")
        panel.control("kill").result()
        assert (panel.state, panel.status.text) == ("stopped", "The process was killed.")
        assert "Killed" in panel._facts.value
        panel.control("start").result()
        assert (panel.state, panel.status.text) == ("running", "The server has started.")
    else:
        with pytest.raises(ValueError, match="process=True"):
            panel.control("kill")


def test_nothing_is_offered_while_it_is_at_work(panel, server, monkeypatch):
    begun, go = threading.Event(), threading.Event()
    monkeypatch.setattr(server, "halt", lambda: (begun.set(), go.wait(10)))
    stopping = panel.control("stop")
    assert begun.wait(10)
    panel.refresh()
    assert offered(panel) == set()
    assert panel.status.text == "Stopping the server …"
    go.set()
    stopping.result()
    assert "stop" in offered(panel)


def test_other_panels_say_it_and_recover(panel, server):
    jobs = JobsPanel(Client.from_server(server), interval=0.02)
    away, back = threading.Event(), threading.Event()

    def hear_text(change):
        if "No Orthanc answers" in change["new"]:
            away.set()
        elif change["new"] == "The server is back.":
            back.set()

    jobs.status.observe(hear_text, "text")
    show(jobs)
    panel.control("stop").result()
    assert away.wait(20)
    panel.control("start").result()
    assert back.wait(20)
    assert not jobs.is_away
    hide(jobs)
    jobs.close()


def test_options_are_edited_and_applied(panel, server):
    assert json.loads(panel.editor.text.value)["Name"] == "Before"
    panel.editor.text.value = json.dumps({"Name": "After", "JobsHistorySize": 77})
    panel.editor.apply_button.click()
    panel.act("", lambda: None).result()
    assert panel.client.system["Name"] == "After"
    assert "“After”" in panel._facts.value
    panel.options_table.search.value = "jobshistorysize"
    assert [row["value"] for row in panel.options_table.table.rows] == ["77"]
    panel.editor.reset_button.click()
    assert json.loads(panel.editor.text.value)["Name"] == "After"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "This is not valid JSON: Expecting property name enclosed in double quotes in line 1, column 2."),
        ("[]", "A configuration must be a JSON object"),
        ('{"JobsHistorySize": -1}', 'The configuration option "JobsHistorySize" must be a positive integer'),
        ('{"SaveJobs": 5}', "SaveJobs"),
        ('{"HttpPort": 1}', '"HttpPort" must stay'),
    ],
)
def test_options_that_are_refused_are_not_applied(panel, server, text, words):
    panel.editor.text.value = text
    panel.editor.apply_button.click()
    assert words in panel.editor.words
    assert 'role="alert"' in panel.editor._outcome.value
    assert panel.client.system["Name"] == "Before"
    assert not panel._is_acting


def test_a_check_finds_a_misspelt_option(panel):
    panel.editor.text.value = '{"Names": "a"}'
    panel.editor.check_button.click()
    assert panel.editor.words == "There is no option 'Names'; did you mean 'Name'?"


def test_a_check_says_what_has_no_effect(panel):
    panel.editor.text.value = '{"LuaScripts": ["x"]}'
    panel.editor.check_button.click()
    words = 'The configuration option "LuaScripts" is known, but has no effect yet'
    assert panel.editor.words == f"These options are valid.\n{words}"


def test_another_address_is_said(panel, server, monkeypatch):
    monkeypatch.setattr(type(server), "url", "https://elsewhere:1")
    panel.control("restart").result()
    assert panel.status.text.startswith("The server is now at https://elsewhere:1: make")


def test_a_failure_at_the_start_is_said(panel, server, monkeypatch):
    def fail(options=None):
        raise OrthancError(2003, f" (port = {server.port})")

    panel.control("stop").result()
    with monkeypatch.context() as patch:
        patch.setattr(server, "restart", fail)
        panel.control("start").result()
    assert panel.status.text == (
        "Starting the server: The TCP port of the HTTP server is privileged or already in use: "
        f"(port = {server.port}) (Orthanc error 2003)"
    )
    assert offered(panel) == {"start"}


def test_passwords_are_not_in_the_table():
    with orthanc_lab.serve(RegisteredUsers={"a": "secret"}, AuthenticationEnabled=True) as server:
        panel = ServerPanel(server)
        assert panel.state == "running"
        assert "secret" not in json.dumps(panel.options_table.table.rows)
        assert "secret" not in str(panel._repr_mimebundle_()["text/html"])


def test_passwords_are_not_in_the_editor_and_survive_it():
    peers = {
        "list": ["http://a", "u", "secret1"],
        "object": {
            "Url": "http://u:secret2@b",
            "Username": "u",
            "Password": "secret3",
            "HttpHeaders": {"K": "secret4"},
        },
    }
    users = {"alice": "secret5", "robot": "secret6"}
    options = {"RegisteredUsers": users, "AuthenticationEnabled": True, "OrthancPeers": peers}
    with orthanc_lab.serve(options, HttpProxy="http://u:secret7@proxy") as server:
        panel = ServerPanel(server)
        shown = json.dumps([widget.get_state() for widget in widgets_of(panel)], default=str)
        assert "alice" in shown
        assert "secret" not in shown
        edited = json.loads(panel.editor.text.value)
        edited["RegisteredUsers"] |= {"alice": "new", "bob": "secret9"}
        edited["Name"] = "***"
        panel.editor.text.value = json.dumps(edited)
        assert panel.editor.check() is None
        assert "Name is hidden" in panel.editor.words
        del edited["Name"]
        panel.editor.text.value = json.dumps(edited)
        panel.editor.apply()
        panel.act("", lambda: None).result()
        assert server.options["RegisteredUsers"] == {"alice": "new", "robot": "secret6", "bob": "secret9"}
        assert server.options["OrthancPeers"] == peers
        assert server.options["HttpProxy"] == "http://u:secret7@proxy"
        assert "secret" not in panel.editor.text.value
        panel.close()


def widgets_of(panel):
    """Return a panel and all that is inside."""
    found, waiting = [], [panel]
    while waiting:
        widget = waiting.pop()
        found.append(widget)
        waiting += getattr(widget, "children", ())
    return found


def test_a_server_elsewhere_is_watched(client):
    panel = ServerPanel(client=client)
    assert panel.state == "running"
    assert panel.toolbar not in panel.body.children
    with pytest.raises(ValueError, match="not started by this program"):
        panel.control("stop")


def test_a_server_elsewhere_that_is_away():
    with orthanc_lab.serve() as server:
        panel = ServerPanel(client=Client.from_server(server))
    panel.refresh()
    assert panel.state == "away"
    assert "Does not answer" in panel._facts.value
    assert "No Orthanc answers" in panel.status.text


def test_a_server_that_refuses_the_credentials():
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers={"alice": "secret"}) as server:
        panel = ServerPanel(client=Client(server.url, auth=("alice", "wrong")))
        panel.refresh()
        assert panel.state == "closed"
        assert "Refuses the credentials" in panel._facts.value
        known = Client.from_server(server)
        known.create_dicom(None, {"PatientID": "one"})
        panel = ServerPanel(client=known)
        assert re.search(r"1 study, 1 instance · \d+ bytes", panel._facts.value)


def test_without_a_server_it_starts_its_own():
    panel = ServerPanel()
    server = panel.server
    assert server.is_running
    panel.close()
    assert not server.is_running


def test_a_look_without_news_sends_nothing(server):
    with hear() as recorder:
        panel = ServerPanel(server)
        panel.refresh()
        recorder.taken()
        panel.refresh()
        assert recorder.taken() == []


def test_a_saved_notebook_shows_its_state(panel):
    assert "Running" in panel._repr_mimebundle_()["text/html"]
