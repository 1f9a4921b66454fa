"""Capsules: recordings that are fit to be shared."""

from __future__ import annotations

from orthanc_lab.testing.capsule.capsule import make_capsule
from orthanc_lab.testing.capsule.manifest import Manifest

__all__ = ["Manifest", "make_capsule"]
