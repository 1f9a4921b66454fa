"""Somebody who changes what another one has just read: between two requests, as often as wanted."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

if TYPE_CHECKING:
    from orthanc_lab.rest.services import Services
    from orthanc_lab.server.environment import Environment

__all__ = ["Rival"]


class Rival:
    """Adds to the number at an address right after it was read; `orthanc_lab.serve` takes it as its faults.

    Attributes
    ----------
    path
        The address, without the server.
    left
        How often it does so, still.
    """

    def __init__(self) -> None:
        self.path = ""
        self.left = 0

    def around(self, environment: Environment) -> Environment:
        """Return an environment in which it is at work."""
        return replace(environment, application=self._beside)

    def _beside(self, application: WSGIApplication, services: Services) -> WSGIApplication:
        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            is_reading = environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"] == self.path
            if not is_reading or self.left == 0:
                return application(environ, start)
            self.left -= 1
            found: dict[str, str] = {}

            def noted(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
                found.update((name.lower(), value) for name, value in headers)
                return start(status, headers)

            body = b"".join(application(environ, noted))
            number = str(int(body) + 10).encode()
            change = {
                **environ,
                "REQUEST_METHOD": "PUT",
                "HTTP_IF_MATCH": found.get("etag", ""),
                "CONTENT_LENGTH": str(len(number)),
                "wsgi.input": io.BytesIO(number),
            }
            b"".join(application(change, lambda status, headers, error=None: lambda data: None))
            return [body]

        return answer
