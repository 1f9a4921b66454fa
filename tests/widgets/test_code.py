"""The code that panels show: it is what was run, and it runs again."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.testing.faults import Faults
from orthanc_lab.widgets import (
    ArchivePanel,
    BrowserPanel,
    DicomizePanel,
    FaultsPanel,
    JobsPanel,
    ModifyPanel,
    NetworkPanel,
    ServerPanel,
    UploadPanel,
)
from orthanc_lab.widgets.code.code_log import CodeLog
from orthanc_lab.widgets.code.spoken import named, with_names
from orthanc_lab.widgets.dicomize.keywords import find
from tests.programs import program
from tests.widgets.dropping import drop, settle
from tests.widgets.test_jobs_panel import paused_job
from tests.widgets.test_network_panel import ended


@pytest.fixture(scope="module")
def server():
    with orthanc_lab.serve(RegisteredUsers={}) as running:
        yield running


@pytest.fixture
def client(server):
    server.renew()
    with Client.from_server(server) as made:
        yield made


@pytest.fixture
def study(client):
    client.upload(samples.path("ct"))
    return client.studies.find()[0]


def run(panel, client) -> list[str]:
    """Run the Python that a panel shows, as a user does; return what it sends."""
    log = CodeLog(client)
    exec(panel.code_view.python, {"client": client.observed(log._note_request)})
    return log.curl.splitlines()


def writes(lines: list[str]) -> list[str]:
    """Leave out what only looks: a job is asked for before it is controlled."""
    return [line for line in lines if " -X " in line or "--output" in line]


def sent(panel) -> list[str]:
    return panel.code_view.curl.splitlines()


def test_an_upload(client, monkeypatch):
    panel = UploadPanel(client)
    settle(panel)
    assert panel.code_view.python == ""
    file = samples.dicom_files("ct/localizer")[0]
    drop(panel.zone, file.name, file.read_bytes())
    settle(panel)
    assert panel.code_view.python == f"client.upload([{file.name!r}])"
    monkeypatch.chdir(file.parent)
    client.studies.find()[0].delete()
    assert writes(run(panel, client)) == writes(sent(panel))
    assert len(client.instances) == 1
    panel.close()


def test_a_picture_becomes_dicom(client, monkeypatch):
    panel = DicomizePanel(client)
    file = samples.path("chart.png")
    drop(panel.zone, file.name, file.read_bytes())
    panel.make().result()
    assert panel.code_view.python.startswith("client.create_dicom('chart.png', {")
    monkeypatch.chdir(file.parent)
    before = client.instances.find()[0].all_tags
    run(panel, client)
    one, other = (instance.all_tags for instance in client.instances.find())
    kept = [name for name in before if not name.endswith(("UID", "Time", "Date", "ID"))]
    assert {name: one[name] for name in kept} == {name: other[name] for name in kept}
    panel.close()


def test_a_parent_is_sought_and_what_was_made_deleted(client, study):
    panel = DicomizePanel(client)
    panel.parent.level.value = "Study"
    panel.act("", lambda: None).result()
    assert panel.code_view.python.startswith("client.studies.find({}, limit=50, order_by=[")
    assert run(panel, client) == sent(panel)
    panel.parent.level.value = panel.parent.level.options[0]
    panel.add(samples.path("chart.png"))
    panel.make().result()
    (made,) = panel.made
    panel._delete(made)
    panel.act("", lambda: None).result()
    assert panel.code_view.python == f"client.instances[{made.id!r}].delete()"
    assert not made.exists()
    panel.close()


def test_a_job_is_paused_and_deleted(client, study):
    panel = JobsPanel(client)
    job = paused_job(study.archive_job)
    panel.refresh()
    panel.table.selected = [job.id]
    panel.control("resume").result()
    assert panel.code_view.python == f"client.jobs[{job.id!r}].resume()"
    job.wait()
    panel.refresh()
    panel.control("delete").result()
    assert panel.code_view.python == f"client.jobs[{job.id!r}].delete()"
    assert sent(panel) == [f"curl -X DELETE {client.url}/jobs/{job.id}"]
    with pytest.raises(KeyError):
        run(panel, client)
    panel.close()


def test_an_archive(client, study, tmp_path, monkeypatch):
    panel = ArchivePanel(client)
    panel.tree.toggle(study.id)
    panel.wait_until_shown()
    panel.make().result()
    assert panel.code_view.python == f"client.archive_job([{study.id!r}])"
    command = writes(sent(panel))
    panel.job.wait()
    panel.download.save_beside(tmp_path)
    assert panel.code_view.python == f"client.jobs[{panel.job.id!r}].download('.')"
    monkeypatch.chdir(tmp_path)
    assert writes(run(panel, client)) == sent(panel)
    assert len(list(tmp_path.glob("*.zip"))) == 2
    panel.make().result()
    assert writes(sent(panel)) == command
    assert writes(run(panel, client)) == command
    panel.close()


def test_a_search_and_what_is_looked_at(client, study):
    panel = BrowserPanel(client)
    assert panel.code_view.python == "client.patients.find({}, order_by=['PatientName'], limit=101)"
    panel.search.value = "soft"
    panel.wait_until_found()
    assert "client.series.find({'SeriesDescription': '*soft*'}, limit=101)" in panel.code_view.python.splitlines()
    assert writes(run(panel, client)) == writes(sent(panel))
    panel.search.value = ""
    panel.wait_until_found()
    series = study.series[1]
    for resource, below in ((series, "instances"), (study, "series"), (series.instances[0], "all_tags")):
        panel.show_resource(resource)
        panel.wait_until_shown()
        assert panel.code_view.python == f"client.{resource.level.plural}[{resource.id!r}].{below}"
        assert run(panel, client)[-1:] == sent(panel)  # before that it is asked whether it is there
    panel.close()


def test_a_streamed_archive(client, study, tmp_path, monkeypatch):
    panel = ArchivePanel(client)
    panel.tree.toggle(study.id)
    panel.folder.value = str(tmp_path)
    panel.save().result()
    assert panel.code_view.python == f"client.archive([{study.id!r}], {str(tmp_path)!r})"
    assert writes(run(panel, client)) == writes(sent(panel))
    panel.close()


def test_a_change(client, study):
    panel = ModifyPanel(client)
    panel.branches.learn(study.series)
    panel.tree.toggle(study.series[0].id)
    panel.form.action.value = "modify"
    panel.form.replace.add(find("SeriesDescription"), "Checked")
    for press in (panel.preview, panel.make):
        press().result()
        command = writes(sent(panel))
        assert len(command) == 1
        assert writes(run(panel, client)) == command
    settle_jobs(client)
    made = client.series.find(SeriesDescription="Checked")
    assert len(made) == 2
    panel.form.action.value = "split"
    panel.form.replace.remove("SeriesDescription")
    panel.tree.clear()
    panel.branches.learn(made)
    panel.tree.toggle(made[0].id)
    panel.make().result()
    assert panel.code_view.python.startswith(f"client.studies[{study.id!r}].split([{made[0].id!r}], ")
    settle_jobs(client)
    panel.close()


def settle_jobs(client):
    for job in client.jobs:
        job.wait(progress=False)


def test_nodes(network, archive):
    panel = NetworkPanel(network)
    panel.nodes.selected = ["archive"]
    panel.echo().result()
    assert panel.code_view.python == "client.modalities['archive'].echo(timeout=5)"
    assert writes(run(panel, network)) == writes(sent(panel))
    panel.query_form.name.value = "phantom"
    panel.ask().result()
    python = panel.code_view.python
    assert python.startswith("client.modalities['archive'].query('Study', {")
    assert writes(run(panel, network)) == writes(sent(panel))
    panel.retrieve().result()
    assert panel.code_view.python == f"client.queries[{panel.query.id!r}][0].retrieve()"
    ended(panel)
    panel.answers.selected = ["0"]
    asked = panel.query.id
    panel.below().result()
    assert panel.code_view.python.startswith(f"client.queries[{asked!r}][0].query('Series', {{")
    assert writes(run(panel, network)) == writes(sent(panel))
    panel.tree.toggle(panel.tree.level()[0].id)
    panel.send_checked().result()
    assert panel.code_view.python == f"client.modalities['archive'].store({panel.tree.checked})"
    assert writes(run(panel, network)) == writes(sent(panel))
    ended(panel)
    form = panel.node_form
    form.name.value, form.aet.value, form.host.value, form.port.value = "other", "OTHER", "127.0.0.1", 1
    panel.add().result()
    assert panel.code_view.python.startswith("client.modalities.add('other', AET='OTHER', Host='127.0.0.1', Port=1")
    panel.nodes.selected = ["other"]
    panel.remove().result()
    assert panel.code_view.python == "client.modalities['other'].remove()"
    network.modalities.add("other", AET="OTHER", Host="127.0.0.1", Port=1)
    assert writes(run(panel, network)) == writes(sent(panel))
    panel.close()


def test_a_server(tmp_path):
    with orthanc_lab.serve(RegisteredUsers={"alice": "s3cret"}, AuthenticationEnabled=True) as server:
        panel = ServerPanel(server)
        panel.control("restart").result()
        assert panel.code_view.python == "server.restart()"
        assert panel.code_view.curl == ""
        panel._restart_with({**server.options, "Name": "Again"}).result()
        assert "'Name': 'Again'" in panel.code_view.python
        assert "s3cret" not in panel.code_view.python
        assert orthanc_lab.Client.from_server(server).system["Name"] == "Again"
        panel.close()


def test_faults():
    faults = Faults()
    with orthanc_lab.serve(faults=faults) as server:
        panel = FaultsPanel(Client.from_server(server), faults)
        panel.table.selected = ["truncated ZIP"]
        panel.switch("on").result()
        python = panel.code_view.python
        assert python.startswith("faults.on('truncated ZIP'")
        panel.switch("off").result()
        assert panel.code_view.python == "faults.off('truncated ZIP')"
        exec(python, {"faults": faults})
        assert [fault.name for fault in faults.in_force] == ["truncated ZIP"]
        panel.close()


def test_curl_runs_as_it_is_printed(client, study, tmp_path):
    curl = program("curl")
    log = CodeLog(client)
    made = log.client.archive_job([study.id], priority=3).wait()
    log.client.lookup('it\'s @home & "quoted" $HOME')
    commands = [line for line in log.curl.splitlines() if " -X " in line]
    assert commands[0].startswith(f"curl -X POST {client.url}/tools/create-archive -d ")
    answers = [
        subprocess.run([curl, "-s", *shlex.split(line)[1:]], capture_output=True, check=True, cwd=tmp_path).stdout
        for line in commands
    ]
    assert made.priority == 3
    assert b'"Path"' in answers[0]
    assert [job.priority for job in client.jobs] == [3, 3]


def test_no_password_is_shown():
    with orthanc_lab.serve(RegisteredUsers={"alice": "s3cret"}, AuthenticationEnabled=True) as server:
        log = CodeLog(Client.from_server(server))
        log.client.lookup("x")
        assert log.curl == f"curl -u USER -X POST {server.url}/tools/lookup -d x"


def test_bodies_that_are_long_or_no_text_are_files(client):
    log = CodeLog(client)
    (file,) = samples.dicom_files("ct/localizer")
    log.client.upload([file], progress=False)
    size = file.stat().st_size
    assert log.curl == f"curl -X POST {client.url}/instances --data-binary @body-of-{size}-bytes"


def test_many_statements_are_cut(client):
    log = CodeLog(client)
    for number in range(30):
        log.client.lookup(f"phantom {number}")
    assert log.python.splitlines()[-1] == "# … and 10 more statements"
    assert log.curl.splitlines()[-1] == "# … and 10 more requests"
    log.begin()
    log.client.lookup("x")
    assert log.python == "client.lookup('x')"


def test_the_errors_of_a_call_are_its_own(client):
    log = CodeLog(client)
    with pytest.raises(orthanc_lab.ResponseError):
        log.client.create_dicom(None, {"PatientName": "x"}, parent="nowhere")
    assert log.python == "client.create_dicom(None, {'PatientName': 'x'}, parent='nowhere')"


def test_paths_that_only_the_panel_knows():
    path = Path("/tmp/spool/1")
    assert repr(named(path, "'a.png'")) == "'a.png'"
    assert repr(with_names([{"Content": path, "Tags": {}}], {path: "'a.png'"})) == "[{'Content': 'a.png', 'Tags': {}}]"
