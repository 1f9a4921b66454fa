"""Importing jsonschema, which JupyterLab and notebook files are checked with, in a tenth of the time."""

from __future__ import annotations

import sys

__all__ = ["import_without_iri"]

_GRAMMAR = "rfc3987_syntax"


def import_without_iri() -> None:
    """Import jsonschema without its formats ``iri`` and ``iri-reference``, which no schema of Jupyter's uses.

    jsonschema leaves a format out if its package is missing. The package of these two builds its grammar when it is
    imported: half of the CPU time that JupyterLab takes to start.
    """
    if "jsonschema" in sys.modules or _GRAMMAR in sys.modules:
        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment] # "not installed", to the import below
    try:
        import jsonschema  # type: ignore[import-untyped] # noqa: F401, PLC0415
    finally:
        del sys.modules[_GRAMMAR]
