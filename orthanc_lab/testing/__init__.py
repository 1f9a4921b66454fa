"""Tools for test suites: the pytest plug-in, the twin runner, recordings."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orthanc_lab.testing.capsule import Manifest, make_capsule
    from orthanc_lab.testing.recordings import NotRecordedError, Recorder, Recording, RecordingError, recorded

__all__ = ["Manifest", "NotRecordedError", "Recorder", "Recording", "RecordingError", "make_capsule", "recorded"]

# Loaded on first access: the plug-in is imported in each test session.
_HOMES = {
    "Manifest": "capsule",
    "NotRecordedError": "recordings",
    "Recorder": "recordings",
    "Recording": "recordings",
    "RecordingError": "recordings",
    "make_capsule": "capsule",
    "recorded": "recordings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
