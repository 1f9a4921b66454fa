"""A recording proxy changes nothing: a server behind it answers as one before which nothing stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from orthanc_lab.testing import Recorder, Recording
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios import SCENARIOS
from orthanc_lab.testing.scenarios.bodies import build
from orthanc_lab.testing.twin import Twin

pytestmark = [
    pytest.mark.real,
]

USUAL = "protocol-paths"
LONG = ("protocol-", "http-", "browse-objects", "upload-files", "tags-files", "changes", "archives-routes",
        "attachments-ranges", "security-users")  # fmt: skip
REFUSED = "http-pages"  # what pages of other sites send: the proxy refuses it, see test_passing.py
CONNECTION = {"header connection", "header keep-alive", "header transfer-encoding"}
"""A proxy has connections of its own."""


class Proxied(NamedTuple):
    """A real Orthanc behind a proxy."""

    url: str


@contextmanager
def proxied(**options: Any) -> Iterator[Proxied]:
    with TemporaryDirectory() as folder, RealOrthanc(**options) as real:
        with Recorder(real.url, Path(folder) / "recording") as proxy:
            yield Proxied(proxy.url)
        with Recording(Path(folder) / "recording") as recording:
            assert recording.is_complete
            assert len(recording) > 0


@pytest.mark.parametrize(
    "scenario",
    [one for one in SCENARIOS if one.name.startswith(LONG) and one.name != REFUSED],
    ids=lambda one: one.name,
)
def test_nothing_differs(scenario: Scenario, real_program: str, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--long") and scenario.name != USUAL:
        pytest.skip("with --long")
    report = Twin(proxied, RealOrthanc, build()).run(scenario)
    differing = [one for one in report.disagreements if {each.field for each in one.differences} - CONNECTION]
    assert [str(one) for one in differing] == []
