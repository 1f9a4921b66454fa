"""Every notebook runs from top to bottom, and gives the outputs that are saved in it.

nbval compares text and HTML letter by letter (what may differ stands in ``sanitize.cfg``). It does not compare
pictures: their bytes depend on the versions of matplotlib and of the compression library. How they look is compared
in ``test_exercises.py``.
"""

from __future__ import annotations

import pytest

from tests.notebooks.book import paths
from tests.notebooks.programs import need_program
from tests.notebooks.validation import NOTEBOOK_SECONDS, validate


@pytest.mark.timeout(3 * NOTEBOOK_SECONDS)
@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_the_outputs_are_those_that_are_saved(path, tmp_path):
    need_program(path)
    found = validate(path, tmp_path)
    assert found.passed, found.report
