"""The option ``Cluster``, which Orthanc has not: how servers share a list of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["CLUSTER_NAMES", "check_cluster", "lease_duration"]

CLUSTER_NAMES = ("LeaseDuration",)
"""The names in the section."""

_DEFAULT = 3.0
_SHORTEST, _LONGEST = 0.5, 60.0


def lease_duration(section: Mapping[str, Any]) -> float:
    """Return how many seconds a server may say nothing until others go on with its jobs."""
    return float(section.get("LeaseDuration", _DEFAULT))


def check_cluster(name: str, value: Any) -> None:
    """Refuse a lease that is no number, too short or too long; unknown names are ignored."""
    duration = value.get("LeaseDuration", _DEFAULT)
    option = f'The configuration option "{name}.LeaseDuration"'
    if type(duration) not in (int, float):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, f"{option} must be a number")
    if not _SHORTEST <= duration <= _LONGEST:
        text = f"{option} must be between {_SHORTEST:g} and {_LONGEST:g} seconds"
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, text)
