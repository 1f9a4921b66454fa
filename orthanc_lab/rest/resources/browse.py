"""Browsing: lists of a level, one resource, its children and parents, its sizes, its deletion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.shown.tag_format import TagFormat, format_asked
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.queries.batches import batches_of, batches_of_ids
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json, unknown_resource
from orthanc_lab.rest.http.arguments import flag, names_in, page_of, query_arguments
from orthanc_lab.rest.http.long_lists import answer_batches
from orthanc_lab.rest.http.plain_answers import PlainAnswer
from orthanc_lab.rest.making.plain_upload import plain_upload, plain_uploads
from orthanc_lab.rest.making.upload import post_instances
from orthanc_lab.rest.resources.presentation import parse_requested, presentation_of
from orthanc_lab.rest.resources.resource_json import EXPANDED, parts_named
from orthanc_lab.rest.resources.resource_texts import ResourceTexts
from orthanc_lab.rest.resources.statistics import sizes_json
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Ancestor", "Descendants", "InstanceList", "OneResource", "ResourceList", "ResourceSizes"]


class _Browsing:
    """What the resources of this module share: the storage, and how resources are written."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        presentation = presentation_of(services)
        self._dictionary = presentation.dictionary
        self._json = presentation.json

    def _wishes(self, arguments: dict[str, str], level: Level) -> tuple[TagFormat, tuple[str, ...]]:
        return format_asked(arguments), parse_requested(arguments, self._dictionary, level)


class ResourceList(_Browsing):
    """All patients, studies, series or instances."""

    def __init__(self, services: Services, level: Level) -> None:
        super().__init__(services)
        self._level = level
        self._texts = ResourceTexts(self._json)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer identifiers, or objects with ``expand`` or ``response-content``; a page of them with ``since``."""
        arguments = query_arguments(req)
        form, requested = self._wishes(arguments, self._level)
        content = arguments.get("response-content")
        parts = EXPANDED if content is None else parts_named(names_in(content))
        is_plain = content is None and not flag(arguments, "expand")
        since, limit = page_of(arguments, f"/{self._level.plural}/") or (0, 0)
        if is_plain:
            answer_json(req, resp, self._storage.list_ids(self._level, since, limit))
            return
        batches = batches_of(
            self._storage,
            lambda most: self._storage.list_resources(self._level, since, min(limit or most, most)),
            lambda: self._storage.list_ids(self._level, since, limit),
        )
        self._texts.answer(req, resp, batches, form, parts=parts, requested=requested)


class InstanceList(ResourceList):
    """All instances, and uploads of new ones."""

    writes = ("POST",)

    def __init__(self, services: Services) -> None:
        super().__init__(services, Level.INSTANCE)
        self._services = services

    def on_plain_post(self, env: dict[str, Any]) -> PlainAnswer | None:
        """Store a DICOM file."""
        return plain_upload(self._services, env)

    def on_plain_posts(
        self, requests: Sequence[tuple[dict[str, Any], bytes]]
    ) -> list[PlainAnswer | BaseException | None]:
        """Store what several clients upload at the same time."""
        return plain_uploads(self._services, requests)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Store a DICOM file, a ZIP archive or a form."""
        post_instances(self._services, req, resp)


class OneResource(_Browsing):
    """One patient, study, series or instance."""

    writes = ("DELETE",)

    def __init__(self, services: Services, level: Level) -> None:
        super().__init__(services)
        self._level = level

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the object; 404/empty for an unknown one."""
        form, requested = self._wishes(query_arguments(req), self._level)
        resource = self._storage.get(id, self._level)
        if resource is None:
            raise EmptyAnswer(404)
        answer_json(req, resp, self._json.of([resource], form, requested=requested)[0])

    def on_delete(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Delete with all below; answer the closest ancestor that remains."""
        known, remaining = self._storage.delete(id, self._level)
        if not known:
            raise EmptyAnswer(404)
        ancestor = None
        if remaining is not None:
            level, left = remaining
            ancestor = {"ID": left, "Path": f"/{level.plural}/{left}", "Type": level.value}
        answer_json(req, resp, {"RemainingAncestor": ancestor})


class Descendants(_Browsing):
    """The resources of a lower level that belong to one resource."""

    def __init__(self, services: Services, level: Level, target: Level) -> None:
        super().__init__(services)
        self._level = level
        self._target = target

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer objects, or identifiers with ``expand=false``."""
        arguments = query_arguments(req)
        form, requested = self._wishes(arguments, self._target)
        expand = flag(arguments, "expand", default=True)
        if self._storage.find_level(id) is not self._level:
            raise unknown_resource()
        ids = self._storage.descendants(id, self._target)
        if not expand:
            answer_json(req, resp, ids)
        else:
            batches = batches_of_ids(self._storage, ids)
            answer_batches(req, resp, (self._json.of(batch, form, requested=requested) for batch in batches))


class Ancestor(_Browsing):
    """The resource of a higher level to which one belongs."""

    def __init__(self, services: Services, level: Level, target: Level) -> None:
        super().__init__(services)
        self._level = level
        self._target = target

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the object; 404/empty if the level of `id` is not the one in the path."""
        form, _ = self._wishes(query_arguments(req), self._target)  # requested tags are checked, not shown
        level = self._storage.find_level(id)
        if level is None:
            raise unknown_resource()
        found = self._storage.ancestor(id, self._target) if level is self._level else None
        resource = self._storage.get(found, self._target) if found else None
        if resource is None:
            raise EmptyAnswer(404)
        answer_json(req, resp, self._json.of([resource], form)[0])


class ResourceSizes:
    """How much one resource holds; its level is not checked, as in Orthanc."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer counts below the resource and bytes on disk."""
        level = self._storage.find_level(id)
        if level is None:
            raise unknown_resource()
        answer_json(req, resp, sizes_json(level, self._storage.resource_statistics(id)))


def _routes() -> Iterator[tuple[str, Callable[[Services], Any]]]:
    for level in LEVELS:
        uri = f"/{level.plural}"
        yield uri, InstanceList if level is Level.INSTANCE else partial(ResourceList, level=level)
        yield f"{uri}/{{id}}", partial(OneResource, level=level)
        yield f"{uri}/{{id}}/statistics", ResourceSizes
        for target in LEVELS[level.depth + 1 :]:
            yield f"{uri}/{{id}}/{target.plural}", partial(Descendants, level=level, target=target)
        for target in LEVELS[: level.depth]:
            yield f"{uri}/{{id}}/{target.value.lower()}", partial(Ancestor, level=level, target=target)


ROUTES: Sequence[tuple[str, Callable[[Services], Any]]] = tuple(_routes())
