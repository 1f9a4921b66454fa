"""``/instances/{id}/file``, ``/pdf`` and ``/export``: what an instance holds, as a file."""

from __future__ import annotations

import hashlib
import os
import select
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.dicom.dictionary.tags import (
    ENCAPSULATED_DOCUMENT,
    ENCAPSULATED_DOCUMENT_LENGTH,
    MIME_TYPE_OF_ENCAPSULATED_DOCUMENT,
    SOP_CLASS_UID,
)
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.images.image_description import text_of
from orthanc_lab.dicom.shown.dicomweb import dicom_json, dicom_xml, has_many_values
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import SeededIdentifiers
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_empty_object
from orthanc_lab.rest.http.bodies import read_body
from orthanc_lab.rest.http.download_name import name_download
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.making.archive_options import ArchiveOptions, options_of_query, quality_of_query, raw_arguments
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "DicomDownload", "Export", "Pdf"]

_JSON, _XML = "application/dicom+json", "application/dicom+xml"
_ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_PATIENCE = 10.0  # seconds, for the reader of a pipe


class DicomDownload:
    """The DICOM file."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)
        self._dictionary = services.dictionary
        self._tools = services.job_tools
        self._quality: int = services.settings["DicomLossyTranscodingQuality"]

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the file as it was stored, or in the transfer syntax ``transcode``; 404/empty if that is impossible.

        A client that asks for ``application/dicom+json`` or ``application/dicom+xml`` gets the data set.
        """
        media_type = req.get_header("Accept")  # with nothing beside it, as in Orthanc
        if media_type in (_JSON, _XML):
            self._answer_data_set(resp, id, media_type)
            return
        arguments = raw_arguments(req) if req.query_string else {}
        if "transcode" in arguments:
            quality_of_query(arguments)  # Orthanc refuses it before it looks for the instance, archives do after that
        dicom = self._files.dicom(id)
        if arguments:
            options = options_of_query(arguments, ArchiveOptions(f"{id}.dcm", quality=self._quality))
            name = options.filename
            if options.transcode is not None:
                dicom = self._transcoded(dicom, options.transcode, options.quality)
        else:
            name = f"{id}.dcm"
        resp.content_type = "application/dicom"
        if name:
            name_download(resp, name, is_raw=True)
        resp.data = dicom

    def _answer_data_set(self, resp: falcon.Response, id: str, media_type: str) -> None:
        file = self._files.whole(id)
        show = dicom_xml if media_type == _XML else dicom_json
        pieces = map(str.encode, show(file, self._files.dictionary, self._files.default_encoding))
        resp.content_type = media_type
        if has_many_values(file):
            resp.stream = pieces
        else:
            resp.data = b"".join(pieces)

    def _transcoded(self, dicom: bytes, syntax: str, quality: int) -> bytes:
        # Who asks again gets the file of before, though a lossy one has an identifier of its own.
        digest = hashlib.blake2b(dicom, key=f"{syntax}:{quality}".encode(), digest_size=16).digest()
        found = transcode(
            dicom,
            syntax,
            self._dictionary,
            quality=quality,
            identifiers=SeededIdentifiers(int.from_bytes(digest)),
            turn=self._tools.transcoding,
        )
        if found is None:
            raise EmptyAnswer(404)
        return found


class Pdf:
    """The PDF of an encapsulated document."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the document as it was embedded; 404/empty if there is none."""
        document = _pdf_of(self._files.whole(id).data_set)
        if document is None:
            raise EmptyAnswer(404)
        resp.content_type = "application/pdf"
        resp.data = document


class Export:
    """Writing the file into a folder of the server, where ``RestApiWriteToFileSystemEnabled`` allows it."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)
        self._allowed: bool = services.settings["RestApiWriteToFileSystemEnabled"]

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Write the file to the path in the body.

        Raises
        ------
        OrthancError
            14 if it cannot be written.
        """
        if not self._allowed:
            raise EmptyAnswer(403)
        path = read_body(req).decode("utf-8", "surrogateescape")
        dicom = self._files.dicom(id)
        try:
            _write(path, dicom)
        except (OSError, ValueError) as error:
            raise OrthancError(ErrorCode.CANNOT_WRITE_FILE) from error
        answer_empty_object(req, resp)


def _write(path: str, content: bytes) -> None:
    """Write a file; a pipe, too, but nobody is waited for who never takes anything out of it."""
    if path.endswith("/"):  # Python would take it for the name of a file
        raise IsADirectoryError(path)
    with open(path, "wb", buffering=0, opener=_open_at_once) as file:
        left = memoryview(content)
        while left:
            written = file.write(left)
            if written is None and not select.select([], [file], [], _PATIENCE)[1]:
                raise TimeoutError(path)
            left = left[written or 0 :]


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0), 0o666)


def _pdf_of(data_set: DataSet) -> bytes | None:
    document = data_set.get(ENCAPSULATED_DOCUMENT)
    if (
        document is None
        or not isinstance(document.value, bytes)
        or text_of(data_set, SOP_CLASS_UID) != _ENCAPSULATED_PDF
        or text_of(data_set, MIME_TYPE_OF_ENCAPSULATED_DOCUMENT) != "application/pdf"
    ):
        return None
    length = data_set.get(ENCAPSULATED_DOCUMENT_LENGTH)
    if length is not None and isinstance(length.value, bytes) and len(length.value) == 4:
        return document.value[: int.from_bytes(length.value, "little")]
    return document.value.removesuffix(b"\0")  # no PDF ends with NUL: it is the pad to an even length


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/instances/{id}/file", DicomDownload),
    ("/instances/{id}/pdf", Pdf),
    ("/instances/{id}/export", Export),
)
