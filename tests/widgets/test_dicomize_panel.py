"""The DICOM-ize panel, without a browser."""

from __future__ import annotations

import json
import zipfile

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import Instance, Series
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.widgets import DicomizePanel, ServerPanel
from orthanc_lab.widgets.closing import all_below
from orthanc_lab.widgets.dashboard import Dashboard
from orthanc_lab.widgets.elements.download import Download
from tests.widgets.browser import hear
from tests.widgets.dropping import drop, settle


@pytest.fixture
def panel(client):
    made = DicomizePanel(client)
    yield made
    made.close()


def fill(panel, **tags):
    for keyword, value in tags.items():
        panel.tags.entry.value = keyword
        panel.tags.rows[keyword].entry.value = value


def downloads(panel):
    return {
        button.label: button for button in panel.result.children[0].children[1].children if isinstance(button, Download)
    }


def test_a_picture_becomes_an_instance(panel, client):
    drop(panel.zone, "chart.png", samples.path("chart.png").read_bytes(), chunk=10_000)
    fill(panel, PatientID="7", PatientName="Phantom^Paul", StudyDate="20260131")
    panel.make().result()
    assert panel.status.text == f"Created: instance {panel.made[0].id}"
    tags = client.instances.find()[0].all_tags
    assert (tags["PatientID"], tags["PatientName"], tags["StudyDate"]) == ("7", "Phantom^Paul", "20260131")
    assert (tags["SOPClassUID"], tags["Modality"]) == ("1.2.840.10008.5.1.4.1.1.7", "OT")
    card = panel.result.children[0].children[0].value
    assert "data:image/png" in card
    for identifier in (panel.made[0].id, panel.made[0].series.study.id):
        assert identifier in card


def test_two_clicks_make_one_instance(panel, client):
    panel.add(samples.path("chart.png"))
    with panel._turn:
        made = panel.make()
        assert panel.make_button.disabled
        panel.make_button.click()
    made.result()
    settle(panel)
    assert not panel.make_button.disabled
    assert len(client.instances) == 1


def test_nothing_of_a_closed_panel_is_kept(client):
    before = set(_instances)
    panel = DicomizePanel(client)
    panel.add(samples.path("chart.png"))
    for _ in range(2):
        fill(panel, StudyDate="20260131")
        panel.tags.remove("StudyDate")
        panel.private.add_button.click()
        panel.private.rows[0].remove.click()
        panel.make().result()
    panel.close()
    kept = [widget for id, widget in _instances.items() if id not in before]
    assert [type(widget) for widget in kept if not type(widget).__name__.endswith(("Layout", "Style"))] == []


def test_a_document_can_be_downloaded_again(panel, tmp_path):
    document = samples.path("report.pdf").read_bytes()
    drop(panel.zone, "report.pdf", document)
    panel.make().result()
    saved = downloads(panel)
    assert saved["PDF"].save_beside(tmp_path).read_bytes().startswith(b"%PDF-")
    assert saved["DICOM file"].save_beside(tmp_path).read_bytes()[128:132] == b"DICM"


def test_several_files_become_a_series_in_the_order_of_their_names(panel, client, tmp_path):
    for name in ("10.png", "9.jpg"):
        drop(panel.zone, name, samples.path("chart" + name[-4:]).read_bytes())
    assert [row["name"] for row in panel.files.rows] == ["9.jpg", "10.png"]
    panel.make().result()
    [series] = panel.made
    assert isinstance(series, Series)
    assert [instance.number for instance in series.instances] == [1, 2]
    with zipfile.ZipFile(downloads(panel)["ZIP"].save_beside(tmp_path)) as archive:
        assert len(archive.namelist()) == 2


def test_a_wrong_kind_is_refused_whatever_its_name(panel):
    said = []
    panel.zone.send = lambda content, buffers=None: said.append(content)
    drop(panel.zone, "picture.png", b"GIF89a")
    drop(panel.zone, "cut.png", samples.path("chart.png").read_bytes()[:12])
    assert [message["words"][:11] for message in said] == ["is a GIF; o", "cannot be r"]
    assert panel.files.rows == []
    assert list(panel.zone._folder.iterdir()) == []


