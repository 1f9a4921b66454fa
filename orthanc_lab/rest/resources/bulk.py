"""Many resources at once by their identifiers: ``/tools/lookup``, ``bulk-content``, ``bulk-delete``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.answers import answer_json, answer_nothing
from orthanc_lab.rest.http.bodies import boolean_field, read_body, read_object
from orthanc_lab.rest.http.long_lists import answer_repeated
from orthanc_lab.rest.resources.presentation import presentation_of, wanted_format
from orthanc_lab.rest.resources.resource_json import EXPANDED, Part
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "BulkContent", "BulkDelete", "Lookup"]


class Lookup:
    """Resources by PatientID or UID."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the resources whose own identifier is the body."""
        value = read_body(req).decode("utf-8", "replace")
        if "*" in value or "?" in value:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "Wildcards are not allowed on tag 0010,0020")
        found = self._storage.lookup_identifier(value)
        answer_json(
            req,
            resp,
            [{"ID": id, "Path": f"/{level.plural}/{id}", "Type": level.value} for level, id in found],
        )


class BulkContent:
    """The JSON of many resources, or of their relatives at one level."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        self._json = presentation_of(services).json

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the known ones, with their metadata unless ``Metadata`` is false."""
        body = _object(req)
        form = wanted_format(body)
        parts = EXPANDED | {Part.METADATA} if boolean_field(body, "Metadata", True) else EXPANDED
        level = None
        if "Level" in body:
            if not isinstance(body["Level"], str):
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "String value expected in field: Level")
            level = Level.parse(body["Level"])
        ids = list(_resources(body))
        if level is not None:
            ids = self._at_level(ids, level)
        documents = self._json.of(self._storage.get_many(list(dict.fromkeys(ids))), form, parts=parts)
        places = {document["ID"]: place for place, document in enumerate(documents)}
        order = [places[id] for id in ids if id in places]
        if len(order) > len(documents):
            answer_repeated(req, resp, documents, order)
        else:
            answer_json(req, resp, documents)

    def _at_level(self, ids: list[str], target: Level) -> list[str]:
        found: set[str] = set()
        for id in dict.fromkeys(ids):
            level = self._storage.find_level(id)
            if level is None:
                continue
            if level.depth > target.depth:
                above = self._storage.ancestor(id, target)
                found.update([above] if above else [])
            else:
                found.update(self._storage.descendants(id, target))
        return sorted(found)


class BulkDelete:
    """Deletion of many resources."""

    writes = ("POST",)

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Delete the known ones; the others are passed over."""
        self._storage.delete_all(list(_resources(_object(req))))
        answer_nothing(resp)


def _object(req: falcon.Request) -> dict[str, Any]:
    return read_object(req, error=ErrorCode.BAD_REQUEST, details="The body must contain a JSON object")


def _resources(body: dict[str, Any]) -> Iterator[str]:
    ids = body.get("Resources")
    if not isinstance(ids, list):
        raise _no_strings()
    for id in ids:
        if not isinstance(id, str):
            raise _no_strings()
        yield id


def _no_strings() -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, "List of strings expected in field: Resources")


ROUTES: Sequence[tuple[str, type]] = (
    ("/tools/lookup", Lookup),
    ("/tools/bulk-content", BulkContent),
    ("/tools/bulk-delete", BulkDelete),
)
