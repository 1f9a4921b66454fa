"""What labels, metadata and attachments have in common: each belongs to a resource of one level."""

from __future__ import annotations

from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.answers import EmptyAnswer, unknown_resource
from orthanc_lab.rest.resources.numbered_names import USER_RANGE
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import Resource

__all__ = ["PartOfResource", "check_user_defined"]


class PartOfResource:
    """Base of the resources below ``/{level}/{id}``."""

    def __init__(self, services: Services, level: Level) -> None:
        self._storage = services.storage
        self._level = level

    def _resource(self, id: str, *, of_any_level: bool = False) -> Resource:
        resource = self._storage.get(id, None if of_any_level else self._level)
        if resource is None:
            raise unknown_resource()
        return resource


def check_user_defined(number: int) -> None:
    """Answer 403/empty for a metadata or an attachment that only the server may write."""
    if number not in USER_RANGE:
        raise EmptyAnswer(403)
