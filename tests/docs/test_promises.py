"""Pages that name the test of a promise name one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if "::test_" in page.read_text("utf-8"))
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tests_that_a_page_names_exist(page: Path) -> None:
    named = NAMED.findall(page.read_text("utf-8"))
    assert named
    for file, name in named:
        assert f"def {name}" in (ROOT / file).read_text("utf-8"), f"{file}::{name}"
