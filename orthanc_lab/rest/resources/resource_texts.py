"""Lists of resources as text, of which only what has changed is written again."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.dicom.shown.tag_format import TagFormat
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.answers import wants_xml
from orthanc_lab.rest.http.long_lists import answer_batches, answer_pieces, array_items
from orthanc_lab.rest.resources.resource_json import EXPANDED, Part, ResourceJson
from orthanc_lab.storage.records import Resource

if TYPE_CHECKING:
    import falcon

__all__ = ["ResourceTexts"]

_SIZE = 2 << 20  # bytes of texts that are kept
_KEPT = frozenset({Level.PATIENT, Level.STUDY})
"""Levels whose usual form says nothing about the resources below, but who they are."""


class ResourceTexts:
    """Answers lists of resources.

    The storage shows a resource that did not change as the same object again, so identity tells whether
    its text in the usual form is still right.
    """

    def __init__(self, json: ResourceJson) -> None:
        self._json = json
        self._known: dict[str, tuple[Resource, bytes]] = {}  # by identifier
        self._size = 0
        self._lock = threading.Lock()  # guards the two

    def answer(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        batches: Iterable[list[Resource]],
        form: TagFormat,
        *,
        parts: Collection[Part] = EXPANDED,
        requested: Sequence[str] = (),
    ) -> None:
        """Answer one array of all resources, as JSON, or as XML where the client asked for it.

        The other parameters are those of `ResourceJson.of`.
        """
        if form is TagFormat.NAMES and parts == EXPANDED and not requested and not wants_xml(req):
            answer_pieces(resp, (self._text(batch) for batch in batches if batch))
        else:
            write = self._json.of
            answer_batches(req, resp, (write(batch, form, parts=parts, requested=requested) for batch in batches))

    def _text(self, resources: Sequence[Resource]) -> bytes:
        """Return the items of an array, without its brackets."""
        if resources[0].level not in _KEPT:
            return array_items(self._json.of(resources))
        known = self._known
        texts, missing = [], []
        for place, resource in enumerate(resources):
            it = known.get(resource.id)
            if it is not None and it[0] is resource:
                texts.append(it[1])
            else:
                texts.append(b"")
                missing.append(place)
        if missing:
            new = [resources[place] for place in missing]
            if any("MainDicomSequences" in resource.metadata for resource in new):  # these may be long
                return array_items(self._json.of(resources))
            written = [array_items([document]) for document in self._json.of(new)]
            for place, text in zip(missing, written, strict=True):
                texts[place] = text
            self._keep(new, written)
        return b",".join(texts)

    def _keep(self, resources: Sequence[Resource], texts: Sequence[bytes]) -> None:
        with self._lock:
            self._size += sum(map(len, texts))
            if self._size > _SIZE:
                self._known, self._size = {}, sum(map(len, texts))
            if self._size <= _SIZE:
                for resource, text in zip(resources, texts, strict=True):
                    self._known[resource.id] = (resource, text)
