"""The values of ``requested-tags`` and ``RequestedTags``: from the index, counted, or read from a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from orthanc_lab.dicom.dictionary.main_tags import MainTags
from orthanc_lab.dicom.shown.tag_format import TagFormat, TagNames, all_reduced, read_sequences
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.warnings import WarningLog
from orthanc_lab.queries.computed_tags import COMPUTED_TAGS, COUNTS, computed_tag, depth_needed
from orthanc_lab.queries.file_tags import FileTags
from orthanc_lab.queries.relatives import Relatives
from orthanc_lab.storage.ports import Readable
from orthanc_lab.storage.records import Resource

__all__ = ["RequestedTags"]

_ALWAYS_INDEXED = MainTags().all
_LOOKED_FOR_ALONG = COUNTS | {"0008,0054", "0008,1190"}
"""Tags for which alone no file is read: counts of another level, RetrieveAETitle, RetrieveURL."""
_LEVELS_OF = {
    Level.STUDY: "study, series, or instance",
    Level.SERIES: "series or instance",
    Level.INSTANCE: "instance",
}


class RequestedTags:
    """Finds the values of requested tags.

    Parameters
    ----------
    storage
        Index and files.
    names
        Names of the tags.
    files
        Reads tags that the index does not keep; None leaves them out (``StorageAccessOnFind`` is Never).
    warnings
        Takes what makes an answer slow or incomplete.
    """

    def __init__(self, storage: Readable, names: TagNames, files: FileTags | None, warnings: WarningLog) -> None:
        self._warnings = warnings
        self._storage = storage
        self._names = names
        self._files = files
        self._indexed: dict[Level, frozenset[str]] = {}

    def of(
        self,
        resources: Sequence[Resource],
        tags: Sequence[str],
        form: TagFormat,
        relatives: Relatives,
        *,
        with_metadata: bool = True,
    ) -> list[dict[str, Any]]:
        """Return the requested tags of each resource, in a form.

        Parameters
        ----------
        with_metadata
            Whether the answer takes metadata into account. They tell that the index has all that the files have;
            without them, Orthanc looks for what it lacks in a file.
        """
        doubtful = {level: frozenset() if with_metadata else self._own_tags(level) for level in Level}
        for level in Level:
            same = [resource for resource in resources if resource.level is level]
            if same:
                self.warn(level, tags)
                self.load(same, tags, relatives)
        return [
            all_reduced(self.full(resource, tags, relatives, doubtful[resource.level]), form) for resource in resources
        ]

    def full(
        self, resource: Resource, tags: Iterable[str], relatives: Relatives, doubtful: frozenset[str] = frozenset()
    ) -> dict[str, dict[str, Any]]:
        """Return the requested tags of one resource: ``gggg,eeee`` -> name, type and value.

        A tag that the resource cannot have is left out; one that its file lacks is null.

        Parameters
        ----------
        doubtful
            Tags of the index that are looked for in a file if the index lacks them.
        """
        found: dict[str, dict[str, Any]] = {}
        on_disk = []
        along = []
        for tag in tags:
            if tag in COMPUTED_TAGS:
                value = computed_tag(tag, resource, relatives)
                if value is not None:
                    found[tag] = self._string(tag, value)
                elif tag in _LOOKED_FOR_ALONG:
                    along.append(tag)
            elif self.is_indexed(tag, resource.level):
                known = self._in_index(tag, resource, relatives)
                if known is not None:
                    found[tag] = known
                elif tag in doubtful or self._may_be_in_file(tag, resource, relatives):
                    on_disk.append(tag)
            elif tag in _LOOKED_FOR_ALONG:
                along.append(tag)
            elif not tag.startswith("0002,"):
                on_disk.append(tag)
        if on_disk and self._files is not None:
            found.update(self._from_file(self._files, resource, on_disk + along))
        return found

    def is_all_indexed(self, tags: Iterable[str]) -> bool:
        """Tell whether each tag is computed, or kept by the index at some level."""
        return all(tag in COMPUTED_TAGS or self.is_indexed(tag, Level.INSTANCE) for tag in tags)

    def is_indexed(self, tag: str, level: Level) -> bool:
        """Tell whether the index keeps a tag for this level or one above."""
        indexed = self._indexed.get(level)
        if indexed is None:
            indexed = self._indexed[level] = self._storage.indexed_tags(level)
        return tag in indexed

    def _may_be_in_file(self, tag: str, resource: Resource, relatives: Relatives) -> bool:
        """Tell whether the index lacks a tag because it did not keep it yet when it stored the resource."""
        return tag not in _ALWAYS_INDEXED and any(
            tag in self._own_tags(one.level) and tag not in one.metadata.get("MainDicomTagsSignature", "").split(";")
            for one in _with_patient(resource, relatives)
        )

    def _own_tags(self, level: Level) -> frozenset[str]:
        """Return the tags that the index keeps for a level itself; a study has those of its patient."""
        tags = self._storage.indexed_tags(level)
        if level.parent is None or level is Level.STUDY:
            return tags
        return tags - self._storage.indexed_tags(level.parent)

    def warn(self, level: Level, tags: Sequence[str]) -> None:
        """Warn of tags that make an answer slow or incomplete."""
        missing = [tag for tag in tags if tag not in COMPUTED_TAGS and not self.is_indexed(tag, level)]
        for tag in missing:
            for lower in LEVELS[level.depth + 1 :]:
                if self.is_indexed(tag, lower):
                    self._warnings.write("W005", tag, _LEVELS_OF[lower])
                    break
        meta = sorted(tag for tag in missing if tag.startswith("0002,"))
        if meta:
            self._warnings.write("W006", ";".join(meta))
        if self._files is None and len(meta) < len(missing):
            self._warnings.write("W007", ";".join(sorted({*missing} - {*meta})))

    def load(self, resources: Sequence[Resource], tags: Sequence[str], relatives: Relatives) -> None:
        """Read in bulk the relatives whose tags are shown; all resources are of one level."""
        level = resources[0].level
        below = list(resources)
        for _ in range(max((depth_needed(tag, level) for tag in tags if tag in COMPUTED_TAGS), default=0)):
            below = relatives.children(below)
        if any(self.is_indexed(tag, level) for tag in tags):
            above = list(resources)
            for _ in range(level.depth - Level.STUDY.depth):
                above = relatives.parents(above)

    def _in_index(self, tag: str, resource: Resource, relatives: Relatives) -> dict[str, Any] | None:
        lineage = relatives.lineage if tag in _ALWAYS_INDEXED else partial(_with_patient, relatives=relatives)
        for current in lineage(resource):
            value = current.tags.get(tag)
            if value is not None:
                return self._string(tag, value)
            sequences = current.metadata.get("MainDicomSequences")
            if sequences and tag in sequences:
                found: dict[str, Any] | None = read_sequences(sequences).get(tag)
                if found is not None:
                    return found
        return None

    def _from_file(self, files: FileTags, resource: Resource, tags: list[str]) -> dict[str, dict[str, Any]]:
        self._warnings.write("W001", resource.level.value.lower(), resource.id, ";".join(sorted(tags)))
        instance = self._storage.first_instance(resource.id)
        values = files.read(instance, tags) if instance else {}
        return {tag: values.get(tag) or {"Name": self._names[tag], "Type": "Null", "Value": None} for tag in tags}

    def _string(self, tag: str, value: str) -> dict[str, Any]:
        return {"Name": self._names[tag], "Type": "String", "Value": value}


def _with_patient(resource: Resource, relatives: Relatives) -> Iterator[Resource]:
    """Yield the resource itself and all above it: a study may have been stored before its patient had a tag."""
    for current in relatives.lineage(resource):
        yield current
        if current.level is Level.STUDY:
            yield from relatives.parents((current,))
