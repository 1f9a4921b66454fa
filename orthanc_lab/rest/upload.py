"""Uploads: a DICOM file, a ZIP archive or a form (POST /instances)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import falcon

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.answers import answer_json
from orthanc_lab.rest.bodies import read_body
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import Origin, Stored

__all__ = ["post_instances"]


def post_instances(services: Services, req: falcon.Request, resp: falcon.Response) -> None:
    """Store what the body holds and answer with the identifiers.

    Raises
    ------
    OrthancError
        15 for a body that is no DICOM file, 21 for one without identifiers, 19 if the storage is full.
    """
    body = read_body(req)
    origin = Origin(remote_ip=req.remote_addr or "", http_username=getattr(req.context, "username", ""))
    if not body:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Received an empty DICOM file")
    if body.startswith(b"PK"):
        answer_json(req, resp, [_answer(stored) for stored in services.storage.store_all(_members(body), origin)])
    else:
        answer_json(req, resp, _answer(services.storage.store(body, origin)))


def _answer(stored: Stored) -> dict[str, Any]:
    return {
        "ID": stored.instance,
        "ParentPatient": stored.patient,
        "ParentSeries": stored.series,
        "ParentStudy": stored.study,
        "Path": f"/instances/{stored.instance}",
        "Status": stored.status.value,
    }


def _members(body: bytes) -> Iterator[bytes]:
    try:
        archive = zipfile.ZipFile(BytesIO(body))
    except zipfile.BadZipFile as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Cannot open ZIP archive from memory buffer") from error
    with archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield archive.read(member)
