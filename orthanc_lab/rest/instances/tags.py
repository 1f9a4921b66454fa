"""``/instances/{id}/tags``, ``/simplified-tags`` and ``/header``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.shown.tags_json import TagsFormat, data_set_to_json
from orthanc_lab.rest.http.answers import answer_json
from orthanc_lab.rest.http.arguments import flag, query_arguments
from orthanc_lab.rest.http.cached_text import CachedJson
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Header", "InstanceTags", "SimplifiedTags", "ignored_lengths", "tags_format"]


class _Version(NamedTuple):
    """What the text of the tags depends on."""

    id: str
    format: TagsFormat
    encoding: str
    header: str


class InstanceTags:
    """All tags of an instance: those up to the pixel data, unless the client asks for ``whole``."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)
        self._json = CachedJson[_Version](lambda version: self._tags(version.id, version.format, {}))

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the tags in the form that ``simplify`` or ``short`` ask for."""
        arguments = query_arguments(req)
        self.answer(req, resp, id, tags_format(arguments))

    def answer(self, req: falcon.Request, resp: falcon.Response, id: str, format: TagsFormat) -> None:
        """Answer the tags in one form; the text of an unchanged file is kept for a while."""
        arguments = query_arguments(req)
        whole = flag(arguments, "whole")
        if whole or "ignore-length" in arguments:
            answer_json(req, resp, self._tags(id, format, arguments, whole=whole))
            return
        version = _Version(id, format, self._files.default_encoding, self._files.version_of_header(id))
        self._json.answer(req, resp, version, key=(id, format))

    def _tags(
        self, id: str, format: TagsFormat, arguments: Mapping[str, str], *, whole: bool = False
    ) -> Mapping[str, Any]:
        whole_values = ignored_lengths(arguments, self._files.dictionary)
        file = self._files.whole(id) if whole else self._files.header(id)
        return data_set_to_json(
            file,
            format,
            self._files.dictionary,
            default_encoding=self._files.default_encoding,
            ignore_length=whole_values,
        )


class SimplifiedTags(InstanceTags):
    """The same by name, with values only."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer name → text, array or null."""
        self.answer(req, resp, id, TagsFormat.SIMPLIFIED)


class Header:
    """The meta header (group 0002)."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the tags of the meta header, except binary ones."""
        file = self._files.header(id)
        format = tags_format(query_arguments(req))
        answer_json(req, resp, data_set_to_json(file, format, self._files.dictionary, header=True))


def tags_format(arguments: Mapping[str, str]) -> TagsFormat:
    """Return the form that the arguments ask for; their presence counts, not their value."""
    if "simplify" in arguments:
        return TagsFormat.SIMPLIFIED
    return TagsFormat.SHORT if "short" in arguments else TagsFormat.FULL


def ignored_lengths(arguments: Mapping[str, str], dictionary: Dictionary) -> frozenset[int]:
    """Return the tags that ``ignore-length`` names, separated by commas.

    Raises
    ------
    OrthancError
        27 with the first name that is not a tag.
    """
    names = arguments.get("ignore-length")
    return frozenset() if names is None else frozenset(map(dictionary.parse_tag, names.split(",")))


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/instances/{id}/tags", InstanceTags),
    ("/instances/{id}/simplified-tags", SimplifiedTags),
    ("/instances/{id}/header", Header),
)
