"""The tags in the Browser: names of UIDs, copies as text, the difference of two instances; and labels."""

from __future__ import annotations

import json

import pydicom
import pytest
from pydicom.uid import CTImageStorage

from orthanc_lab import samples
from orthanc_lab.widgets import BrowserPanel
from orthanc_lab.widgets.browser.tag_rows import matching, tag_rows
from orthanc_lab.widgets.browser.tag_texts import as_json, as_pydicom
from orthanc_lab.widgets.tag_differences import dataset_rows, differences


@pytest.fixture
def panel(client, study):
    made = BrowserPanel(client)
    made.show_resource(study.series[0].instances[0])
    made.wait_until_shown()
    yield made
    made.close()


def test_uids_have_names():
    rows = tag_rows({"0008,0016": {"Name": "SOPClassUID", "Type": "String", "Value": CTImageStorage + "\0"}})
    assert (rows[0].value, rows[0].meaning) == (CTImageStorage, "CT Image Storage")
    assert rows[0].plain()["meaning"] == "CT Image Storage"
    assert matching(rows, "image storage") == rows
    assert (
        tag_rows({"0020,000d": {"Name": "StudyInstanceUID", "Type": "String", "Value": "1.2.840.1"}})[0].meaning == ""
    )


def nested():
    dataset = pydicom.Dataset()
    dataset.PatientName = "Doe^John"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.Rows, dataset.SliceThickness, dataset.ReferencePixelX0 = 128, "2.5", 7
    dataset.PixelAspectRatio = [1, 2]
    item = pydicom.Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    dataset.ReferencedStudySequence = [item, pydicom.Dataset()]
    dataset.private_block(0x0019, "orthanc-lab", create=True).add_new(1, "LO", "dose")
    dataset.add_new(0x00420011, "OB", b"%PDF")
    return dataset


def test_what_is_copied_makes_the_same_data_set():
    dataset = nested()
    names: dict[str, pydicom.Dataset] = {}
    text = as_pydicom(dataset_rows(dataset))
    exec(text, names)
    made = names["ds"]
    del dataset[0x00420011]
    assert made == dataset


def test_what_is_copied_as_json(panel):
    copied = json.loads(panel.tag_view._copy("JSON"))
    assert copied["Modality"] == "CT"
    assert copied["PixelData"] is None
    assert json.loads(as_json(dataset_rows(nested())))["ReferencedStudySequence"] == [
        {"ReferencedSOPInstanceUID": "1.2.3"},
        {},
    ]


def test_the_browser_asks_for_a_copy(panel, monkeypatch):
    sent = []
    monkeypatch.setattr(panel.tags, "send", sent.append)
    panel.tags._on_message(None, {"copy": "pydicom"}, [])
    assert sent[0]["copy"] == "pydicom"
    namespace: dict[str, pydicom.Dataset] = {}
    exec(sent[0]["text"], namespace)
    assert namespace["ds"].SOPClassUID == CTImageStorage
    panel.tags._on_message(None, {"copy": "passwords"}, [])
    assert len(sent) == 1


def test_two_instances_are_compared(panel, study):
    panel.tag_view.compare.value = True
    assert panel.tag_view.table.layout.display == "none"
    assert panel.tag_view.differences.rows == []
    panel.show_resource(study.series[1].instances[2])
    panel.wait_until_shown()
    found = {row["name"]: row for row in panel.tag_view.differences.rows}
    assert found["SeriesDescription"]["before"] == "Localizer"
    assert "Modality" not in found
    panel.tag_search.value = "description"
    assert {row["name"] for row in panel.tag_view.differences.rows} == {"SeriesDescription"}
    panel.tag_view.compare.value = False
    assert panel.tag_view.table.layout.display is None
    assert differences([], []) == []


def test_labels_are_edited(client, panel, study):
    panel.show_resource(study)
    panel.wait_until_shown()
    assert panel.labels.layout.display is None
    panel.labels.entry.value = "teaching"
    panel.act("", lambda: None).result()
    assert study.labels == ["teaching"]
    assert [button.description for button in panel.labels.children[:-1]] == ["teaching"]
    assert panel.labels.entry.value == ""
    panel.add_label("no label!").result()
    assert panel.status.is_warning
    panel.remove_label("teaching").result()
    assert panel.code_view.python == f"client.studies[{study.id!r}].remove_label('teaching')"
    assert study.labels == panel.labels.labels == []
    client.upload(samples.path("mr"), progress=False)
    panel.tree.current = ""
    assert panel.labels.layout.display == "none"
