"""Metadata of a resource: ``/{level}/{id}/metadata``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json, answer_nothing, answer_text, unknown_resource
from orthanc_lab.rest.http.arguments import flag, query_arguments
from orthanc_lab.rest.http.bodies import read_body
from orthanc_lab.rest.http.revisions import (
    answer_if_none_match,
    check_if_match,
    md5_hex,
    parse_if_match,
    require_if_match,
    set_etag,
)
from orthanc_lab.rest.resources.metadata_text import metadata_bytes, metadata_text, readable
from orthanc_lab.rest.resources.numbered_names import metadata_names
from orthanc_lab.rest.resources.part_of_resource import PartOfResource, check_user_defined
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "MetadataList", "OneMetadata"]


class MetadataList(PartOfResource):
    """The metadata of one resource."""

    def __init__(self, services: Services, level: Level) -> None:
        super().__init__(services, level)
        self._names = metadata_names(services.settings["UserMetadata"])

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the names, or with ``expand`` the values; ``numeric`` shows numbers instead of names."""
        arguments = query_arguments(req)
        numbered = {self._names.number(name): value for name, value in self._resource(id).metadata.items()}
        shown: Callable[[int], Any] = int if "numeric" in arguments else self._names.name
        if flag(arguments, "expand"):
            answer_json(req, resp, {str(shown(number)): readable(value) for number, value in numbered.items()})
        else:
            answer_json(req, resp, [shown(number) for number in sorted(numbered)])


class OneMetadata(PartOfResource):
    """One metadata; the level is checked on reading only, as in Orthanc."""

    writes = ("PUT", "DELETE")

    def __init__(self, services: Services, level: Level) -> None:
        super().__init__(services, level)
        self._names = metadata_names(services.settings["UserMetadata"])
        self._check_revisions = bool(services.settings["CheckRevisions"])

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Answer the value as text; 404/empty if the resource does not have it."""
        shown = self._names.name(self._names.number(name))
        resource = self._resource(id)
        value = resource.metadata.get(shown)
        if value is None:
            raise EmptyAnswer(404)
        body = metadata_bytes(value)
        answer_if_none_match(req, resp, md5_hex(body), resource.metadata_revisions.get(shown, 0))
        answer_text(resp, body)

    def on_put(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Write a user-defined metadata; the body is its value."""
        shown = self._writable(name)
        body = read_body(req)
        check = self._check(req, required=self._check_revisions)
        set_etag(resp, md5_hex(body), self._storage.set_metadata(id, shown, metadata_text(body), check))
        answer_nothing(resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Delete a user-defined metadata; 404 if it does not exist."""
        shown = self._writable(name)
        if self._check_revisions:
            require_if_match(req)
        if not self._storage.delete_metadata(id, shown, self._check(req, required=False)):
            raise unknown_resource()
        answer_nothing(resp)

    def _writable(self, name: str) -> str:
        number = self._names.number(name)
        check_user_defined(number)
        return self._names.name(number)

    @staticmethod
    def _check(req: falcon.Request, *, required: bool) -> Callable[[str | None, int], None]:
        """Return what refuses to change a value that the client has not read."""
        known = parse_if_match(req)

        def check(value: str | None, revision: int) -> None:
            check_if_match(
                known, None if value is None else md5_hex(metadata_bytes(value)), revision, required=required
            )

        return check


ROUTES: Sequence[tuple[str, Callable[[Services], Any]]] = tuple(
    route
    for level in LEVELS
    for route in (
        (f"/{level.plural}/{{id}}/metadata", partial(MetadataList, level=level)),
        (f"/{level.plural}/{{id}}/metadata/{{name}}", partial(OneMetadata, level=level)),
    )
)
