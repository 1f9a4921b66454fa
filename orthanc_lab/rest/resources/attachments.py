"""Attachments of a resource: ``/{level}/{id}/attachments``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.rest.http.answers import (
    EmptyAnswer,
    answer_empty_object,
    answer_json,
    answer_nothing,
    answer_text,
    unknown_resource,
)
from orthanc_lab.rest.http.arguments import query_arguments
from orthanc_lab.rest.http.bodies import read_body
from orthanc_lab.rest.http.byte_range import parse_range
from orthanc_lab.rest.http.download_name import name_download
from orthanc_lab.rest.http.revisions import (
    answer_if_none_match,
    check_if_match,
    md5_hex,
    parse_if_match,
    require_if_match,
    set_etag,
)
from orthanc_lab.rest.resources.numbered_names import attachment_names, content_type_of
from orthanc_lab.rest.resources.part_of_resource import PartOfResource, check_user_defined
from orthanc_lab.rest.resources.resource_json import attachment_json
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import Attachment

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "AttachmentData", "AttachmentFact", "AttachmentList", "AttachmentTask", "OneAttachment"]

_OPERATIONS = (
    "compress",
    "compressed-data",
    "compressed-md5",
    "compressed-size",
    "data",
    "info",
    "is-compressed",
    "md5",
    "size",
    "uncompress",
    "verify-md5",
)


class AttachmentList(PartOfResource):
    """The attachments of one resource."""

    def __init__(self, services: Services, level: Level) -> None:
        super().__init__(services, level)
        self._names = attachment_names(services.settings["UserContentType"])

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the names, or with ``full`` the names and numbers."""
        numbers = sorted(self._resource(id).attachments)
        if "full" in query_arguments(req):
            answer_json(req, resp, {self._names.name(number): number for number in numbers})
        else:
            answer_json(req, resp, [self._names.name(number) for number in numbers])


class _Attachments(PartOfResource):
    """What the resources for one attachment share."""

    def __init__(self, services: Services, level: Level) -> None:
        super().__init__(services, level)
        self._user_types: dict[str, Any] = services.settings["UserContentType"]
        self._names = attachment_names(self._user_types)
        self._check_revisions = bool(services.settings["CheckRevisions"])

    def _find(self, id: str, number: int, *, of_any_level: bool = False) -> Attachment | None:
        return self._resource(id, of_any_level=of_any_level).attachments.get(number)

    def _get(self, id: str, name: str) -> Attachment:
        attachment = self._find(id, self._names.number(name))
        if attachment is None:
            raise unknown_resource()
        return attachment

    def _writable(self, name: str) -> int:
        number = self._names.number(name)
        check_user_defined(number)
        return number


