"""The panel of faults in JupyterLab in a real browser: a fault is chosen, switched on, happens, and is switched off."""

from __future__ import annotations

import pytest

from tests.browser.board import Board, fill, press, says

CELL = """\
import orthanc_lab
from orthanc_lab.testing.faults import Faults
from orthanc_lab.widgets import dashboard

faults = Faults()
server = orthanc_lab.serve(faults=faults)
board = dashboard(orthanc_lab.Client.from_server(server), faults=faults)
board"""


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_fault_is_switched_on_and_happens(shown, artefacts):
    board = Board(shown(CELL), artefacts)
    panel = board.tab("Faults")
    panel.locator("td", has_text="503 without Retry-After").click()
    says(panel, "Send the request again after a pause that grows")
    fill(panel, "where", "GET /jobs")
    fill(panel, "times", "1")
    press(panel, "Switch on")
    says(panel, "Switched on: 503 without Retry-After.")
    board.picture("faults-on")
    board.tab("Jobs")  # it asks for the jobs, and is refused once
    panel = board.tab("Faults")
    says(panel.locator("tr", has_text="503 without Retry-After"), "over")
    board.picture("faults-happened")
    press(panel, "Switch off")
    says(panel, "Switched off: 503 without Retry-After.")
    assert board.faults() == []
