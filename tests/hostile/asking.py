"""A request to a server, and what a refusal has to look like."""

from __future__ import annotations

from typing import Any

import requests

import orthanc_lab
from orthanc_lab.protocol.errors import ERROR_TEXTS

SECONDS = 30  # a request that takes longer counts as a stall


def ask(
    server: orthanc_lab.ChildServer, method: str, path: str, *, seconds: float = SECONDS, **options: Any
) -> requests.Response:
    return server.session.request(method, server.url + path, timeout=seconds, **options)


def refusal(answer: requests.Response) -> tuple[int, int]:
    """Return HTTP status and code of Orthanc of a refusal in the one form of errors."""
    assert "Traceback" not in answer.text
    error = answer.json()
    assert error["OrthancStatus"] in ERROR_TEXTS
    assert error["HttpStatus"] == answer.status_code
    return answer.status_code, error["OrthancStatus"]


def count(server: orthanc_lab.ChildServer) -> int:
    number: int = ask(server, "GET", "/statistics").json()["CountInstances"]
    return number
