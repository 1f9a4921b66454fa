"""Counts and sizes: of the whole database (``/statistics``) and of one resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.cached_text import CachedJson
from orthanc_lab.rest.http.plain_answers import PlainAnswer
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import ResourceStatistics, Statistics

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "DatabaseStatistics", "sizes_json"]

_MEGABYTE = 1 << 20


def sizes_json(level: Level, sizes: ResourceStatistics) -> dict[str, Any]:
    """Return the statistics of a resource of `level`: bytes as text, MB as whole numbers."""
    document: dict[str, Any] = {}
    for name, size in (
        ("DicomDiskSize", sizes.dicom_disk_size),
        ("DicomUncompressedSize", sizes.dicom_uncompressed_size),
        ("DiskSize", sizes.disk_size),
        ("UncompressedSize", sizes.uncompressed_size),
    ):
        document[name] = str(size)
        document[f"{name}MB"] = size // _MEGABYTE
    counts = (("CountStudies", sizes.studies), ("CountSeries", sizes.series), ("CountInstances", sizes.instances))
    document.update(counts[level.depth :])
    return document


class DatabaseStatistics:
    """How much the whole database holds."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        self._json = CachedJson(_totals_json)

    def on_plain_get(self) -> PlainAnswer:
        """Return what `on_get` answers."""
        return self._json.plain(self._storage.statistics())

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the counts of the four levels and the bytes on disk."""
        self._json.answer(req, resp, self._storage.statistics())


def _totals_json(totals: Statistics) -> dict[str, Any]:
    return {
        "CountInstances": totals.instances,
        "CountPatients": totals.patients,
        "CountSeries": totals.series,
        "CountStudies": totals.studies,
        "TotalDiskSize": str(totals.disk_size),
        "TotalDiskSizeMB": totals.disk_size // _MEGABYTE,
        "TotalUncompressedSize": str(totals.uncompressed_size),
        "TotalUncompressedSizeMB": totals.uncompressed_size // _MEGABYTE,
    }


ROUTES: Sequence[tuple[str, type]] = (("/statistics", DatabaseStatistics),)
