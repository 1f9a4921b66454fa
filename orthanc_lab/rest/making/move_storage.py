"""Moving files between the disk and the bucket: ``/move-storage``, as the plug-ins for object storage have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.jobs.kinds.move_storage import MoveStorageJob, MoveStorageRequest
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.rest.http.answers import unknown_resource
from orthanc_lab.rest.http.bodies import job_fields
from orthanc_lab.rest.http.submission import submit_job
from orthanc_lab.rest.jobs.store_request import read_store_request
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.ports import Resources

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "MoveStorage"]

_ONE_PLACE = (
    "Files can be moved where the configuration has the section of a bucket (AwsS3Storage, AzureBlobStorage, "
    "GoogleCloudStorage) with a HybridMode other than Disabled"
)


class MoveStorage:
    """Moving the files of resources, by a job."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Move the files of resources and of all below them."""
        storage = self._services.storage
        places = storage.file_places()
        if not places:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, _ONE_PLACE)
        resources, body = read_store_request(req)
        fields = job_fields(body)
        request = MoveStorageRequest(
            _target(body, places), _all_below(resources, storage), sorted(set(resources)), fields.permissive
        )
        submit_job(req, resp, self._services, fields, MoveStorageJob(self._services.job_tools, request))


def _target(fields: Mapping[str, Any], places: Sequence[str]) -> str:
    if "TargetStorage" not in fields:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, 'Missing field in JSON: "TargetStorage"')
    target = fields["TargetStorage"]
    if not isinstance(target, str) or target not in places:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f'"TargetStorage" should be one of {", ".join(places)}')
    return target


def _all_below(resources: Sequence[str], storage: Resources) -> list[str]:
    """Return the resources and all below them, each once."""
    found: dict[str, None] = {}
    for id in dict.fromkeys(resources):
        level = storage.find_level(id)
        if level is None:
            raise unknown_resource()
        for lower in LEVELS[level.depth :]:
            found.update(dict.fromkeys(storage.descendants(id, lower)))
    return list(found)


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (("/move-storage", MoveStorage),)
