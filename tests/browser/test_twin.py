"""``%%twin`` in JupyterLab in a real browser: both outputs side by side, then what differs, on request whole."""

from __future__ import annotations

import pytest

LOAD = """\
%load_ext orthanc_lab
from orthanc_lab import samples"""
CELL = """\
%%twin --program {program}
client.upload(samples.path("ct/localizer"))
print(len(client.series), "series")
print("by", "Erika <b>Mustermann</b> & Co.")
client.studies.find()[0]"""
DIFFERS = """\
%%twin --program {program}
print(server.session.get(url + "/studies?since=-1&limit=1").status_code)
raise ValueError("a <mistake>")"""


@pytest.mark.long
@pytest.mark.real
@pytest.mark.timeout(300)
def test_two_servers_side_by_side(shown, artefacts, real_program):
    book = shown(LOAD, CELL.format(program=real_program), DIFFERS.format(program=real_program))
    same, other = (book.area.locator(".jp-OutputArea-output", has_text="answers compared").nth(at) for at in (0, 1))
    for output, name in ((same, "twin-same"), (other, "twin-differs")):
        output.scroll_into_view_if_needed()
        output.screenshot(path=artefacts / f"{name}.png")

    def sides(output, words):
        found = output.get_by_text(words, exact=True)
        assert found.count() == 2
        left, right = (found.nth(at).bounding_box() for at in (0, 1))
        return left, right

    left, right = sides(same, "1 series\nby Erika <b>Mustermann</b> & Co.")
    assert left["y"] == right["y"]  # beside each other, and as wide
    assert left["x"] + left["width"] <= right["x"]
    assert abs(left["width"] - right["width"]) < 2
    assert same.get_by_text("Differences: 0; answers compared:").count() == 1
    assert other.get_by_text("(the cell failed)").count() == 2
    left, right = (other.locator("pre", has_text="ValueError: a <mistake>").nth(at).bounding_box() for at in (0, 1))
    assert left["y"] == right["y"]
    assert book.area.locator(".jp-OutputArea-output", has_text="ValueError").count() == 1  # and nowhere else
    verdict = other.get_by_text("Differences: 1; answers compared: 1")
    verdict.wait_for()
    whole = other.get_by_text("whole answers")
    assert not other.locator("details pre").first.is_visible()
    whole.click()
    other.locator("details pre").first.wait_for()
    other.screenshot(path=artefacts / "twin-whole-answers.png")
