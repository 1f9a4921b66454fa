"""Tools for test suites: the pytest plug-in, the twin runner, recordings, schedules, faults."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orthanc_lab.testing.capsule import Manifest, make_capsule
    from orthanc_lab.testing.recordings import NotRecordedError, Recorder, Recording, RecordingError, recorded
    from orthanc_lab.testing.schedules.exploring import Exploration, ScheduleError, explore, replay
    from orthanc_lab.testing.schedules.simulation import Simulation

__all__ = [
    "Exploration",
    "Manifest",
    "NotRecordedError",
    "Recorder",
    "Recording",
    "RecordingError",
    "ScheduleError",
    "Simulation",
    "explore",
    "make_capsule",
    "recorded",
    "replay",
]

# Loaded on first access: the plug-in is imported by every test session.
_HOMES = {
    "Exploration": "schedules.exploring",
    "Manifest": "capsule",
    "NotRecordedError": "recordings",
    "Recorder": "recordings",
    "Recording": "recordings",
    "RecordingError": "recordings",
    "ScheduleError": "schedules.exploring",
    "Simulation": "schedules.simulation",
    "explore": "schedules.exploring",
    "make_capsule": "capsule",
    "recorded": "recordings",
    "replay": "schedules.exploring",
}

_PACKAGES = ("certify", "faults")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_PACKAGES])
