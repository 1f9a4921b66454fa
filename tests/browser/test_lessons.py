"""The index of the lessons in JupyterLab: it leads to a lesson, whose hints open with a click."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_the_index_leads_to_a_lesson_and_a_hint_opens(open_page, artefacts):
    page = open_page("lab/tree/00_start_here.ipynb?reset")
    page.locator(".jp-OutputArea table").get_by_text("0 of 3").first.wait_for()
    page.screenshot(path=artefacts / "lessons.png")
    page.locator(".jp-OutputArea table").get_by_role("link", name="01 · Quick tour").click()
    page.wait_for_url(re.compile("01_quick_tour"))
    hint = page.locator(".jp-Notebook details", has_text="A study has the list")
    hint.locator("summary").click()
    hint.get_by_text("What is its length?").wait_for()
    page.screenshot(path=artefacts / "exercise.png")


def test_an_answer_that_is_not_right_gets_a_hint_and_a_right_one_counts(shown, artefacts):
    book = shown(
        "from orthanc_lab.lab.exercises import Exercises\nexercises = Exercises('test', 2)\n"
        "with exercises.check(1):\n    assert 6 * 7 == 42\nwith exercises.check(2):\n    assert False, 'Think again'"
    )
    book.area.get_by_text("1 is right · 1 of 2 solved").wait_for()
    book.area.get_by_text("2 is not right yet. Think again").wait_for()
    book.area.screenshot(path=artefacts / "check.png")
    assert "Traceback" not in book.area.inner_text()
