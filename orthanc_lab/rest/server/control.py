"""What a client may do to the server itself: restart it, stop it, run scripts in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orthanc_lab.rest.http.answers import EmptyAnswer, answer_empty_object
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]


class ExecuteScript:
    """Lua scripts: never run here."""

    def __init__(self, services: Services) -> None:
        pass

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 403/empty, as Orthanc does unless ``ExecuteLuaEnabled``."""
        raise EmptyAnswer(403)


class Reset:
    """A new start with the configuration read again."""

    def __init__(self, services: Services) -> None:
        self._control = services.control

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer at once, then start again."""
        self._control.reset()
        answer_empty_object(req, resp)


class Shutdown:
    """The end of the server."""

    def __init__(self, services: Services) -> None:
        self._control = services.control

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer at once, then stop."""
        self._control.shutdown()
        answer_empty_object(req, resp)


ROUTES: Sequence[tuple[str, type]] = (
    ("/tools/execute-script", ExecuteScript),
    ("/tools/reset", Reset),
    ("/tools/shutdown", Shutdown),
)