class OneAttachment(_Attachments):
    """One attachment; the level in the path is not checked on writing, as in Orthanc."""

    writes = ("PUT", "DELETE")

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Answer what can be asked of it: nothing about its MD5 with ``StoreMD5ForAttachments`` off."""
        attachment = self._get(id, name)
        md5 = attachment.uncompressed_md5
        answer_if_none_match(req, resp, md5, attachment.revision)
        answer_json(req, resp, [operation for operation in _OPERATIONS if md5 or "md5" not in operation])

    def on_put(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Write or replace a user-defined attachment; the body is its content."""
        number = self._writable(name)
        body = read_body(req)
        check = _check(req, required=self._check_revisions)
        if self._storage.find_level(id) is None:
            raise OrthancError(ErrorCode.INEXISTENT_ITEM)
        set_etag(resp, md5_hex(body), self._storage.put_attachment(id, number, body, check).revision)
        answer_empty_object(req, resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Delete a user-defined attachment; 404 if it does not exist."""
        number = self._writable(name)
        if self._check_revisions:
            require_if_match(req)
        if not self._storage.delete_attachment(id, number, _check(req, required=False)):
            raise unknown_resource()
        answer_nothing(resp)


def _check(req: falcon.Request, *, required: bool) -> Callable[[Attachment | None], None]:
    """Return what refuses to change an attachment that the client has not read."""
    known = parse_if_match(req)

    def check(current: Attachment | None) -> None:
        md5, revision = (None, 0) if current is None else (current.uncompressed_md5, current.revision)
        check_if_match(known, md5, revision, required=required)

    return check


class AttachmentFact(_Attachments):
    """One fact about an attachment: its size, its MD5 …, or all of them."""

    def __init__(self, services: Services, level: Level, fact: Callable[[Attachment], str] | None) -> None:
        super().__init__(services, level)
        self._fact = fact

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Answer what the path asks about the file, as text; ``info`` answers all of it as JSON."""
        attachment = self._get(id, name)
        answer_if_none_match(req, resp, attachment.uncompressed_md5, attachment.revision)
        if self._fact is None:
            answer_json(req, resp, attachment_json(attachment))
            return
        fact = self._fact(attachment)
        if not fact:  # an MD5, with StoreMD5ForAttachments off
            raise EmptyAnswer(404)
        answer_text(resp, fact)


class AttachmentData(_Attachments):
    """The content of an attachment, whole or in parts."""

    def __init__(self, services: Services, level: Level, *, raw: bool) -> None:
        super().__init__(services, level)
        self._raw = raw

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Answer the bytes, or those that ``Range`` asks for; ``filename`` names the download."""
        header = req.get_header("Range")
        wanted = None if header is None else parse_range(header)
        attachment = self._get(id, name)
        answer_if_none_match(req, resp, attachment.uncompressed_md5, attachment.revision)
        content = self._storage.read_attachment(attachment, of=id, raw=self._raw)
        resp.content_type = "application/octet-stream"
        if wanted is not None:
            if self._raw and attachment.compressed and wanted.last is None and (wanted.first or 0) > len(content):
                raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
            first, last = wanted.within(len(content))
            resp.status = HTTPStatus.PARTIAL_CONTENT
            resp.set_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            content = content[first : last + 1]
        elif not (self._raw and attachment.compressed):
            resp.content_type = content_type_of(attachment.type, self._user_types)
            filename = query_arguments(req).get("filename", attachment.uuid)
            if filename:
                name_download(resp, filename, is_raw=True)
        resp.data = content


class AttachmentTask(_Attachments):
    """Something done to an attachment on disk: compression, or a check of its bytes."""

    def __init__(self, services: Services, level: Level, compressed: bool | None) -> None:
        super().__init__(services, level)
        self._compressed = compressed
        self.writes = () if compressed is None else ("POST",)

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str, name: str) -> None:
        """Compress the file, uncompress it, or check that its bytes are those that were written, as the path asks."""
        number = self._names.number(name)
        attachment = self._find(id, number)
        if self._compressed is not None:
            if attachment is None:
                raise unknown_resource()
            self._storage.compress_attachment(id, number, self._compressed)
        elif attachment is None or not attachment.uncompressed_md5:
            raise EmptyAnswer(400)  # there is nothing to compare with
        else:
            self._verify(id, attachment)
        answer_empty_object(req, resp)

    def _verify(self, id: str, attachment: Attachment) -> None:
        for raw, expected in ((True, attachment.compressed_md5), (False, attachment.uncompressed_md5)):
            if md5_hex(self._storage.read_attachment(attachment, of=id, raw=raw, fresh=True)) != expected:
                raise OrthancError(ErrorCode.CORRUPTED_FILE)


_FACTS: dict[str, Callable[[Attachment], str] | None] = {
    "compressed-md5": lambda attachment: attachment.compressed_md5,
    "compressed-size": lambda attachment: str(attachment.compressed_size),
    "info": None,
    "is-compressed": lambda attachment: "1" if attachment.compressed else "0",
    "md5": lambda attachment: attachment.uncompressed_md5,
    "size": lambda attachment: str(attachment.uncompressed_size),
}
_TASKS = {"compress": True, "uncompress": False, "verify-md5": None}


def _routes() -> Iterator[tuple[str, Callable[[Services], Any]]]:
    for level in LEVELS:
        uri = f"/{level.plural}/{{id}}/attachments"
        yield uri, partial(AttachmentList, level=level)
        yield f"{uri}/{{name}}", partial(OneAttachment, level=level)
        yield f"{uri}/{{name}}/data", partial(AttachmentData, level=level, raw=False)
        yield f"{uri}/{{name}}/compressed-data", partial(AttachmentData, level=level, raw=True)
        for operation, fact in _FACTS.items():
            yield f"{uri}/{{name}}/{operation}", partial(AttachmentFact, level=level, fact=fact)
        for operation, compressed in _TASKS.items():
            yield f"{uri}/{{name}}/{operation}", partial(AttachmentTask, level=level, compressed=compressed)


ROUTES: Sequence[tuple[str, Callable[[Services], Any]]] = tuple(_routes())
