"""Reconstruction: the main DICOM tags read from the files again, and the files written again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.rest.http.answers import answer_nothing, unknown_resource
from orthanc_lab.rest.http.bodies import read_body
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import AttachmentType

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Reconstruct", "ReconstructAll"]


class _Reconstruction:
    """What both resources share."""

    writes = ("POST",)

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        self._compressed = bool(services.settings["StorageCompression"])

    def _rewrite_files(self, instances: Iterable[str]) -> None:
        """Compress or uncompress the DICOM files as ``StorageCompression`` is set now."""
        for instance in instances:
            try:
                self._storage.compress_attachment(instance, AttachmentType.DICOM, self._compressed)
            except OrthancError as error:
                if error.code != ErrorCode.UNKNOWN_RESOURCE:  # deleted in the meantime
                    raise


class Reconstruct(_Reconstruction):
    """Reconstruction of one resource and all below it; its level is not checked, as in Orthanc."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Reconstruct; with ``ReconstructFiles`` the files, too."""
        with_files = _with_files(req)
        if self._storage.find_level(id) is None:
            raise unknown_resource()
        self._storage.reconstruct(id)
        if with_files:
            self._rewrite_files(self._storage.descendants(id, Level.INSTANCE))
        answer_nothing(resp)


class ReconstructAll(_Reconstruction):
    """Reconstruction of the whole database."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Reconstruct; with ``ReconstructFiles`` the files, too."""
        with_files = _with_files(req)
        self._storage.reconstruct()
        if with_files:
            self._rewrite_files(self._storage.list_ids(Level.INSTANCE))
        answer_nothing(resp)


def _with_files(req: falcon.Request) -> bool:
    """Return the field ``ReconstructFiles``; a body that cannot be parsed has none."""
    try:
        body = lenient_json.loads(read_body(req))
    except OrthancError as error:
        if error.code != ErrorCode.BAD_JSON:
            raise
        return False
    if body is None:
        return False
    if not isinstance(body, dict):
        # This is Orthanc's answer to any JSON but an object.
        raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
    for field in ("ReconstructFiles", "LimitToThisLevelMainDicomTags"):
        if not isinstance(body.get(field, False), bool):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"The field {field} must contain a Boolean")
    return bool(body.get("ReconstructFiles", False))


ROUTES: Sequence[tuple[str, Callable[[Services], Any]]] = (
    ("/tools/reconstruct", ReconstructAll),
    *((f"/{level.plural}/{{id}}/reconstruct", Reconstruct) for level in LEVELS),
)
