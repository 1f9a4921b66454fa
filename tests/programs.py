"""Programs that a test needs beside Python: where they are, and what to install if they are missing."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

__all__ = ["BROWSERS", "missing", "program"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# The package of Debian and Ubuntu, where it has another name than the program.
_PACKAGES = {
    **dict.fromkeys(
        ("dcmdump", "dcmmkdir", "dcmqrscp", "echoscu", "findscu", "getscu", "movescu", "storescp", "storescu"), "dcmtk"
    ),
    "dciodvfy": "dicom3tools",
    "nginx": "nginx-light",
    **dict.fromkeys(("pg_dump", "pg_restore", "psql"), "postgresql-client"),
    "promtool": "prometheus",
    "systemd-analyze": "systemd",
    "tsc": "node-typescript",
}


def program(*names: str) -> str:
    """Return the path of a program that has one of these names; without it the test is skipped, in CI it fails."""
    for name in names:
        if found := shutil.which(name):
            return found
    package = _PACKAGES.get(names[0], names[0])
    return missing(f"the program {names[0]} is not installed; on Debian and Ubuntu: apt-get install {package}")


def missing(what: str) -> NoReturn:
    """Skip the test, because something is missing that CI installs; in CI it fails."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
