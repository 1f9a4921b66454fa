"""The browser panel, without a browser."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import PIL.Image
import pytest
from pydicom.data import get_testdata_file

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import Instance
from orthanc_lab.widgets import BrowserPanel
from orthanc_lab.widgets.elements.slice_image import Window
from tests.widgets.browser import hear
from tests.widgets.test_tag_rows import data_set


@pytest.fixture
def panel(client, study):
    made = BrowserPanel(client)
    yield made
    made.close()


def listen(viewer):
    """Let a browser say hello, and return what it is sent from then on."""
    sent: list[tuple[dict, bytes]] = []
    viewer.send = lambda message, buffers=None: sent.append((message, buffers[0]))
    viewer._handle_custom_msg({"kind": "hello"}, [])
    return sent


def pick(panel, *labels):
    """Open the tree along labels, and pick the last."""
    at = ""
    for label in labels:
        at = next(node.id for node in panel.tree.level(at) if node.label == label)
        panel.tree.opened = [*panel.tree.opened, at]
    panel.tree.current = at
    panel.wait_until_shown()
    return at


CT = ("Phantom CT", "CT quality phantom")


def test_a_series_of_the_gallery_is_found_in_the_tree(panel):
    patient = panel.tree.level()[0]
    panel.tree.current = patient.id
    panel.wait_until_shown()
    assert panel.tree.opened == []
    panel.gallery.current = panel.gallery.items[1]["id"]
    panel.wait_until_shown()
    (study,) = panel.tree.level(patient.id)
    assert panel.tree.opened == [patient.id, study.id]
    assert panel.tree.current in [node.id for node in panel.tree.level(study.id)]


def test_a_patient_and_a_study(panel):
    pick(panel, CT[0])
    assert [item["label"] for item in panel.gallery.items] == ["CT · Localizer", "CT · Soft tissue", "CT · Sharp"]
    assert all(item["source"].startswith("data:image/png;base64,") for item in panel.gallery.items)
    assert panel.viewer.words == "Select a series"
    assert "PatientID" in [row["name"] for row in panel.tags.rows]
    pick(panel, *CT)
    assert panel.heading.value.endswith(">Phantom CT · CT quality phantom · 2026-01-05</strong>")
    assert {"PatientName", "StudyDescription"} <= {row["name"] for row in panel.tags.rows}


def test_a_series(panel):
    sent = listen(panel.viewer)
    pick(panel, *CT, "CT · Soft tissue")
    panel.viewer.wait_until_sent()
    assert (panel.viewer.count, panel.viewer.position) == (20, 10)
    assert panel.viewer.caption == "Slice 11 of 20 · instance 11"
    assert (panel.viewer.center, panel.viewer.width) == (40, 400)
    assert "Lung" in [window["name"] for window in panel.viewer.windows]
    assert [message["position"] for message, _ in sent][:3] == [10, 11, 9]
    message, data = sent[0]
    assert (message["kind"], message["rows"], message["columns"], len(data)) == ("int16", 128, 128, 128 * 128 * 2)
    assert panel.gallery.current == panel.tree.current
    assert panel.heading.value.endswith("CT · Soft tissue</strong>")


def test_the_slider(panel):
    sent = listen(panel.viewer)
    pick(panel, *CT, "CT · Soft tissue")
    panel.viewer.wait_until_sent()
    assert len(sent) == 20  # a small series is there as a whole
    panel.viewer.position = 3
    panel.wait_until_shown()
    assert panel.viewer.caption == "Slice 4 of 20 · instance 4"
    number = next(row for row in panel.tags.rows if row["name"] == "InstanceNumber")
    assert number["value"] == "4"
    assert len(sent) == 20


def test_an_instance(panel):
    pick(panel, *CT, "CT · Soft tissue", "Instance 7")
    assert panel.viewer.caption == "Slice 7 of 20 · instance 7"


def test_a_second_series(panel):
    sent = listen(panel.viewer)
    pick(panel, *CT, "CT · Soft tissue")
    labels = {choice["label"]: choice["id"] for choice in panel.viewer.choices}
    assert [*labels] == ["CT · Localizer", "CT · Sharp"]
    panel.viewer.set_state({"compared": labels["CT · Sharp"]})  # as the browser does
    panel.wait_until_shown()
    panel.viewer.wait_until_sent()
    second = panel.viewer.second
    assert (second["count"], second["about"]["title"]) == (10, "CT · Sharp")
    assert panel.viewer.second_windows["windows"][0]["name"].startswith("As stored")
    assert second["about"]["frame"] == panel.viewer.about["frame"] != ""
    assert {message["position"] for message, _ in sent if message["layer"] == 1} == set(range(10))
    assert panel.status.text == ""
    pick(panel, *CT, "CT · Sharp")
    assert (panel.viewer.compared, panel.viewer.second["count"]) == ("", 0)
    assert [choice["label"] for choice in panel.viewer.choices] == ["CT · Localizer", "CT · Soft tissue"]


def test_all_values_of_a_second_series_are_those_that_were_seen(client, panel):
    levels = [np.full((8, 8), 1000 + number, np.uint16) for number in range(40)]
    first = client.create_dicom(levels[:2])
    levels[21] += 500  # not in the sample
    second = client.create_dicom(levels, parent=first.study, tags={"SeriesDescription": "Second"})
    listen(panel.viewer)
    open_series(panel, first)
    panel.viewer.set_state({"compared": second.id})
    panel.wait_until_shown()
    assert panel.viewer.second_windows["high"] == 1039
    panel.viewer.set_state({"second_position": 20})
    panel.viewer.wait_until_sent()
    (window,) = panel.viewer.second_windows["windows"]
    assert (window["center"] + window["width"] / 2, panel.viewer.second_windows["high"]) == (1521, 1521)


def test_what_has_no_image_is_not_compared(client, panel, study):
    document = client.create_dicom(samples.path("report.pdf"), {"SeriesDescription": "Letter"}, parent=study)
    panel.refresh()
    pick(panel, *CT, "CT · Soft tissue")
    panel.viewer.set_state({"compared": document.series.id})
    panel.wait_until_shown()
    assert (panel.viewer.compared, panel.viewer.second["count"]) == ("", 0)
    assert panel.status.text == "Comparing: Encapsulated PDF"


def test_the_gallery_picks_a_series(panel):
    pick(panel, *CT)
    panel.gallery.current = panel.gallery.items[2]["id"]
    panel.wait_until_shown()
    assert panel.tree.current == panel.gallery.items[2]["id"]
    assert panel.viewer.count == 10


def test_frames(client, panel):
    client.upload(samples.path("us"))
    panel.refresh()
    pick(panel, "Phantom US", "Beating cavity", "US · Cine loop")
    assert panel.viewer.count == 16
    assert panel.viewer.caption == "Frame 9 of 16 · instance 1"


def test_colours(client, panel):
    client.upload(get_testdata_file("examples_rgb_color.dcm"))
    panel.refresh()
    sent = listen(panel.viewer)
    pick(panel, "CompressedSamples US1", "Study without a description", "US · Series 1")
    panel.viewer.wait_until_sent()
    assert (sent[0][0]["kind"], len(sent[0][1])) == ("rgb", 240 * 320 * 3)


def test_values_are_those_of_the_server(client, panel):
    sent = listen(panel.viewer)
    series = pick(panel, *CT, "CT · Localizer")
    panel.viewer.wait_until_sent()
    values = np.frombuffer(sent[0][1], "<i2").reshape(sent[0][0]["rows"], -1)
    assert np.array_equal(values, client.series[series].instances[0].array())


def open_series(panel, series):
    panel.refresh()
    panel.branches.learn([series])
    panel.tree.current = series.id
    panel.wait_until_shown()


def test_all_values_of_8_bits_are_the_possible_ones(client, panel):
    grey = [np.full((8, 8), level, np.uint8) for level in (0, 40, 80, 120, 160, 200)]
    open_series(panel, client.create_dicom(grey))
    assert (panel.viewer.center, panel.viewer.width) == (127.5, 255)


@pytest.mark.parametrize("count", [6, 40])
def test_all_values_are_those_of_all_slices(client, panel, count):
    levels = [np.full((8, 8), 1000 + number, np.uint16) for number in range(count)]
    listen(panel.viewer)
    open_series(panel, client.create_dicom(levels))
    panel.viewer.wait_until_sent()
    panel.wait_until_shown()
    low, high = 1000, 1000 + count - 1
    everything = {"name": "All values", "center": (low + high) / 2, "width": high - low}
    assert panel.viewer.windows == [everything]
    assert (panel.viewer.center, panel.viewer.width) == ((low + high) / 2, high - low)
    assert (panel.viewer.low, panel.viewer.high) == (low, high)


def test_a_window_chosen_by_hand_stays(client, panel):
    series = client.create_dicom([np.full((8, 8), 1000 + number, np.uint16) for number in range(60)])
    open_series(panel, series)
    panel.viewer.center = 7
    panel.viewer.widen(Window("All values", 0, 5000))
    assert (panel.viewer.center, panel.viewer.windows[0]["width"]) == (7, 5000)
    panel.viewer.widen(Window("Another", 0, 1))
    assert len(panel.viewer.windows) == 1


def test_small_pictures_of_a_ct_without_a_window_are_not_black(client, panel, study):
    plain = study.series[1].instances[0].dataset()
    del plain.WindowCenter, plain.WindowWidth
    plain.PatientID = plain.StudyInstanceUID = plain.SeriesInstanceUID = plain.SOPInstanceUID = "1.2.3"
    plain.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    client.upload(plain)
    (instance,) = client.instances.find(SOPInstanceUID="1.2.3")
    with PIL.Image.open(io.BytesIO(instance.thumbnail(64))) as picture:
        assert max(picture.size) == 64
        low, high = picture.convert("L").getextrema()
        assert high - low > 100


def test_a_document(client, panel, tmp_path, monkeypatch):
    client.create_dicom(samples.path("report.pdf"), {"PatientName": "Report^Rita", "DocumentTitle": "<Letter>"})
    panel.refresh()
    pick(panel, "Report Rita")
    assert (panel.gallery.items[0]["source"], panel.gallery.items[0]["words"]) == ("", "Encapsulated PDF: <Letter>")
    panel.gallery.current = panel.gallery.items[0]["id"]
    panel.wait_until_shown()
    assert panel.viewer.words == "Encapsulated PDF: <Letter>"
    assert panel.document.layout.display is None
    sent = []
    monkeypatch.setattr(panel.pdf, "send", lambda message, buffers: sent.append((message["key"], *buffers)))
    panel.pdf._on_message(None, {"key": panel.pdf.key}, [])
    panel.pdf._on_message(None, {"key": "another"}, [])
    assert sent == [(panel.pdf.key, samples.path("report.pdf").read_bytes())]
    assert panel.viewer.layout.display == "none"
    saved = panel.document.save_beside(tmp_path)
    assert saved.read_bytes()[:5] == b"%PDF-"
    pick(panel, *CT, "CT · Localizer")
    assert panel.document.layout.display == "none"
    assert (panel.pdf.key, panel.viewer.layout.display) == ("", None)


def test_a_model_says_what_it_is_in_the_gallery(client):
    client.create_dicom(b"solid cube\nendsolid cube\n", {"PatientName": "Model^Mary"})
    panel = BrowserPanel(client)
    pick(panel, "Model Mary")
    assert panel.gallery.items[0]["words"] == "Encapsulated STL"


@pytest.mark.parametrize(
    ("name", "words"),
    [("rtplan.dcm", "No image: RT Plan Storage"), ("rtdose_1frame.dcm", "The server cannot render this: ")],
)
def test_what_has_no_image(client, name, words):
    client.upload(get_testdata_file(name))
    panel = BrowserPanel(client)
    pick(panel, panel.tree.level()[0].label)
    assert panel.gallery.items[0]["words"] in (words, "No picture")
    panel.gallery.current = panel.gallery.items[0]["id"]
    panel.wait_until_shown()
    assert panel.viewer.words.startswith(words)
    assert panel.status.text == ""


def test_tags(client):
    client.upload(data_set())
    panel = BrowserPanel(client)
    patient = panel.tree.level()[0]
    assert patient.label == "Doe <b>John</b>"
    pick(panel, patient.label)
    panel.gallery.current = panel.gallery.items[0]["id"]
    panel.wait_until_shown()
    told: list[dict] = []
    panel.tags.send = told.append
    panel.tags._handle_custom_msg({"path": "0020,4000"}, [])
    panel.tags._handle_custom_msg({"path": "0008,2111"}, [])
    assert [len(message["text"]) for message in told] == [len("long " * 400) - 1, 200]
    panel.tag_search.value = "brain"
    assert [row["name"] for row in panel.tags.rows] == ["AnatomicRegionSequence", "Item 1", "CodeMeaning"]
    assert panel.tags.is_open
    panel.tag_search.value = "nowhere"
    assert (panel.tags.rows, panel.tags.empty) == ([], "No matching tags")


def test_what_is_deleted_while_it_is_shown(client, panel):
    pick(panel, *CT, "CT · Soft tissue")
    client.patients[panel.tree.level()[0].id].delete()
    panel.refresh()
    panel.wait_until_shown()
    assert panel.status.text == "Deleted on the server in the meantime: CT · Soft tissue"
    assert (panel.viewer.words, panel.tags.rows, panel.gallery.items) == ("Nothing selected", [], [])


def test_instances_that_come_are_in_the_slider(client):
    files = sorted(samples.dicom_files("ct/soft_tissue"))
    client.upload(files[:10])
    panel = BrowserPanel(client)
    pick(panel, *CT, "CT · Soft tissue")
    panel.viewer.position = 4
    client.upload(files[10:])
    panel.refresh()
    panel.wait_until_shown()
    assert (panel.viewer.count, panel.viewer.position) == (20, 4)
    assert panel.tree.level(panel.tree.opened[1])[0].note == "20 instances"


def test_a_saved_notebook_has_the_slice_as_a_picture(client, panel):
    assert "<img" not in panel._repr_mimebundle_()["text/html"]
    id = pick(panel, *CT, "CT · Soft tissue")
    panel.viewer.position, panel.viewer.center, panel.viewer.width = 3, 40, 400
    html = panel._repr_mimebundle_()["text/html"]
    assert 'alt="CT · Soft tissue · Slice 4 of 20 · instance 4"' in html
    data = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    with PIL.Image.open(io.BytesIO(data)) as picture:
        levels = np.asarray(picture).astype(int)
    values = client.series[id].instances[3].array()
    expected = np.floor(np.clip(((values - 39.5) / 399 + 0.5) * 255, 0, 255) + 0.5)
    assert np.array_equal(levels, expected)


def test_small_pictures_are_asked_for_again_only_where_instances_came(client, panel, monkeypatch):
    pick(panel, *CT)
    asked = []
    monkeypatch.setattr(Instance, "thumbnail", lambda self, size: asked.append(self.series.SeriesDescription) or b"")
    client.upload(samples.path("mr"))
    panel.refresh()
    panel.wait_until_shown()
    assert asked == []
    client.series.find(SeriesDescription="Sharp")[0].instances[0].delete()
    panel.refresh()
    panel.wait_until_shown()
    assert asked == ["Sharp"]
    assert [bool(item["source"]) for item in panel.gallery.items] == [True, True, False]


def test_a_slice_that_the_server_refuses_says_so_and_the_others_come(client, panel):
    sent = listen(panel.viewer)
    series = pick(panel, *CT, "CT · Sharp")
    panel.viewer.wait_until_sent()
    sent.clear()
    client.series[series].instances[0].delete()
    panel.viewer._handle_custom_msg({"kind": "hello"}, [])
    panel.viewer.wait_until_sent()
    words = {message["position"]: message["words"] for message, _ in sent}
    assert words.pop(0).startswith("Unknown resource")
    assert set(words.values()) == {""}


def test_a_look_without_a_change_sends_nothing(client, study):
    with hear() as recorder:
        panel = BrowserPanel(client)
        pick(panel, *CT, "CT · Soft tissue")
        panel.refresh()
        recorder.taken()
        panel.refresh()
        panel.wait_until_shown()
    assert recorder.taken() == []
    panel.close()


def test_a_step_of_the_slider_sends_tags_alone(client, study):
    with hear() as recorder:
        panel = BrowserPanel(client)
        panel.viewer._handle_custom_msg({"kind": "hello"}, [])
        pick(panel, *CT, "CT · Soft tissue")
        panel.viewer.wait_until_sent()
        recorder.taken()
        panel.viewer.set_state({"position": 12})  # as the browser does
        panel.wait_until_shown()
        panel.viewer.wait_until_sent()
    sent = [message["state"] for _, message, _ in recorder.taken() if "state" in message]
    assert [set(state) - {"position"} for state in sent if set(state) != {"position"}] == [{"rows"}]
    panel.close()


def test_a_dead_server_is_said_and_the_pictures_go_on_at_its_return():
    with orthanc_lab.serve(process=True) as server:
        Client.from_server(server).upload(samples.path("ct"))
        panel = BrowserPanel(Client.from_server(server))
        pick(panel, *CT, "CT · Soft tissue")
        server.kill()
        sent = listen(panel.viewer)
        panel.viewer.wait_until_sent()
        assert panel.status.text.startswith("Showing: No Orthanc answers at")
        assert sent == []
        panel.refresh()
        assert panel.is_away
        server.restart()
        panel.refresh()
        panel.viewer.wait_until_sent()
        assert len(sent) == 20
        panel.close()


def test_it_says_how_many_patients_there_are_and_how_many_were_found(panel):
    assert panel.count.value == "1 patient"
    panel.search.value = "nobody"
    panel.wait_until_found()
    assert panel.count.value == "0 found"
    panel.search.value = "phantom"
    panel.wait_until_found()
    assert panel.count.value == f"{len(panel.tree.level())} found"
