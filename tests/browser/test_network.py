"""The network panel in JupyterLab in a real browser: a node is added, asked, fetched from and sent to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orthanc_lab import samples
from orthanc_lab.testing.dicom_node import DicomNode
from tests.browser.board import CELL, Board, fill, press, says, unfold

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def archive(client) -> Iterator[DicomNode]:
    """A node with a study that the server does not have."""
    with DicomNode(samples.path("mr"), aet="ARCHIVE") as node:
        for dataset in node.datasets:
            dataset.PatientID, dataset.PatientName = "ELSEWHERE", "Phantom^Elsewhere"
            for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
                setattr(dataset, name, f"{getattr(dataset, name)}.9")
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        yield node


@pytest.mark.long
def test_a_study_is_fetched_from_a_node_and_another_one_sent_there(shown, artefacts, client, archive):
    board = Board(shown(CELL), artefacts)
    panel = board.tab("Network")
    unfold(panel, "Add a node")
    for label, text in {"Name": "archive", "AE title": "ARCHIVE", "Host": "127.0.0.1"}.items():
        fill(panel, label, text)
    fill(panel, "Port", str(archive.port))
    archive.refuse_association(times=1)
    press(panel, "Add")
    says(panel, "The node refuses this caller")
    board.picture("network-refused")
    press(panel, "Echo")
    says(panel, "All nodes answer.")

    unfold(panel, "Query and retrieve")
    fill(panel, "Patient's name", "elsewhere")
    press(panel, "Query")
    says(panel.locator("td"), "Phantom Elsewhere")
    panel.get_by_label("by", exact=True).select_option("C-GET")
    press(panel, "Retrieve")
    says(panel.locator("tr", has_text="DicomGetScu"), "Success")
    board.picture("network-retrieved")
    (study,) = client.studies.find(PatientID="ELSEWHERE")
    assert len(study.instances) == len(archive.datasets)

    unfold(panel, "Send")
    panel.get_by_role("treeitem", name="Phantom CT").click()
    press(panel, "Send")
    says(panel.locator("tr", has_text="DicomModalityStore"), "Success")
    board.picture("network-sent")
    (patient,) = client.patients.find(PatientName="Phantom^CT")
    assert len(archive.instances) == len(patient.instances)
