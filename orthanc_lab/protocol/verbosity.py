"""How much is logged, by Orthanc's log categories."""

from __future__ import annotations

import logging
from collections.abc import Mapping

__all__ = ["CATEGORIES", "VERBOSITIES", "set_verbosity", "verbosity_of"]

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "generic": ("orthanc_lab",),
    "plugins": ("orthanc_lab.plugins",),
    "http": ("orthanc_lab.http",),
    "sqlite": ("orthanc_lab.storage",),
    "dicom": ("orthanc_lab.dicom",),
    "jobs": ("orthanc_lab.jobs",),
    "lua": ("orthanc_lab.lua",),
}
"""The loggers that belong to each category."""

VERBOSITIES: Mapping[str, int] = {"default": logging.WARNING, "verbose": logging.INFO, "trace": logging.DEBUG}
"""The log level for each verbosity, the quietest first."""


def set_verbosity(verbosity: str, category: str | None = None) -> None:
    """Set the verbosity to ``default``, ``verbose`` or ``trace``, for one category or for all."""
    for name in CATEGORIES if category is None else (category,):
        for logger in CATEGORIES[name]:
            logging.getLogger(logger).setLevel(VERBOSITIES[verbosity])


def verbosity_of(category: str | None = None) -> str:
    """Return the verbosity of one category; without a category, the highest of all."""
    names = CATEGORIES if category is None else (category,)
    level = min(logging.getLogger(logger).level or logging.WARNING for name in names for logger in CATEGORIES[name])
    return next((verbosity for verbosity, bound in VERBOSITIES.items() if level >= bound), "trace")
