"""Which kinds of job survive a restart, and what they are made again with."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.jobs.ports import Restore
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.server.settings import CheckedSettings
from orthanc_lab.storage.ports import Storage

__all__ = ["restores"]


def restores(
    settings: CheckedSettings, storage: Storage, clock: Clock, identifiers: Identifiers
) -> Mapping[str, Restore]:
    """Return how to make a job of each durable type again, by the field ``Type``."""
    return {}
