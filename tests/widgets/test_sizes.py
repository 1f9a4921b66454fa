"""The JavaScript that a notebook loads for the widgets stays small."""

from __future__ import annotations

from pathlib import Path

import orthanc_lab.widgets.elements

MOST = 250_000  # bytes


def test_the_javascript_of_all_elements_is_small():
    files = Path(orthanc_lab.widgets.elements.__file__).parent.rglob("*.js")
    assert 0 < sum(path.stat().st_size for path in files) <= MOST
