"""The resources around those that are shown, loaded in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Resources
from orthanc_lab.storage.records import Resource

__all__ = ["Relatives"]


class Relatives:
    """Parents and children of the resources of one answer; each is read once.

    A resource that was deleted in the meantime is left out of every answer here.
    """

    def __init__(self, storage: Resources, resources: Iterable[Resource]) -> None:
        self._storage = storage
        self._known: dict[str, Resource | None] = {resource.id: resource for resource in resources}

    def fetch(self, ids: Iterable[str]) -> list[Resource]:
        """Return the known ones of `ids`, in their order."""
        wanted = list(ids)
        missing = [id for id in dict.fromkeys(wanted) if id not in self._known]
        if missing:
            self._known.update(dict.fromkeys(missing))
            self._known.update((resource.id, resource) for resource in self._storage.get_many(missing))
        return [resource for id in wanted if (resource := self._known[id]) is not None]

    def parents(self, resources: Iterable[Resource]) -> list[Resource]:
        """Return the resources one level above, each once."""
        return self.fetch(dict.fromkeys(resource.parent for resource in resources if resource.parent is not None))

    def children(self, resources: Iterable[Resource]) -> list[Resource]:
        """Return the resources one level below."""
        return self.fetch(child for resource in resources for child in resource.children)

    def lineage(self, resource: Resource) -> Iterator[Resource]:
        """Yield the resource itself and those above it; the last is a study, which has the patient's tags."""
        current: Resource | None = resource
        while current is not None:
            yield current
            found = [] if current.level is Level.STUDY else self.parents((current,))
            current = found[0] if found else None
