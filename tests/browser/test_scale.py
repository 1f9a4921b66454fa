"""Two dashboards on 5,000 patients and a series of 2,000 slices."""

from __future__ import annotations

import pytest

import orthanc_lab
from tests.browser.board import says

FULL = """\
import io
import ipywidgets
import numpy as np
import orthanc_lab
import pydicom
from orthanc_lab.widgets import dashboard
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

def template(rows, **tags):
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.100000"
    for name, value in {"Modality": "CT", "InstanceNumber": "100000", **tags}.items():
        setattr(ds, name, value)
    ds.Rows = ds.Columns = rows
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelData = bytes(range(rows)) * rows
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()

def many(count, file):
    return [file.replace(b"100000", b"%06d" % (100001 + number)) for number in range(count)]

patient = template(8, PatientID="P100000", PatientName="Number^100000", StudyInstanceUID="1.2.4.100000",
                   SeriesInstanceUID="1.2.5.100000")
long = template(64, PatientID="LONG", PatientName="Long^Stack", StudyInstanceUID="1.2.6", SeriesInstanceUID="1.2.7",
                SeriesDescription="Long series").replace(b"1.2.3.100000", b"1.2.9.100000")
server = orthanc_lab.serve()
client = orthanc_lab.Client.from_server(server)
report = client.upload([*many(5000, patient), *many(2000, long)], progress=False)
boards = [dashboard(client), dashboard(client)]
print(server.url, len(client.patients), len(client.instances))
ipywidgets.VBox(boards)"""


def tab(board, title):
    board.get_by_role("tab", name=title, exact=True).click()
    panel = board.locator(".widget-tab-contents > :not(.lm-mod-hidden)").first
    panel.wait_for()
    return panel


@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_dashboards_on_many_patients_and_a_long_series(shown, artefacts):
    area = shown(FULL).area
    url, patients, instances = area.locator(".jp-OutputArea-output pre", has_text="http://").inner_text().split()
    assert (patients, instances) == ("5001", "7000")
    boards = area.locator(".widget-tab")
    first, second = (boards.nth(number) for number in (0, 1))

    panel = tab(first, "Browser")
    panel.get_by_role("treeitem", name="Long Stack").click()
    panel.get_by_role("option", name="CT · Long series").click()
    says(panel, "Slice 1001 of 2000")
    canvas = panel.get_by_role("img", name="CT · Long series · Slice 1001 of 2000")
    canvas.focus()
    canvas.press("End")
    panel.locator(".orthanc-frame:not(.orthanc-late) canvas[aria-label*='Slice 2000 of 2000']").wait_for()
    first.screenshot(path=artefacts / "scale-browser.png")

    other = tab(second, "Archive")
    for panel in (tab(first, "Archive"), other):
        panel.get_by_placeholder("Search: name").fill("Number 104999")
        panel.get_by_role("treeitem", name="Number 104999").wait_for()
    other.get_by_role("treeitem", name="Number 104999").click()
    says(other, "1 instance")
    with orthanc_lab.Client(url) as client:
        client.patients.find(PatientID="P104999").one().delete()
    for panel in (tab(first, "Archive"), other):
        panel.get_by_role("treeitem", name="Number 104999").wait_for(state="detached")
    says(tab(second, "Jobs"), "No jobs yet")
