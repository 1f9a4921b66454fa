"""Uploads: a DICOM file or a ZIP archive (POST /instances)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.http.answers import answer_json
from orthanc_lab.rest.http.origin import origin_of
from orthanc_lab.rest.making.upload_gzip import gunzipped
from orthanc_lab.rest.making.upload_zip import is_zip, members_of
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import Origin, Stored

if TYPE_CHECKING:
    import falcon

__all__ = ["post_instances", "store_upload", "stored_json"]


def post_instances(services: Services, req: falcon.Request, resp: falcon.Response) -> None:
    """Store what the body holds and answer with the identifiers.

    Raises
    ------
    OrthancError
        15 for a body that is not a DICOM file, 21 for one without identifiers, 19 if the storage is full.
    """
    body: bytes = req.stream.read() if req.content_length is None else req.bounded_stream.read()
    origin = origin_of(req, _username(req))
    if (req.get_header("Content-Encoding") or "").lower() == "gzip" and body and not is_zip(body):
        with gunzipped(body, services.upload_limits, services.memory) as content:
            stored: Stored | list[Stored] = services.storage.store(content, origin)
    else:
        stored = store_upload(services, body, origin)
    answer_json(req, resp, [stored_json(one) for one in stored] if isinstance(stored, list) else stored_json(stored))


def store_upload(services: Services, content: bytes, origin: Origin) -> Stored | list[Stored]:
    """Store a DICOM file, or those in a ZIP archive.

    Raises
    ------
    OrthancError
        As `post_instances`.
    """
    if not content:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Received an empty DICOM file")
    if is_zip(content):
        members = members_of(content, services.upload_limits, services.executor, services.memory)
        return services.storage.store_all(members, origin, skip_foreign=True)
    return services.storage.store(content, origin)


def stored_json(stored: Stored) -> dict[str, Any]:
    """Return the answer to an upload of one instance."""
    return {
        "ID": stored.instance,
        "ParentPatient": stored.patient,
        "ParentSeries": stored.series,
        "ParentStudy": stored.study,
        "Path": f"/instances/{stored.instance}",
        "Status": stored.status.value,
    }


def _username(req: falcon.Request) -> str:
    """Return the name of the user, which a client may also send without being asked for it."""
    known: str = getattr(req.context, "username", "")
    credentials = req.get_header("Authorization") or ""
    if known or credentials[:6].lower() != "basic ":
        return known
    try:
        return base64.b64decode(credentials[6:], validate=True).partition(b":")[0].decode("utf-8", "replace")
    except ValueError:  # also letters that are not ASCII
        return ""
