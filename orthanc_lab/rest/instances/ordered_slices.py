"""``/series/{id}/ordered-slices``: the slices of a volume in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.dicom.images.slice_order import OrderedSlices, Slice, order_slices
from orthanc_lab.dicom.limits import MAX_FRAMES
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.answers import answer_json, unknown_resource
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.ports import Resources

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "OrderedSlicesOfSeries", "ordered_slices"]

_CANNOT_ORDER = 2040


class OrderedSlicesOfSeries:
    """The order of the slices of a series."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the URIs of the files and the frames, in their order."""
        ordered = ordered_slices(self._storage, id)
        frames = [(item.instance, item.frames) for item in ordered.slices]
        if sum(count for _, count in frames) > MAX_FRAMES:
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"More than {MAX_FRAMES} frames are not supported")
        answer = {
            "Dicom": [f"/instances/{instance}/file" for instance, _ in frames],
            "Slices": [f"/instances/{instance}/frames/{frame}" for instance, count in frames for frame in range(count)],
            "SlicesShort": [[instance, 0, count] for instance, count in frames],
            "Type": "Volume" if ordered.is_volume else "Sequence",
        }
        answer_json(req, resp, answer)


def ordered_slices(storage: Resources, series: str) -> OrderedSlices:
    """Return the slices of a series in their order.

    Raises
    ------
    OrthancError
        17 for an unknown series, 2040 if the order is unknown.
    """
    if storage.find_level(series) is not Level.SERIES:
        raise unknown_resource()
    instances = storage.get_many(storage.descendants(series, Level.INSTANCE))
    ordered = order_slices([Slice(item.id, item.tags) for item in instances])
    if ordered is None:
        raise OrthancError(_CANNOT_ORDER, f"Unable to order the slices of series {series}")
    return ordered


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (("/series/{id}/ordered-slices", OrderedSlicesOfSeries),)