def test_files_are_taken_out_again(panel):
    for name in ("a.png", "b.png"):
        drop(panel.zone, name, samples.path("chart.png").read_bytes())
    panel.files.selected = [panel.files.rows[0]["id"]]
    panel.remove_button.click()
    assert [row["name"] for row in panel.files.rows] == ["b.png"]
    panel.remove_button.click()
    assert panel.files.rows == []
    assert list(panel.zone._folder.iterdir()) == []


def test_a_saved_notebook_lists_what_was_made(panel):
    panel.add(samples.path("chart.png"))
    panel.make().result()
    assert panel.made[0].id in panel._repr_mimebundle_()["text/html"]


def test_the_next_drop_after_a_success_begins_anew(panel):
    drop(panel.zone, "a.png", samples.path("chart.png").read_bytes())
    panel.make().result()
    drop(panel.zone, "b.png", samples.path("chart.png").read_bytes())
    assert [row["name"] for row in panel.files.rows] == ["b.png"]


def test_problems_stand_beside_their_fields_and_nothing_is_sent(panel, client):
    fill(panel, PatientBirthDate="yesterday")
    panel.make().result()
    assert "is not a date" in panel.tags.rows["PatientBirthDate"].problem.text
    assert panel.contents_problem.text == "Drop a PNG, JPEG or PDF first."
    assert panel.status.text == "Not sent. Please check: the files, PatientBirthDate."
    assert len(client.instances) == 0
    panel.add(samples.path("chart.png"))
    assert panel.status.text == "Not sent. Please check: PatientBirthDate."
    fill(panel, PatientBirthDate="20000131")
    assert (panel.status.text, panel.contents_problem.text) == ("", "")


def test_the_first_field_that_needs_attention_has_the_focus_and_no_older_result_is_shown(client):
    with hear() as recorder:
        panel = DicomizePanel(client)
        panel.add(samples.path("chart.png"))
        panel.make().result()
        assert panel.result.children
        fill(panel, PatientBirthDate="yesterday")
        add_private(panel, ("DA", "today"))
        recorder.taken()
        panel.make().result()
        assert panel.result.children == ()
        assert panel.status.text == "Not sent. Please check: PatientBirthDate, private tag 1."

        def focused():
            return [id for id, data, _ in recorder.taken() if data.get("content") == {"do": "focus"}]

        panel.make().result()
        assert focused()[-1] == panel.tags.rows["PatientBirthDate"].entry.model_id
        fill(panel, PatientBirthDate="")
        panel.private.creator.value = "My Company"
        panel.make().result()
        assert focused()[-1] == panel.private.rows[0].value.model_id
        assert panel.private_part.selected_index == 0
        panel.close()


def test_pictures_dropped_with_a_document_are_complete(panel, client):
    for name in ("chart.png", "report.pdf", "chart.jpg"):
        drop(panel.zone, name, samples.path(name).read_bytes())
    assert panel.mixture.layout.display == ""
    panel.make().result()
    found = {str(one.all_tags["SOPClassUID"]).rpartition(".1.1.")[2] for one in panel.made[0].instances}
    assert found == {"7", "104.1"}
    assert {one.all_tags["Modality"] for one in panel.made[0].instances} == {"OT"}
    panel.remove([])
    panel.add(samples.path("report.pdf"))
    assert panel.mixture.layout.display == "none"


