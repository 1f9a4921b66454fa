"""Look-ups of resources, one by one and in bulk: each is one statement, so it sees one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.attachment_column import attachments_of_type, read_attachments
from orthanc_lab.storage.postgresql.find_statement import find_statement
from orthanc_lab.storage.postgresql.reading import Reading
from orthanc_lab.storage.postgresql.statements import SQL
from orthanc_lab.storage.postgresql.text import bindable, limited, read_json, restored, storable
from orthanc_lab.storage.records import Attachment, Resource
from orthanc_lab.storage.search_plan import SearchPlan
from orthanc_lab.storage.transaction import Key

__all__ = ["ResourceQueries"]


class ResourceQueries(Reading):
    """What the index knows of its resources."""

    def get(self, id: str) -> Resource | None:
        """Return a resource, None if it is unknown."""
        rows = self._fetch(SQL["resource"], (storable(id),))
        return _resource(rows[0]) if rows else None

    def family(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, and all that is above and below them."""
        return [_resource(row) for row in self._fetch(SQL["family"], (bindable(ids),))]

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, in the order of `ids`."""
        wanted = bindable(dict.fromkeys(ids))
        found = {resource.id: resource for resource in map(_resource, self._fetch(SQL["resources"], (wanted,)))}
        return [found[id] for id in ids if id in found]

    def search(self, plan: SearchPlan) -> list[str]:
        """Return the identifiers of the resources that a plan finds."""
        return [id for _, id in self._fetch(*find_statement(plan))]

    def search_resources(self, plan: SearchPlan) -> list[Resource]:
        """Return the resources that a plan finds."""
        search, values = find_statement(plan)
        return [_resource(row) for row in self._fetch(SQL["found_resources"].replace("{search}", search), values)]

    def all_labels(self) -> list[str]:
        """Return all labels in use, sorted."""
        return sorted(restored(label) for (label,) in self._fetch(SQL["all_labels"]))

    def unstable(self) -> list[tuple[Key, int]]:
        """Return the resources that are not stable, with their last touch; those below before those above them."""
        return self._fetch(SQL["unstable"])

    def list_resources(self, level: Level, since: int = 0, limit: int = 0) -> list[Resource]:
        """Return the resources of a level, sorted by identifier; limit 0 = all."""
        return [_resource(row) for row in self._fetch(SQL["resources_of_level"], _page(level, since, limit))]

    def list_ids(self, level: Level, since: int = 0, limit: int = 0) -> list[str]:
        """Return the identifiers of a level, sorted; limit 0 = all."""
        return [id for (id,) in self._fetch(SQL["ids_of_level"], _page(level, since, limit))]

    def find_level(self, id: str) -> Level | None:
        """Return the level of a resource."""
        rows = self._fetch(SQL["level"], (storable(id),))
        return LEVELS[rows[0][0]] if rows else None

    def descendants(self, id: str, level: Level) -> list[str]:
        """Return the identifiers below `id` (or `id` itself) at a level, sorted."""
        return [found for (found,) in self._fetch(SQL["descendants"], (storable(id), level.depth, level.depth))]

    def first_instance(self, id: str) -> str | None:
        """Return the instance below `id` (or `id` itself) that was stored first."""
        rows = self._fetch(SQL["first_instance"], (storable(id),))
        return rows[0][0] if rows else None

    def ancestor(self, id: str, level: Level) -> str | None:
        """Return the identifier above `id` (or `id` itself) at a level."""
        above: dict[int, str] = {depth: found for depth, found, _ in self._fetch(SQL["ancestors"], (storable(id),))}
        return above.get(level.depth)

    def by_identifier(self, folded: str) -> list[tuple[Level, str]]:
        """Return the resources whose PatientID or UID of their own level has this folded form."""
        return [(LEVELS[depth], id) for depth, id in self._fetch(SQL["by_identifier"], (storable(folded),))]

    def attachment(self, id: str, type: int) -> Attachment | None:
        """Return one attachment of a resource."""
        rows = self._fetch(SQL["attachments"], (storable(id),))
        return read_attachments(rows[0][0]).get(int(type)) if rows else None

    def attachments(self, ids: Sequence[str], type: int) -> dict[str, Attachment]:
        """Return the attachments of one type of many resources, without those that have none."""
        rows = self._fetch(SQL["attachments_of_many"], (bindable(ids),))
        return attachments_of_type(rows, type)

    def small_file(self, key: int) -> bytes | None:
        """Return the content of a small file."""
        rows = self._fetch(SQL["small_file"], (key,), binary=True)
        return rows[0][0] if rows else None

    def known_files(self, names: Iterable[str]) -> set[str]:
        """Return those of the files that an attachment refers to."""
        return {uuid for (uuid,) in self._fetch(SQL["known_files"], (bindable(names),))}


def _page(level: Level, since: int, limit: int) -> tuple[Any, ...]:
    return level.depth, limited(limit) or None, limited(since)


def _resource(row: Sequence[Any]) -> Resource:
    id, level, parent, tags, metadata, attachments, last_update, stable, rank, revisions, children, labels = row
    return Resource(
        id,
        LEVELS[level],
        parent,
        read_json(tags),
        _metadata(metadata, last_update),
        [] if children is None else sorted(orjson.loads(children)),
        [] if labels is None else sorted(read_json(labels)),
        read_attachments(attachments),
        stable,
        level == 0 and rank is None,
        {} if revisions is None else read_json(revisions),
    )


def _metadata(stored: str, last_update: str | None) -> dict[str, str]:
    metadata: dict[str, str] = read_json(stored)
    if last_update is not None:
        metadata["LastUpdate"] = last_update
    return metadata
