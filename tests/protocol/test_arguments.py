"""What a person passes by mistake is told in words, wherever it is passed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import orthanc_lab
from orthanc_lab import frames, samples, testing
from orthanc_lab.widgets import Dashboard, Table

FRAME, NOW = pd.DataFrame({"value": [1.0]}), datetime(2026, 1, 1, tzinfo=UTC)
A_PATH, A_SCHEDULE = "Expected a path, a text or a Path", "Expected the text of a schedule"
A_SCENARIO = "Expected a scenario, a function that takes a Simulation"
CALLS: dict[str, tuple[Callable[[Any], object], str]] = {
    "ManualClock": (orthanc_lab.ManualClock, "start is a datetime"),
    "save where": (lambda given: frames.save(FRAME, given), A_PATH),
    "save what": (lambda given: frames.save(given, "x.csv"), "Expected a frame as pandas returns it"),
    "load": (frames.load, A_PATH),
    "describe": (frames.describe, "Expected a frame as a function of orthanc_lab.frames returns it"),
    "long": (frames.long, "Expected a frame as frames.wide returns it"),
    "answers": (frames.answers, "Expected the answers of a query"),
    "jobs_frame": (frames.jobs_frame, "Expected documents of jobs"),
    "metrics_frame": (frames.metrics_frame, "Expected scrapes"),
    "read_text what": (lambda given: frames.read_text(given, NOW), "Expected the text of /tools/metrics-prometheus"),
    "read_text when": (lambda given: frames.read_text("", given), "Expected the time of the scrape"),
    "query_range": (frames.query_range, "Expected the address of a Prometheus server"),
    "Recorder": (lambda given: testing.Recorder(given, "x"), "Expected the address of a server"),
    "Recording": (testing.Recording, A_PATH),
    "recorded": (testing.recorded, A_PATH),
    "make_capsule from": (lambda given: testing.make_capsule(given, "x"), A_PATH),
    "make_capsule to": (lambda given: testing.make_capsule("x", given), A_PATH),
    "explore": (testing.explore, A_SCENARIO),
    "replay what": (lambda given: testing.replay(given, "x"), A_SCENARIO),
    "replay how": (lambda given: testing.replay(print, given), A_SCHEDULE),
    "sample": (samples.path, "Expected the name of a sample"),
    "Dashboard": (Dashboard, "A Dashboard needs panels"),
    "Table": (lambda given: Table(given, label="x"), "Expected columns"),
}


@pytest.mark.parametrize("given", [None, 7, [None]], ids=repr)
@pytest.mark.parametrize("call", CALLS)
def test_what_is_something_else(call: str, given: object) -> None:
    make, words = CALLS[call]
    with pytest.raises(TypeError) as caught:
        make(given)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("read", [testing.Recording, testing.recorded, lambda path: frames.load(f"{path}.csv")])
def test_a_file_that_is_not_there(read: Callable[[Any], object], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^There is no file .*none(\.csv)?$"):
        read(tmp_path / "none")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match=r"folder(\.csv)? is a folder, not a file$"):
        read(tmp_path / "folder")
