"""All panels in tabs, without a browser."""

from __future__ import annotations

import gc

import pytest

from orthanc_lab import samples, widgets
from orthanc_lab.testing.faults import Faults
from orthanc_lab.widgets import (
    ArchivePanel,
    BrowserPanel,
    FaultsPanel,
    JobsPanel,
    ModifyPanel,
    ServerPanel,
    UploadPanel,
    dashboard,
)
from orthanc_lab.widgets.closing import all_below
from orthanc_lab.widgets.dashboard import Dashboard
from orthanc_lab.widgets.elements.element import Element
from tests.widgets.browser import hide, show
from tests.widgets.dropping import drop, settle


def test_only_the_tab_in_view_looks(client):
    board = Dashboard([JobsPanel(client), JobsPanel(client)])
    first, second = board.panels
    assert not first.is_live
    show(first), show(second)  # a browser makes all tabs, and hides those in the background
    assert (first.is_live, second.is_live) == (True, False)
    board.tabs.selected_index = 1
    assert (first.is_live, second.is_live) == (False, True)
    hide(first), hide(second)
    assert (first.is_live, second.is_live) == (False, False)


def test_what_is_no_panel_and_what_is_no_tab(client, capsys):
    with pytest.raises(
        TypeError, match=r"needs panels, such as JobsPanel\(client\), not Client; dashboard\(client\) has"
    ):
        Dashboard([client])
    gc.collect()
    assert capsys.readouterr().err == ""
    with pytest.raises(KeyError, match="There is no tab 'Job'; there are: Jobs"):
        Dashboard([JobsPanel(client)])["Job"]


def test_it_closes_its_panels(client):
    board = dashboard(client)
    show(board.panels[0])
    board.close()
    assert not any(panel.is_live for panel in board.panels)
    assert all(panel.comm is None for panel in board.panels)


def test_where_no_widget_is_drawn_there_is_html(client):
    bundle = dashboard(client)._repr_mimebundle_()
    assert "Jobs" in bundle["text/html"]
    assert bundle["text/plain"].startswith("<Dashboard: Browser")


def test_the_views_of_ipywidgets_meet_no_tooltip_without_a_description(client):
    board = dashboard(client)
    elements = [widget for widget in all_below(board) if isinstance(widget, Element)]
    assert len(elements) > len(board.panels)
    assert [element for element in elements if element.tooltip is not None] == []
    board.close()


@pytest.mark.parametrize("other", ["http://localhost:8042", None])
def test_something_other_than_a_client_is_refused_in_words(other):
    panels = [getattr(widgets, name) for name in widgets.__all__ if name.endswith("Panel")]
    for make in (dashboard, *(panel for panel in panels if panel not in (FaultsPanel, ServerPanel))):
        with pytest.raises(TypeError, match=r"Panel needs a Client, orthanc_lab\.Client\(url\)"):
            make(other)
        gc.collect()
    with pytest.raises(TypeError, match="FaultsPanel needs a Client"):
        FaultsPanel(other, Faults())
    with pytest.raises(TypeError, match=r"ServerPanel needs .*orthanc_lab\.Client\(url\), not str"):
        ServerPanel(str(other))
    with pytest.raises(TypeError, match="ServerPanel needs a Client"):
        ServerPanel(client="http://localhost:8042")
    gc.collect()  # nothing is said of what was not made whole


@pytest.fixture
def board(client):
    made = Dashboard([JobsPanel(client), BrowserPanel(client), ArchivePanel(client), ModifyPanel(client)])
    yield made
    made.close()


def test_what_is_checked_in_one_panel_is_checked_in_the_others(board, client, study):
    archive, modify = board["Archive"], board["Modify"]
    archive.refresh()
    board.tabs.selected_index = 2
    archive.tree.toggle(archive.tree.level()[0].id)
    board.tabs.selected_index = 1
    board.tabs.selected_index = 3
    assert modify.tree.checked == archive.tree.checked == [study.patient.id]
    assert modify.hint.value == "1 resource checked"
    modify.refresh()
    modify.tree.clear()
    board.tabs.selected_index = 2
    assert archive.tree.checked == []
    archive.wait_until_shown()
    assert archive.size.value == "Nothing selected"


def test_what_the_browser_shows_is_checked_elsewhere(board, study):
    browser, modify = board["Browser"], board["Modify"]
    assert [button.description for button in browser.use_buttons.children] == ["Archive", "Modify"]
    assert browser.use_buttons.layout.display == "none"
    series = study.series[1]
    browser.show_resource(series.instances[0])
    assert browser.use_buttons.layout.display is None
    browser.use("Modify").result()
    assert board.tabs.selected_index == 3
    assert modify.tree.checked == [series.id]
    assert modify.tree.mixed == sorted([study.id, study.patient.id])
    modify.form.action.value = "split"
    modify.make().result()
    modify.client.jobs[modify.started[0].id].wait(progress=False)
    modify.refresh()
    assert modify.status.text == "Result: Phantom CT · CT quality phantom · 2026-01-05"
    assert modify.show_button.layout.display is None


def test_what_a_job_has_made_is_shown_in_the_browser(board, client, study):
    jobs, browser = board["Jobs"], board["Browser"]
    archive, change = study.archive_job().wait(), study.modify({"StudyDescription": "Checked"}).wait()
    jobs.refresh()
    jobs.table.selected = [archive.id]
    assert jobs.show_button.layout.display == "none"
    jobs.table.selected = [change.id]
    assert jobs.show_button.layout.display is None
    browser.search.value = "nobody"
    jobs.show_button.press().result()
    browser.wait_until_shown()
    assert board.tabs.selected_index == 1
    assert "Checked" in browser.heading.value
    assert browser.search.value == ""
    client.made_by(change)[0].delete()
    jobs.show_button.press().result()
    assert jobs.status.text == "Showing: it has since been deleted on the server."


def test_a_patient_beyond_the_first_page_is_sought(client, study):
    panel = BrowserPanel(client)
    for number in range(3):
        client.create_dicom(None, {"PatientName": f"A{number}", "PatientID": str(number)})
    panel.tree._page = 2
    panel.refresh()
    panel.search.value = "A"
    panel.wait_until_found()
    assert panel.tree.node(study.patient.id) is None
    panel.show_resource(study)
    panel.wait_until_shown()
    assert panel.search.value == study.StudyInstanceUID
    assert panel.tree.current == study.id
    assert "Phantom CT" in panel.heading.value
    panel.close()


def test_what_was_uploaded_is_shown(client):
    upload, browser = UploadPanel(client), BrowserPanel(client)
    board = Dashboard([upload, browser])
    assert upload.show_button.layout.display == "none"
    file = samples.dicom_files("ct/localizer")[0]
    drop(upload.zone, file.name, file.read_bytes())
    settle(upload)
    upload.show_button.press().result()
    browser.wait_until_shown()
    assert board.tabs.selected_index == 1
    assert browser.tree.current == client.studies.find()[0].id
    board.close()
