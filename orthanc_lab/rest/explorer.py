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
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "application/javascript; charset=utf-8",
    ".ico": "image/x-icon",
}
_ICON = "images/favicon.ico"


class PageFile:
    """One file of the page."""

    def __init__(self, services: Services) -> None:
        files = {item.name: item for item in _FOLDER.iterdir() if item.suffix in _TYPES}
        files[_ICON] = files.pop("favicon.ico")  # its address in Orthanc
        self._files = files

    def on_get(self, req: falcon.Request, resp: falcon.Response, file: str = "") -> None:
        """Answer the file; its name is looked up in a table, so that no path leads out of the folder."""
        found = self._files.get(file)
        if found is None:
            raise EmptyAnswer(404)
        resp.content_type = _TYPES[found.suffix]
        resp.set_header("Cache-Control", "no-cache")
        resp.set_headers(_FRAMES)
        resp.data = found.read_bytes()


class Icon:
    """What browsers ask for beside any page or picture that they show."""

    def __init__(self, services: Services) -> None:
        pass

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Redirect to the icon of the page."""
        resp.status = 307
        resp.set_header("Location", f"app/{_ICON}")


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/app", PageFile),
    ("/app/{file:path}", PageFile),
    ("/favicon.ico", Icon),
)
