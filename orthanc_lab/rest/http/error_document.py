"""The JSON object by which an error is answered."""

from __future__ import annotations

from typing import Any

from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError, http_status_text

__all__ = ["error_document"]


def error_document(error: OrthancError, method: str, path: str) -> str:
    """Return the JSON error object."""
    document: dict[str, Any] = {
        "HttpError": http_status_text(error.status),
        "HttpStatus": error.status,
        "Message": error.text,
        "Method": method,
        "OrthancError": error.text,
        "OrthancStatus": error.code,
        "Uri": path,
    }
    if error.details or error.code == ErrorCode.UNKNOWN_DICOM_TAG:  # which names the tag, be it an empty text
        document["Details"] = error.details.partition("\0")[0]
    return house_json.error_dumps(document)
