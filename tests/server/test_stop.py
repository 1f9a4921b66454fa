"""Stopping at awkward moments: right after the start, in the middle of a reset, twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import requests

import orthanc_lab
from orthanc_lab.server.http.server import HttpServer


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"here"]


def ends_within(seconds: float, action: Callable[[], None]) -> bool:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def test_refusing_and_stopping_right_after_the_start() -> None:
    def start_and_stop() -> None:
        for _ in range(50):
            server = HttpServer(application)
            server.start()
            server.refuse()
            server.stop()

    assert ends_within(30, start_and_stop)


def test_stopping_in_the_middle_of_a_reset() -> None:
    def reset_and_stop() -> None:
        for _ in range(10):
            with orthanc_lab.serve() as server:
                assert requests.post(f"{server.url}/tools/reset", data=b"", timeout=10).status_code == 200

    assert ends_within(60, reset_and_stop)
