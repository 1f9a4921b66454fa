"""The part of a query that the index cannot answer: computed tags, and tags that only files hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.queries.relatives import Relatives
from orthanc_lab.queries.requested_tags import RequestedTags
from orthanc_lab.storage.ports import Resources
from orthanc_lab.storage.records import Constraint, Resource
from orthanc_lab.storage.value_matching import RANGED_VRS, predicate

__all__ = ["FileFilter"]

_BATCH = 64


class FileFilter:
    """Checks constraints on what is shown of a resource.

    Parameters
    ----------
    constraints
        All must match; a resource without the tag does not.
    """

    def __init__(
        self, storage: Resources, requested: RequestedTags, dictionary: Dictionary, constraints: Sequence[Constraint]
    ) -> None:
        self._storage = storage
        self._requested = requested
        self._matches: dict[str, list[Callable[[str], bool]]] = {}
        for constraint in constraints:
            vr = dictionary.vr_of(int(constraint.tag[:4] + constraint.tag[5:], 16))
            case_sensitive, ranged = constraint.case_sensitive, vr in RANGED_VRS
            match = predicate(constraint.value, case_sensitive=case_sensitive, ranged=ranged)
            self._matches.setdefault(constraint.tag, []).append(match)

    def select(self, ids: Sequence[str]) -> list[str]:
        """Return the ones of `ids` that match.

        Raises
        ------
        OrthancError
            5 for a constraint on a sequence that a file has.
        """
        return list(self._matching(ids))

    def _matching(self, ids: Sequence[str]) -> Iterator[str]:
        for start in range(0, len(ids), _BATCH):
            resources = self._storage.get_many(ids[start : start + _BATCH])
            relatives = Relatives(self._storage, resources)
            for resource in resources:
                if self._accepts(resource, relatives):
                    yield resource.id

    def _accepts(self, resource: Resource, relatives: Relatives) -> bool:
        found = self._requested.full(resource, self._matches, relatives)
        for tag, matches in self._matches.items():
            value = found.get(tag)
            if value is None or value["Value"] is None:
                return False
            if value["Type"] == "Sequence":
                raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
            if not all(match(value["Value"]) for match in matches):
                return False
        return True
