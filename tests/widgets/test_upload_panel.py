"""The upload panel, without a browser."""

from __future__ import annotations

import io
import zipfile

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.widgets import UploadPanel
from tests.widgets.dropping import drop, settle


def test_files_and_archives_are_uploaded_and_others_are_listed(client):
    panel = UploadPanel(client)
    one, *others = samples.dicom_files("ct/soft_tissue")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in others:
            archive.write(path, path.name)
    drop(panel.zone, "one.dcm", one.read_bytes(), chunk=10_000)
    drop(panel.zone, "others.zip", out.getvalue())
    drop(panel.zone, "notes.txt", b"no DICOM")
    settle(panel)
    assert len(client.instances) == 20
    assert len(panel.report.instances) == 20
    assert [row["name"] for row in panel.refused.rows] == ["notes.txt"]
    assert "Bad file format" in panel.refused.rows[0]["why"]
    assert panel.refused.layout.display == ""
    assert "notes.txt" in panel._repr_mimebundle_()["text/html"]
    assert list(panel.zone._folder.iterdir()) == []


def test_a_server_that_is_away_is_said_and_the_file_can_be_dropped_again():
    with orthanc_lab.serve(process=True) as server:
        panel = UploadPanel(Client.from_server(server, retries=0))
        server.kill()
        file = samples.dicom_files()[0].read_bytes()
        drop(panel.zone, "a.dcm", file)
        settle(panel)
        assert panel.refused.rows == [{"id": "a.dcm", "name": "a.dcm", "why": "was not sent; drop it again"}]
        server.restart()
        drop(panel.zone, "a.dcm", file)
        settle(panel)
        assert panel.refused.rows == []
        assert panel.report.stored == 1
        assert not panel.status.is_warning


def test_the_same_name_twice_keeps_both(client):
    panel = UploadPanel(client)
    for path in samples.dicom_files("ct/soft_tissue")[:2]:
        drop(panel.zone, "001.dcm", path.read_bytes())
    settle(panel)
    assert len(panel.report.files["001.dcm"]) == 2


def test_each_drop_is_counted_by_itself(client):
    panel = UploadPanel(client)
    one, two, *_ = samples.dicom_files("ct/soft_tissue")
    drop(panel.zone, "notes.txt", b"no DICOM", together="first")
    drop(panel.zone, "one.dcm", one.read_bytes(), together="first")
    panel.zone.receive({"kind": "refused", "name": "empty.dcm", "words": "is empty", "drop": "first"}, [])
    settle(panel)
    assert panel.status.text == "Instances: 1 new, 0 already there; 2 files refused."
    assert {row["name"]: row["why"] for row in panel.refused.rows}["empty.dcm"] == "is empty"
    drop(panel.zone, "two.dcm", two.read_bytes(), together="second")
    settle(panel)
    assert panel.status.text == "Instances: 1 new, 0 already there."
    assert (panel.refused.rows, panel.refused.layout.display) == ([], "none")
