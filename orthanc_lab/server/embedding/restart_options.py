"""Options for the next start of a server that other parts of a program use already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["check_options", "options_for_restart"]


def options_for_restart(options: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options for the next start; port and folder stay, since clients and files are there.

    Raises
    ------
    ValueError
        If they should be others.
    """
    fixed = {name: present[name] for name in ("HttpPort", "StorageDirectory")}
    for name, value in fixed.items():
        if options.get(name, value) != value:
            raise ValueError(f'"{name}" must stay {value!r} while this server is used; start another server')
    return {**options, **fixed}


def check_options(options: Mapping[str, Any], folder: Path) -> list[str]:
    """Return warnings about options.

    Raises
    ------
    OrthancError
        For an option that the server refuses, in its words.
    """
    unknown = [f'There is no option "{name}"' for name in options if name not in OPTIONS]
    return [*unknown, *CheckedSettings(options, folder).warnings]
