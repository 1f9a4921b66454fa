"""The panel of faults, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import orthanc_lab
from orthanc_lab.testing.faults import Faults
from orthanc_lab.widgets import FaultsPanel, dashboard


@pytest.fixture
def panel(orthanc, orthanc_faults) -> Iterator[FaultsPanel]:
    client = orthanc_lab.Client.from_server(orthanc, retries=0)
    panel = FaultsPanel(client, orthanc_faults)
    yield panel
    panel.close()


def row(panel, name):
    panel.refresh()
    return next(row for row in panel.table.rows if row["name"] == name)


def test_a_fault_is_switched_on_happens_and_is_switched_off(panel):
    name = "connection reset before the answer"
    assert (row(panel, name)["state"], panel.toolbar.offers) == ("off", {})
    panel.table.selected = [name]
    panel.form.where.value = "GET /system"
    panel.form.nth.value = 2
    panel.toolbar.press("on")
    panel.act("", lambda: None).result()
    assert row(panel, name)["state"] == "on"
    assert panel.client.system
    with pytest.raises(orthanc_lab.UnreachableError):
        print(panel.client.system)
    assert (row(panel, name)["state"], row(panel, name)["happened"]) == ("over", 1)
    panel.switch("off").result()
    assert row(panel, name)["state"] == "off"


def test_without_a_selection_all_are_switched_off(panel):
    panel.table.selected = ["index locked", "read-only disk"]
    panel.switch("on").result()
    panel.table.selected = []
    assert panel.toolbar.offers == {"off": ""}
    panel.switch("off").result()
    assert panel.faults.in_force == ()
    assert panel.status.text == "All faults are switched off."


def test_the_form_offers_what_a_fault_takes(panel):
    form = panel.form
    panel.table.selected = ["truncated ZIP"]
    assert (form.at_byte.disabled, form.at_step.disabled, form.seconds.disabled) == (False, True, True)
    assert "Look for the directory at the end of the archive" in panel.snapshot() + panel._advice.value
    form.at_byte.value = "half"
    panel.switch("on").result()
    assert panel.status.text == "Switching: at byte must be a number, not 'half'"
    form.at_byte.value, form.times.value = "100", "2"
    panel.switch("on").result()
    (fault,) = panel.faults.in_force
    assert (fault.trigger.at_byte, fault.trigger.times) == (100, 2)
    panel.table.selected = ["job that fails", "slow peer"]
    assert form.at_byte.disabled
    assert form.seconds.disabled


def test_the_dashboard_has_the_panel_of_a_server_with_faults(panel):
    board = dashboard(panel.client, faults=Faults())
    assert board["Faults"].table.rows[0]["state"] == "off"
    board.close()
