"""The archive panel, without a browser."""

from __future__ import annotations

import re
import zipfile

import pytest
from pydicom.data import get_charset_files, get_testdata_file

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import Job
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets import ArchivePanel
from tests.widgets.test_jobs_panel import paused_job


def settle(panel):
    """Wait for what the panel does in the background."""
    panel.wait_until_shown()
    panel._queue.submit(lambda: None).result(30)


def names(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


@pytest.fixture
def panel(client, study):
    made = ArchivePanel(client)
    yield made
    made.close()


def open_all(panel):
    patient = panel.tree.level()[0]
    panel.tree.opened = [patient.id]
    (study,) = panel.tree.level(patient.id)
    panel.tree.opened = [patient.id, study.id]
    return patient.id, study.id, [series.id for series in panel.tree.level(study.id)]


def test_the_size_of_what_is_checked(panel):
    assert panel.size.value == "Nothing selected"
    _, study, series = open_all(panel)
    panel.tree.toggle(study)
    settle(panel)
    assert panel.size.value.startswith("31 instances, ")
    panel.tree.toggle(series[0])
    settle(panel)
    assert panel.size.value.startswith("30 instances, ")
    panel.clear_button.click()
    assert panel.size.value == "Nothing selected"
    assert panel.start_button.disabled


def test_streamed_to_a_folder(panel, tmp_path):
    _, _, series = open_all(panel)
    panel.tree.toggle(series[0])
    panel.format.value = "media"
    panel.folder.value = str(tmp_path)
    panel.save().result()
    assert re.fullmatch(rf"Saved {re.escape(str(tmp_path))}/Archive\.zip \(\d+\.\d kB\)", panel.status.text)
    assert set(names(tmp_path / "Archive.zip")) == {"DICOMDIR", "IMAGES/IM0"}


def test_streamed_to_the_browser(panel, tmp_path):
    _, study, _ = open_all(panel)
    panel.tree.toggle(study)
    assert len(names(panel.stream.save_beside(tmp_path))) == 31


def test_a_job_and_its_download(panel, tmp_path):
    _, _, series = open_all(panel)
    panel.tree.toggle(series[1])
    panel.way.value, panel.priority.value = "job", 7
    panel.make().result()
    Job(panel.client.transport, panel.job.document).wait()
    panel.refresh()
    assert panel.job.priority == 7
    assert panel.job.state is JobState.SUCCESS
    assert (panel.bar.value, panel.words.value, panel.status.text) == (100, "Success · 100 %", "The archive is ready.")
    assert len(names(panel.download.save_beside(tmp_path))) == 20
    panel.folder.value = str(tmp_path / "missing" / "x.zip")
    panel.save().result()
    assert panel.status.is_warning
    assert "does not exist" in panel.status.text


def test_only_syntaxes_that_the_server_can_make(panel):
    patient, _, _ = open_all(panel)
    panel.syntax.value = "1.2.840.10008.1.2.4.50"
    panel.tree.toggle(patient)
    settle(panel)
    offered = dict(panel.syntax.options)
    assert {"As stored", "JPEG Lossless", "JPEG-LS Lossless"} <= set(offered)
    assert "JPEG Baseline (lossy)" not in offered  # these images have 16 bit
    assert panel.syntax.value == ""
    assert (
        panel.status.text == "The server cannot transcode these images to JPEG Baseline (lossy); they stay as stored."
    )


def test_transcoding(panel, tmp_path):
    _, _, series = open_all(panel)
    panel.tree.toggle(series[0])
    settle(panel)
    panel.syntax.value = "1.2.840.10008.1.2.4.70"
    path = panel.stream.save_beside(tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert b"1.2.840.10008.1.2.4.70" in archive.read(archive.namelist()[0])


def test_what_is_deleted_meanwhile_is_said_and_leaves_the_tree(client, panel):
    client.upload(samples.path("mr"))
    panel.refresh()
    ct, mr = panel.tree.level()
    panel.tree.toggle(ct.id)
    panel.tree.toggle(mr.id)
    client.patients[ct.id].delete()
    panel.refresh()
    assert panel.status.text == "Deleted on the server in the meantime: Phantom CT"
    assert panel.tree.checked == [mr.id]
    assert [node.id for node in panel.tree.level()] == [mr.id]
    settle(panel)
    assert panel.size.value.startswith("12 instances, ")


def test_opening_what_is_deleted_meanwhile(client, panel):
    patient = panel.tree.level()[0].id
    client.patients[patient].delete()
    panel.tree.opened = [patient]
    assert panel.status.text == "Opening: this has since been deleted on the server."
    assert panel.tree.level() == []
    assert panel.tree.opened == []


def test_what_is_deleted_between_two_levels_of_a_look(client, panel, monkeypatch):
    patient, _, _ = open_all(panel)
    client.upload(samples.path("mr"))
    children = panel.branches.children

    def late(id):
        if id == patient and client.patients[id].exists():
            client.patients[id].delete()
        return children(id)

    with monkeypatch.context() as patch:
        patch.setattr(panel.branches, "children", late)
        panel.refresh()
    assert panel.status.text == ""
    panel.refresh()
    assert [node.label for node in panel.tree.level()] == ["Phantom MR"]
    assert (panel.tree.opened, panel.status.text) == ([], "")


def test_an_archive_of_what_is_deleted_meanwhile_fails_in_words(client, panel):
    patient = panel.tree.level()[0].id
    panel.tree.toggle(patient)
    settle(panel)
    client.patients[patient].delete()
    panel.way.value = "job"
    panel.make().result()
    assert panel.status.text.startswith("Starting: Unknown resource (HTTP 404")
    assert panel.tree.checked == []


def test_what_comes_is_shown_without_a_search(client, panel):
    client.upload(samples.path("mr"))
    panel.refresh()
    assert [(node.label, node.note) for node in panel.tree.level()] == [
        ("Phantom CT", "PHANTOM-CT · 1 study"),
        ("Phantom MR", "PHANTOM-MR · 1 study"),
    ]


def test_search(client, panel):
    client.upload([samples.path("mr"), samples.path("us")])
    panel.refresh()

    def found(words, field="Anything"):
        panel.field.value = field
        panel.search.value = words
        panel.wait_until_found()
        return [node.label for node in panel.tree.level()]

    assert found("phantom m") == ["Phantom MR"]
    assert found("PHANTOM-c") == ["Phantom CT"]
    assert found("beating") == ["Phantom US · Beating cavity"]
    assert found("mr") == ["Phantom MR"]
    assert found("mr", "Modality") == ["Phantom MR · MR shells"]
    assert len(found("2026-01", "Study date")) == 3
    assert found("1999", "Study date") == []
    assert panel.tree.empty == "Nothing matches"
    assert found("soft tissue", "Series description") == found("soft tissue") == ["Phantom CT · CT quality phantom"]
    series = client.series.find(Modality="CT")[0]
    for uid in (series.study.StudyInstanceUID, series.SeriesInstanceUID, series.instances[0].SOPInstanceUID):
        assert found(uid) == found(uid, "UID") == ["Phantom CT · CT quality phantom"]
    found("1.2", "UID")
    assert panel.status.text.startswith("Searching: '1.2' is not a UID")
    found("yesterday", "Study date")
    assert panel.status.text.startswith("Searching: 'yesterday' is not a date")
    assert len(found("", "Anything")) == 3


def test_an_accession_number_is_found_and_accents_do_not_matter(client, panel):
    for name in ("Müller^Änne", "Muller^Ann", "Miller^Ann", "Žižek^Slavoj", "Łukasz^Ø"):
        tags = {"PatientName": name, "PatientID": name[:3], "StudyDescription": "Schädel", "AccessionNumber": "LAB001"}
        client.create_dicom(None, {**tags, "SpecificCharacterSet": "ISO_IR 192"})

    def found(words):
        panel.search.value = words
        panel.wait_until_found()
        return sorted(node.label.partition(" · ")[0] for node in panel.tree.level())

    assert found("MULLER") == found("Müller") == ["Muller Ann", "Müller Änne"]
    assert found("anne mull") == []
    assert found("muller an") == ["Muller Ann", "Müller Änne"]
    assert found("zizek") == ["Žižek Slavoj"]
    assert found("lukasz") == ["Łukasz Ø"]
    assert len(found("schadel")) == 5, panel.status.text
    assert len(found("LAB001")) == 6


def test_of_what_was_typed_only_the_end_is_sought(client, panel):
    for number in range(1, len("phantom") + 1):
        panel.search.value = "phantom"[:number]
    panel.wait_until_found()
    assert [node.label for node in panel.tree.level()] == ["Phantom CT"]


def test_what_was_checked_stays_so_in_a_search(client, panel):
    patient, study, series = open_all(panel)
    panel.tree.toggle(series[0])
    panel.search.value = "quality"
    panel.wait_until_found()
    (root,) = panel.tree.level()
    assert (root.id, root.parent) == (study, patient)
    assert panel.tree.mixed == sorted([patient, study])
    panel.tree.clear()
    panel.tree.toggle(patient)
    assert panel.tree.selection.state(root.id) == "true"
    panel.tree.toggle(root.id)
    assert panel.tree.checked == []


def test_names_of_other_scripts(client):
    client.upload(
        [path for name in ("chrJapMulti", "chrKoreanMulti", "chrGreek") for path in get_charset_files(f"{name}.dcm")]
    )
    panel = ArchivePanel(client)
    labels = " ".join(node.label for node in panel.tree.level())
    assert "Διονυσιος" in labels
    panel.search.value = "διονυσιος"
    panel.wait_until_found()
    assert len(panel.tree.level()) <= 1


def test_a_look_without_a_change_asks_twice_and_reads_nothing(client, panel, monkeypatch):
    open_all(panel)
    panel.refresh()
    asked = []
    send = panel.poll_client.transport.send
    monkeypatch.setattr(
        panel.poll_client.transport,
        "send",
        lambda method, path, **options: asked.append(path) or send(method, path, **options),
    )
    panel.refresh()
    assert asked == ["/statistics", "/changes?last"]


def test_a_dead_server_is_said_and_the_tree_comes_at_its_return():
    with orthanc_lab.serve(process=True) as server:
        Client.from_server(server).upload(get_testdata_file("CT_small.dcm"))
        server.kill()
        panel = ArchivePanel(Client.from_server(server))
        assert "No Orthanc answers at" in panel.status.text
        assert panel.tree.level() == []
        server.restart()
        panel.refresh()
        assert panel.status.text == "The server is back."
        (patient,) = panel.tree.level()
        panel.tree.toggle(patient.id)
        assert not panel.start_button.disabled
        server.kill()
        panel.refresh()
        assert panel.start_button.disabled
        assert panel.stream.disabled
        panel.tree.opened = [patient.id]
        assert "No Orthanc answers at" in panel.status.text
        assert panel.tree.opened == []
        panel.search.value = "nobody"
        panel.wait_until_found()
        assert "No Orthanc answers at" in panel.status.text
        server.restart()
        panel.refresh()
        assert (panel.tree.level(), panel.tree.empty) == ([], "Nothing matches")
        panel.close()


def states(panel):
    return {control: not button.disabled for control, button in panel.controls.items()}


def test_a_paused_job_is_resumed(panel, study):
    panel.job = paused_job(study.archive_job)
    panel.way.value = "job"
    panel.refresh()
    assert panel.words.value.startswith("Paused · ")
    assert states(panel) == {"pause": False, "resume": True, "cancel": True}
    assert panel.download.disabled
    panel.controls["resume"].click()
    settle(panel)
    panel.job.wait()
    panel.refresh()
    assert states(panel) == {"pause": False, "resume": False, "cancel": False}


def test_the_outcome_of_a_download_is_gone_when_the_next_archive_is_made(panel):
    def fetch(button):
        button._handle_custom_msg({"ask": "start", "token": str(id(button))}, [])
        button._queue.submit(lambda: None).result()
        button._handle_custom_msg({"ask": "done", "token": str(id(button))}, [])
        assert button.words.startswith("Downloaded ")

    panel.tree.toggle(panel.tree.level()[0].id)
    fetch(panel.stream)
    panel.format.value = "media"
    assert panel.stream.words == ""
    panel.way.value = "job"
    panel.make().result()
    panel.job.wait()
    panel.refresh()
    fetch(panel.download)
    panel.make().result()
    assert panel.download.words == ""


def test_a_cancelled_job_is_said(panel, study):
    panel.job = paused_job(study.archive_job)
    panel.refresh()
    panel.controls["cancel"].click()
    settle(panel)
    assert panel.status.text == "The archive failed: This job was canceled"
    assert (panel.words.value.partition(" ")[0], panel.download.disabled) == ("Failure", True)


def test_a_job_that_the_server_forgot_is_said(panel, study):
    panel.job = paused_job(study.archive_job)
    panel.refresh()
    panel.client.jobs[panel.job.id].cancel().delete()
    panel.refresh()
    assert panel.status.text == "The server no longer knows the job."
    assert panel.job is None
    assert states(panel) == {"pause": False, "resume": False, "cancel": False}


def test_saving_is_stopped(panel, study, tmp_path):
    panel.tree.toggle(panel.tree.level()[0].id)
    panel.folder.value = str(tmp_path)
    report = panel._report
    panel._report = lambda done, total: (panel.stop_button.click(), report(done, total))
    panel.save().result()
    assert panel.status.text == "Saving: stopped; nothing was saved"
    assert list(tmp_path.iterdir()) == []
    assert panel.stop_button.disabled


def test_where_no_widget_is_drawn_names_are_escaped(client):
    client.create_dicom(None, {"PatientName": "<b>Bold</b>^<script>", "PatientID": "<i>"})
    html = ArchivePanel(client).snapshot()
    assert "&lt;b&gt;Bold&lt;/b&gt; &lt;script&gt;" in html
    assert "<b>" not in html


def test_only_the_line_of_the_job_is_hidden_at_first(panel):
    hidden = [line for line in panel.body.children if line.layout.display == "none"]
    assert hidden == [panel._job_line]


def test_it_says_which_folder_is_meant(client, study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = ArchivePanel(client)
    assert panel.place.value == f"in {tmp_path}"
    panel.tree.toggle(open_all(panel)[0])
    panel.save().result()
    assert panel.status.text.startswith(f"Saved {tmp_path}/Archive.zip (")
    panel.folder.value = "new.zip"
    assert panel.place.value == f"as {tmp_path / 'new.zip'}"
    panel.close()
