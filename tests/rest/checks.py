"""What the tests of answers look for."""

from __future__ import annotations

import requests


def error_of(answer: requests.Response) -> tuple[int, int, str]:
    """Return HTTP status, OrthancStatus and Details of the JSON error object."""
    assert answer.headers["Content-Type"] == "text/plain"
    document = answer.json()
    assert document["HttpStatus"] == answer.status_code
    return answer.status_code, document["OrthancStatus"], document.get("Details", "")


def is_empty(answer: requests.Response, status: int) -> bool:
    """Tell whether the answer is a status alone."""
    return answer.status_code == status and answer.content == b"" and "Content-Type" not in answer.headers


def is_nothing(answer: requests.Response) -> bool:
    """Tell whether the answer is that of a successful PUT or DELETE."""
    return answer.status_code == 200 and answer.content == b"" and answer.headers["Content-Type"] == "text/plain"
