"""The same notebooks on the real Orthanc: all cells run, and differ only where the list says so.

This is stricter than ``--nbval-lax``, which compares nothing: a cell that ``real.toml`` does not name gives the same
output here as there.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from orthanc_lab.testing.real import RealOrthanc
from tests.notebooks.book import code_cells, paths, read
from tests.notebooks.programs import need_program
from tests.notebooks.validation import NOTEBOOK_SECONDS, validate

USUAL = ("03_archives_and_media",)
LIST = tomllib.loads(Path(__file__).with_name("real.toml").read_text(encoding="utf-8"))


@pytest.mark.real
@pytest.mark.timeout(3 * NOTEBOOK_SECONDS)
@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_it_runs_on_the_real_orthanc(path, tmp_path, real_program, pytestconfig):
    if path.stem not in USUAL and not pytestconfig.option.long:
        pytest.skip("--long runs it on the real Orthanc, too")
    need_program(path)
    entry = LIST.get(path.stem, {})
    with RealOrthanc(**entry.get("options", {})) as server:
        found = validate(path, tmp_path, orthanc_url=server.url)
    assert found.failing == set(), found.report
    may = set(entry.get("may_differ", {}))
    assert found.differing - may == set(entry.get("differs", {})), found.report


def test_the_list_names_cells_that_there_are():
    cells = {path.stem: {cell.id for cell in code_cells(read(path))} for path in paths()}
    for name, entry in LIST.items():
        assert set(entry.get("differs", {})) | set(entry.get("may_differ", {})) <= cells[name]
