"""``/tools/create-dicom``: new instances from tags, pictures and documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.files.charsets import LATIN1, Charset, by_name
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.files.values import JsonValues
from orthanc_lab.dicom.making.create import Draft, charset_of_tags, fresh_identifiers, generated_tags, series_tags
from orthanc_lab.dicom.making.inheritance import inherited
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.memory_budget import Reservation
from orthanc_lab.rest.http.answers import answer_json, unknown_resource
from orthanc_lab.rest.http.bodies import read_parsed_body
from orthanc_lab.rest.http.origin import origin_of
from orthanc_lab.rest.making.create_body import parse_create_body
from orthanc_lab.rest.making.upload import stored_json
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import Origin

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "CreateDicom"]

_UNAVAILABLE = 503
_MOST_TAGS = 16 << 20  # bytes of the same tags in all files of a series …
_TAGS_TO_CONTENTS = 16  # … or so many times those of its contents


class CreateDicom:
    """Creation of one instance, or of a series of them."""

    writes = ("POST",)

    def __init__(self, services: Services) -> None:
        self._services = services
        self._names = services.dictionary
        self._private_creator: str = services.settings["DefaultPrivateCreator"]

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Create and store; the answer is that of an upload, or names the new series."""
        body = parse_create_body(read_parsed_body(req))
        origin = origin_of(req)
        with self._services.memory.reserve(0) as memory:
            answer_json(req, resp, self._created(body, origin, memory))

    def _created(self, body: dict[str, Any], origin: Origin, memory: Reservation) -> dict[str, Any]:
        if "Tags" not in body:
            draft = self._legacy(body, memory)
        else:
            draft = self._draft(body, memory)
            content = body.get("Content", [])
            encapsulated = content != [] and _encapsulate(body)
            if isinstance(content, list) and content:
                if encapsulated:
                    raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
                return self._series(draft, content, origin)
            if content != []:
                (draft.encapsulate if encapsulated else draft.embed)(_uri(content))
        return stored_json(self._services.storage.store(draft.to_bytes(), origin))

    def _default_charset(self) -> Charset:
        """Return the character set of ``DefaultEncoding``, which a client may change."""
        return by_name(self._services.settings["DefaultEncoding"]) or LATIN1

    def _draft(self, body: dict[str, Any], memory: Reservation) -> Draft:
        """Return the draft of a body in the current format, its tags set."""
        tags = _field(body, "Tags", dict, {})
        charset = charset_of_tags(tags, self._default_charset())
        data_set: DataSet = {}
        level = None
        if "Parent" in body:
            level, data_set, charset = self._inherited(body["Parent"])
        force = _field(body, "Force", bool, False)
        decode_binary = _field(body, "InterpretBinaryTags", bool, True)
        creator = _field(body, "PrivateCreator", str, self._private_creator)
        data_set = {
            **fresh_identifiers(self._services.identifiers, level),
            **generated_tags(self._services.clock.now(), charset, level),
            **data_set,
        }
        draft = Draft(JsonValues(self._names, charset, creator, decode_binary), data_set, memory, force=force)
        draft.apply(tags)
        return draft

    def _inherited(self, parent: Any) -> tuple[Level, DataSet, Charset]:
        """Return the level of the parent, what one instance below it hands down, and its character set."""
        if isinstance(parent, (list, dict)):
            raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
        storage = self._services.storage
        level = storage.find_level(parent) if isinstance(parent, str) else None
        if level is None:
            raise OrthancError(ErrorCode.CREATE_DICOM_BAD_PARENT)
        if level is Level.INSTANCE:
            raise OrthancError(ErrorCode.CREATE_DICOM_PARENT_IS_INSTANCE)
        instances = storage.descendants(parent, Level.INSTANCE)
        if not instances:
            raise OrthancError(ErrorCode.CREATE_DICOM_BAD_PARENT)
        header = storage.read_dicom_header(instances[0])
        model = read_file(header, self._names, skip_pixel_data=True, memory=self._services.memory).data_set
        return level, *inherited(model, level, self._default_charset())

    def _legacy(self, body: dict[str, Any], memory: Reservation) -> Draft:
        """Return the draft of a body of the first versions: tags with text, and ``PixelData``."""
        values = JsonValues(self._names, self._default_charset(), "", False)
        draft = Draft(values, fresh_identifiers(self._services.identifiers), memory)
        draft.apply_legacy(body)
        return draft

    def _series(self, draft: Draft, contents: list[Any], origin: Origin) -> dict[str, Any]:
        """Store the instances of one series, all or none; return the answer."""
        files = self._files(draft, contents)
        stored = self._services.storage.store_all(files, origin)
        series = stored[-1].series
        return {"ID": series, "Path": f"/series/{series}", "Status": "Success"}

    def _files(self, draft: Draft, contents: list[Any]) -> Iterator[bytes]:
        for index, item in enumerate(contents):
            if index == 1:
                _check_what_is_common(draft, contents)
            try:
                with self._services.memory.reserve(0) as memory:
                    yield self._file(draft.copy(memory), item, index + 1, len(contents))
            except OrthancError as error:
                if index or error.status == _UNAVAILABLE:
                    raise
                raise unknown_resource() from error  # the real server hides why the first one failed

    def _file(self, draft: Draft, item: Any, number: int, count: int) -> bytes:
        content = item
        if isinstance(item, dict):
            if "Content" not in item:
                raise OrthancError(ErrorCode.CREATE_DICOM_NO_PAYLOAD)
            content = item["Content"]
            tags = item.get("Tags", {})
            if not isinstance(tags, dict):
                raise OrthancError(ErrorCode.BAD_REQUEST, "Tags field is not an array")
            draft.apply(tags)
        draft.embed(_uri(content))
        draft.data_set.update(series_tags(number, count))
        draft.data_set.update(fresh_identifiers(self._services.identifiers, Level.SERIES))
        return draft.to_bytes()


def _field(body: dict[str, Any], name: str, kind: type, default: Any) -> Any:
    value = body.get(name, default)
    if not isinstance(value, kind):
        raise OrthancError(ErrorCode.BAD_REQUEST)
    return value


def _encapsulate(body: dict[str, Any]) -> bool:
    value = body.get("Encapsulate", False)
    if value is not None and not isinstance(value, (bool, int, float)):
        raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
    return bool(value)


def _check_what_is_common(draft: Draft, contents: list[Any]) -> None:
    """Refuse a series whose tags take too much: a request of 500 kB could ask for 500 MB.

    Raises
    ------
    OrthancError
        8 if they do.
    """
    size = len(draft.to_bytes()) * len(contents)
    if size > max(_MOST_TAGS, _TAGS_TO_CONTENTS * sum(map(_length, contents))):
        details = f"The tags that the {len(contents)} instances have in common would take {size >> 20} MB"
        raise OrthancError(ErrorCode.BAD_REQUEST, f"{details}: create them in several requests")


def _length(item: Any) -> int:
    """Return the length of the content of an item, if it has any."""
    content = item.get("Content") if isinstance(item, dict) else item
    return len(content) if isinstance(content, (str, memoryview)) else 0


def _uri(content: Any) -> str | memoryview:
    if not isinstance(content, (str, memoryview)):
        raise OrthancError(ErrorCode.CREATE_DICOM_USE_DATA_URI_SCHEME)
    return content


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (("/tools/create-dicom", CreateDicom),)
