"""How much is logged, in Orthanc's categories of logs."""

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
"""Each category with the loggers that belong to it."""

VERBOSITIES: Mapping[str, int] = {"default": logging.WARNING, "verbose": logging.INFO, "trace": logging.DEBUG}
"""Each verbosity with the level of the loggers, the quietest first."""


def set_verbosity(verbosity: str, category: str | None = None) -> None:
    """Set how much is logged: ``default``, ``verbose`` or ``trace``, for one category or all."""
    for name in CATEGORIES if category is None else (category,):
        for logger in CATEGORIES[name]:
            logging.getLogger(logger).setLevel(VERBOSITIES[verbosity])


def verbosity_of(category: str | None = None) -> str:
    """Return how much is logged of one category; of all, the one that says most."""
    names = CATEGORIES if category is None else (category,)
    level = min(logging.getLogger(logger).level or logging.WARNING for name in names for logger in CATEGORIES[name])
    return next((verbosity for verbosity, bound in VERBOSITIES.items() if level >= bound), "trace")
