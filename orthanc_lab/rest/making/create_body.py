"""The body of ``/tools/create-dicom``: JSON in which one text makes up nearly everything.

Pictures and documents of many megabytes are taken out before the rest is read as JSON, and stay
where they are in the body until they are decoded: half of the time goes otherwise into copies.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["parse_create_body"]

_LARGE = 64 * 1024  # bytes of a text worth taking out
_DATA_URI = b'"data:'
_CANDIDATES = 10_000  # texts looked at; those beyond are read like the rest
_MARK = secrets.token_hex(16)  # no text of a client's stands for one that was taken out


def parse_create_body(data: bytes) -> dict[str, Any]:
    """Return the body as a JSON object; a large ``Content`` is a view of its bytes in place of a text.

    Raises
    ------
    OrthancError
        8 for anything else than an object.
    """
    rest, taken = _take_out(data)
    body = _parse(rest)
    if taken and _put_back(body, taken) < len(taken):
        body = _parse(data)  # a large text elsewhere, in a tag
    if not isinstance(body, dict):
        raise OrthancError(ErrorCode.BAD_REQUEST)
    return body


def _take_out(data: bytes) -> tuple[bytes, dict[str, memoryview]]:
    """Return the body with marks in place of large data URIs, and the data URIs by mark."""
    pieces: list[bytes] = []
    taken: dict[str, memoryview] = {}
    done = position = 0
    for _ in range(_CANDIDATES):
        if len(data) - position <= _LARGE or (start := data.find(_DATA_URI, position)) < 0:
            break
        end = position = data.find(b'"', start + 1)
        if end < 0:
            break
        if end - start > _LARGE and data[start - 1 : start] != b"\\" and data.find(b"\\", start, end) < 0:
            mark = f"{_MARK}{len(taken)}"
            taken[mark] = memoryview(data)[start + 1 : end]
            pieces += (data[done : start + 1], mark.encode())
            done = end
    return b"".join((*pieces, data[done:])) if taken else data, taken


def _put_back(body: Any, taken: Mapping[str, memoryview]) -> int:
    """Put the texts back where the content of instances stands; return how many found their place."""
    if not isinstance(body, dict):
        return 0
    contents = body.get("Content")
    holders: list[tuple[Any, Any]] = [(body, "Content")]
    if isinstance(contents, list):
        holders = [(contents, index) for index in range(len(contents))]
        holders += [(item, "Content") for item in contents if isinstance(item, dict)]
    count = 0
    for holder, key in holders:
        text = holder[key] if isinstance(key, int) else holder.get(key)
        if isinstance(text, str) and text in taken:
            holder[key] = taken[text]
            count += 1
    return count


def _parse(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass  # comments and the like
    try:
        body = lenient_json.loads(data)
        orjson.dumps(body)  # refuses half a surrogate pair, which is not text
    except (OrthancError, TypeError) as error:
        raise OrthancError(ErrorCode.BAD_REQUEST) from error
    return body
