"""The version of this package: a constant, since to look it up among the installed packages takes 10 ms of a start."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"
