"""The jobs panel, without a browser."""

from __future__ import annotations

from orthanc_lab.widgets import JobsPanel


def test_a_selected_job_is_deleted(client, study):
    job = study.archive_job().wait()
    panel = JobsPanel(client)
    panel.table.selected = [job.id]
    assert not panel.buttons["delete"].disabled
    assert panel.buttons["pause"].disabled
    panel.buttons["delete"].click()
    panel.act("", lambda: None).result()
    assert panel.table.rows == []
    assert panel.selected == []
