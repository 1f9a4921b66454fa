"""GET /app/…: the small built-in page. It is plain files: no build step, no outside resource."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orthanc_lab.rest.http.answers import EmptyAnswer
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]

_FOLDER = Path(__file__).parent / "page"
# Another site must not show the page in a frame of its own, where it could guide the user's clicks.
_FRAMES = {"X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": "frame-ancestors 'self'"}
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "application/javascript"}


class PageFile:
    """One file of the page."""

    def __init__(self, services: Services) -> None:
        self._files = {item.name: item for item in _FOLDER.iterdir() if item.suffix in _TYPES}

    def on_get(self, req: falcon.Request, resp: falcon.Response, file: str = "") -> None:
        """Answer the file; its name is looked up in a table, so that no path leads out of the folder."""
        found = self._files.get(file)
        if found is None:
            raise EmptyAnswer(404)
        resp.content_type = f"{_TYPES[found.suffix]}; charset=utf-8"
        resp.set_header("Cache-Control", "no-cache")
        resp.set_headers(_FRAMES)
        resp.data = found.read_bytes()


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = [("/app", PageFile), ("/app/{file:path}", PageFile)]
