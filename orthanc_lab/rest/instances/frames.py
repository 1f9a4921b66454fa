"""``/instances/{id}/frames`` and what is below it: raw bytes, pictures, arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.dicom.images.image_description import parse_frames
from orthanc_lab.dicom.images.raw_frames import raw_frame
from orthanc_lab.protocol.deflate import gzip_bytes
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.transfer_syntaxes import find_transfer_syntax
from orthanc_lab.rest.http.answers import answer_json, unknown_resource
from orthanc_lab.rest.http.frame_numbers import frame_number
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.on_demand import on_demand
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "FrameList", "FrameParts", "RawFrame"]

_PARTS = ("image-int16", "image-uint16", "image-uint8", "matlab", "numpy", "preview", "raw", "raw.gz", "rendered")
_NUMBER_OF_FRAMES = "0028,0008"
_DECODED = {
    "image-int16": ("images", "make_int16"),
    "image-uint16": ("images", "make_uint16"),
    "image-uint8": ("images", "make_uint8"),
    "matlab": ("arrays", "Matlab"),
    "numpy": ("arrays", "Numpy"),
    "preview": ("images", "Preview"),
    "rendered": ("images", "Rendered"),
}
"""Where the resources stand that need numpy and Pillow."""


class FrameList:
    """The numbers of the frames."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer ``[0, 1, …]``, as many as the index knows."""
        instance = self._storage.get(id, Level.INSTANCE)
        if instance is None:
            raise unknown_resource()
        answer_json(req, resp, list(range(parse_frames(instance.tags.get(_NUMBER_OF_FRAMES, "")))))


class FrameParts:
    """The routes below a frame; Orthanc answers them for any number, of any instance."""

    def __init__(self, services: Services) -> None:
        pass

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, frame: str) -> None:
        """Answer the names of the sub-routes."""
        answer_json(req, resp, list(_PARTS))


class RawFrame:
    """The bytes of a frame as they are in the file."""

    def __init__(self, services: Services, *, gzip: bool = False) -> None:
        self._files = InstanceFiles(services)
        self._gzip = gzip

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, frame: str) -> None:
        """Answer the bytes, with the media type of their transfer syntax or as gzip."""
        number = frame_number(frame)
        file = self._files.whole(id)
        data = raw_frame(file.data_set, number)
        if self._gzip:
            resp.content_type = "application/gzip"
            resp.data = gzip_bytes(data)
        else:
            syntax = find_transfer_syntax(file.transfer_syntax)
            resp.content_type = "application/octet-stream" if syntax is None else syntax.mime
            resp.data = data


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/instances/{id}/frames", FrameList),
    ("/instances/{id}/frames/{frame}", FrameParts),
    ("/instances/{id}/frames/{frame}/raw", RawFrame),
    ("/instances/{id}/frames/{frame}/raw.gz", lambda services: RawFrame(services, gzip=True)),
    ("/app/images/unsupported.png", on_demand("orthanc_lab.rest.instances.images", "Placeholder")),
    ("/series/{id}/numpy", on_demand("orthanc_lab.rest.instances.arrays", "SeriesNumpy")),
    *(
        (f"/instances/{{id}}{where}/{name}", on_demand(f"orthanc_lab.rest.instances.{module}", maker))
        for name, (module, maker) in _DECODED.items()
        for where in ("", "/frames/{frame}")
    ),
)