@pytest.mark.parametrize("level", ["Patient", "Study", "Series"])
def test_pictures_have_a_modality_wherever_they_are_put(panel, study, level):
    panel.parent.level.value = level
    settle(panel)
    panel.parent.choice.index = 0
    panel.add(samples.path("chart.png"))
    panel.make().result()
    tags = panel.made[0].all_tags
    assert tags["Modality"] == ("CT" if level == "Series" else "OT")
    assert tags["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.7"


def test_what_the_parent_gives_is_shown_and_cannot_be_changed(panel, study):
    fill(panel, PatientName="Mine")
    panel.parent.level.value = "Study"
    settle(panel)
    panel.parent.choice.value = study.id
    entries = {key: field.entry for key, field in panel.tags.rows.items()}
    assert {key for key, entry in entries.items() if entry.disabled} == {
        "PatientID",
        "PatientName",
        "StudyDescription",
    }
    assert entries["StudyDescription"].value == "CT quality phantom"
    panel.tags.entry.value = "AccessionNumber"
    assert panel.tags.rows["AccessionNumber"].entry.disabled
    panel.force.value = True
    assert (entries["PatientName"].value, entries["PatientName"].disabled) == ("Mine", False)
    panel.force.value = False
    assert entries["PatientName"].disabled
    panel.add(samples.path("report.pdf"))
    panel.make().result()
    assert panel.made[0].series.study == study
    panel.parent.level.value = "none: a new patient"
    assert (entries["PatientName"].value, entries["PatientName"].disabled) == ("Mine", False)


def test_parents_are_counted_and_found_while_typing(panel, client):
    for number in range(52):
        tags = {"PatientName": f"García{number}^Dieter", "PatientID": str(number), "AccessionNumber": f"LAB{number}"}
        client.create_dicom(None, {**tags, "StudyDate": "20260105"})
    panel.parent.level.value = "Study"
    settle(panel)
    assert panel.parent.count.value == "50 of 52 are shown: type more to narrow the search."
    for end in range(1, len("garcia51") + 1):
        panel.parent.text.value = "garcia51"[:end]
    settle(panel)
    assert [words for words, _ in panel.parent.choice.options] == ["García51 Dieter · 2026-01-05 · LAB51"]
    chosen = panel.parent.choice.value = panel.parent.choice.options[0][1]
    panel.parent.text.value = "LAB51"
    settle(panel)
    assert (panel.parent.choice.value, panel.parent.count.value) == (chosen, "")


def test_the_options_are_explained(panel):
    labels = [one.value for one in all_below(panel.body) if isinstance(one, ipywidgets.Label)]
    for words in ("Gives images an SOP class", "Lets your tags replace", "Keeps the bytes of a single JPEG"):
        assert any(label.startswith(words) for label in labels)


def test_a_parent_is_found_and_gets_a_child(panel, study):
    panel.parent.level.value = "Study"
    settle(panel)
    for text in ("20260105", "quality"):
        panel.parent.text.value = text
        settle(panel)
    assert [words.split(" · ")[1] for words, _ in panel.parent.choice.options] == ["CT quality phantom"]
    panel.add(samples.path("report.pdf"))
    panel.make().result()
    assert panel.parent.problem.text == "Choose one from the list, or no parent."
    panel.parent.choice.value = study.id
    panel.make().result()
    assert panel.made[0].series.study == study
    assert panel.parent.problem.text == ""


def test_a_search_without_success_is_said(panel, study):
    panel.parent.level.value = "Series"
    settle(panel)
    assert len(panel.parent.choice.options) == len(study.series)
    panel.parent.text.value = "nobody"
    settle(panel)
    assert panel.status.text == "Nothing found for 'nobody'."


def test_an_error_of_the_server_stands_beside_its_field(panel, study):
    panel.parent.level.value = "Study"
    settle(panel)
    panel.parent.choice.value = study.id
    panel.add(samples.path("report.pdf"))
    fill(panel, SOPInstanceUID="1.2.3")
    panel.make().result()
    assert "check Force" in panel.tags.rows["SOPInstanceUID"].problem.text
    assert panel.status.is_warning
    assert panel.made == []
    fill(panel, SOPInstanceUID="")
    assert panel.status.text == ""


@pytest.mark.parametrize("count", [1, 2])
def test_a_picture_that_the_server_cannot_read_is_said(panel, count):
    for number in range(count):
        drop(panel.zone, f"{number}.png", samples.path("chart.png").read_bytes()[:5000])
    assert "is a damaged image" in panel.pictures.value
    panel.make().result()
    assert panel.contents_problem.text
    assert panel.status.text.startswith("Making DICOM: ")


def test_letters_that_the_parent_cannot_keep_are_said(panel, study):
    panel.parent.level.value = "Study"
    settle(panel)
    panel.parent.choice.value = study.id
    panel.add(samples.path("report.pdf"))
    fill(panel, SeriesDescription="山田 report")
    panel.make().result()
    kept = panel.made[0].all_tags["SeriesDescription"]
    card = panel.result.children[0].children[0].value
    assert ("Characters were lost in SeriesDescription" in card) is (kept != "山田 report")


def test_what_was_made_can_be_deleted(panel, client):
    panel.add(samples.path("chart.jpg"))
    panel.encapsulate.value = True
    panel.make().result()
    assert isinstance(panel.made[0], Instance)
    assert panel.made[0].dataset().file_meta.TransferSyntaxUID.name.startswith("JPEG Baseline")
    delete = panel.result.children[0].children[1].children[-1]
    delete.click()
    settle(panel)
    assert (panel.made, len(client.instances), panel.result.children) == ([], 0, ())


def add_private(panel, *rows):
    panel.private.creator.value = "My Company"
    for vr, value in rows:
        panel.private.add_button.click()
        panel.private.rows[-1].vr.value = vr
        panel.private.rows[-1].value.value = value


@pytest.mark.parametrize("serve", [orthanc_lab.serve, pytest.param(RealOrthanc, marks=pytest.mark.real)])
def test_private_tags_with_and_without_a_dictionary(serve, request):
    if serve is RealOrthanc:
        request.getfixturevalue("real_program")
    rows = [("ST", "<xml/>"), ("US", r"1\2"), ("OB", "01 02 ff 00")]
    with serve() as server:
        panel = DicomizePanel(Client(server.url))
        panel.add(samples.path("chart.png"))
        add_private(panel, *rows)
        panel.make().result()
        card = panel.result.children[0].children[0].value
        assert "The server does not know 0405,1001, 0405,1002, 0405,1003:" in card
        assert "PrivateCreatorForMyCompany" in card
        option = json.loads("{" + panel.private.block.snippet() + "}")
        panel.close()
    with serve(**option) as server:
        panel = DicomizePanel(Client(server.url))
        panel.add(samples.path("chart.png"))
        add_private(panel, *rows)
        panel.make().result()
        assert "does not know" not in panel.result.children[0].children[0].value
        dataset = panel.made[0].dataset()
        found = [(element.VR, element.value) for element in dataset if element.tag.group == 0x0405]
        assert found == [("LO", "My Company"), ("ST", "<xml/>"), ("US", [1, 2]), ("OB", b"\x01\x02\xff\x00")]
        panel.close()


def test_a_dead_server_is_said_and_the_form_waits():
    with orthanc_lab.serve(process=True) as server:
        panel = DicomizePanel(Client.from_server(server, retries=0))
        panel.add(samples.path("chart.png"))
        server.kill()
        panel.make().result()
        assert panel.status.is_warning
        assert panel.make_button.disabled
        server.restart()
        panel.refresh()
        assert not panel.make_button.disabled
        panel.make().result()
        assert len(panel.made) == 1
        panel.close()


def test_private_tags_are_added_to_the_dictionary_of_a_server_of_our_own():
    with orthanc_lab.serve(Name="own") as server:
        client = Client.from_server(server)
        board = Dashboard([panel.in_dashboard(client, server) for panel in (DicomizePanel, ServerPanel)])
        panel, controls = board["DICOM-ize"], board["Server"]
        panel.private.creator.value = "My Company"
        panel.private.add_button.click()
        panel.private.rows[0].value.value = "a value"
        button = panel.private.button
        assert button.layout.display is None
        button.press().result()
        assert panel.status.text == "The server has restarted, and knows these private tags."
        assert (button.layout.display, panel.private.snippet.value) == ("none", "")
        options = server.options
        assert options["Name"] == "own"
        assert panel.code_view.python.startswith("server.restart({**server.options, 'Dictionary': {")
        exec(panel.code_view.python, {"server": server})
        assert server.options == options
        panel.add(samples.path("report.pdf"))
        panel.make().result()
        assert "MyCompany1001" in panel.made[0].all_tags
        controls.refresh()
        assert "MyCompany1001" in controls.editor.text.value
        controls.editor.text.value = '{"Name": "typed"}'
        server.restart({"Name": "elsewhere"})
        controls.refresh()
        assert controls.editor.text.value == '{"Name": "typed"}'
        board.close()


def test_no_button_for_the_dictionary_of_a_server_started_elsewhere(client):
    panel = DicomizePanel(client)
    panel.private.creator.value = "My Company"
    panel.private.add_button.click()
    panel.private.rows[0].value.value = "a value"
    assert panel.private.snippet.value
    assert panel.private.button.layout.display == "none"
    panel.close()
