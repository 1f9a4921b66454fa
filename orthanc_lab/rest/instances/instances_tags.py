"""``shared-tags`` and ``instances-tags``: the tags of all instances below a resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.shown.tags_json import TagsFormat, data_set_to_json
from orthanc_lab.protocol.errors import VANISHED, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.rest.http.answers import answer_json, unknown_resource
from orthanc_lab.rest.http.arguments import query_arguments
from orthanc_lab.rest.http.long_lists import answer_members
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.instances.tags import ignored_lengths, tags_format
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "InstancesTags", "SharedTags"]


class _BelowResource:
    """Reads the tags of the instances below a resource of one level."""

    def __init__(self, services: Services, level: Level) -> None:
        self._storage = services.storage
        self._files = InstanceFiles(services)
        self._level = level

    def _tags(
        self, id: str, format: TagsFormat, ignore_length: frozenset[int] = frozenset()
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each instance with its tags; one that is deleted in the meantime is left out."""
        if self._storage.find_level(id) is not self._level:
            raise unknown_resource()
        for instance in sorted(self._storage.descendants(id, Level.INSTANCE)):
            try:
                tags = self._tags_of(instance, format, ignore_length)
            except OrthancError as error:
                if error.code in VANISHED:
                    continue
                raise
            yield instance, tags

    def _tags_of(self, instance: str, format: TagsFormat, ignore_length: frozenset[int]) -> dict[str, Any]:
        # The file ends with this call: while it is there, it keeps the memory that the next one may need.
        return data_set_to_json(
            self._files.header(instance),
            format,
            self._files.dictionary,
            default_encoding=self._files.default_encoding,
            ignore_length=ignore_length,
        )


class InstancesTags(_BelowResource):
    """The tags of each instance."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer identifier → tags."""
        arguments = query_arguments(req)
        whole_values = ignored_lengths(arguments, self._files.dictionary)
        answer_members(req, resp, self._tags(id, tags_format(arguments), whole_values))


class SharedTags(_BelowResource):
    """The tags that all instances have, with the same text."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the tags; sequences, binary and long values are not compared."""
        shared: dict[str, dict[str, Any]] | None = None
        for _, tags in self._tags(id, TagsFormat.FULL):
            if shared is None:
                shared = {key: tag for key, tag in tags.items() if tag["Type"] == "String"}
            else:
                shared = {key: tag for key, tag in shared.items() if tags.get(key) == tag}
        answer_json(req, resp, _in_format(shared or {}, tags_format(query_arguments(req))))


def _in_format(tags: dict[str, dict[str, Any]], format: TagsFormat) -> dict[str, Any]:
    if format is TagsFormat.FULL:
        return dict(tags)
    return {tag["Name"] if format is TagsFormat.SIMPLIFIED else key: tag["Value"] for key, tag in sorted(tags.items())}


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = tuple(
    (f"/{level.plural}/{{id}}/{name}", partial(make, level=level))
    for level in LEVELS[:3]
    for name, make in (("instances-tags", InstancesTags), ("shared-tags", SharedTags))
)
