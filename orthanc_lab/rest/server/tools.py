"""The smaller tools: their list, the time, fresh identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_nothing, answer_text
from orthanc_lab.rest.http.arguments import query_arguments
from orthanc_lab.rest.routing import Directory
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]


class Now:
    """The time of day in UTC."""

    def __init__(self, services: Services) -> None:
        self._clock = services.clock

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer ``20261124T054114``."""
        answer_text(resp, iso_seconds(self._clock.now()))


class NowLocal(Now):
    """The time of day where the server is."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer ``20261124T064114``."""
        answer_text(resp, iso_seconds(self._clock.now().astimezone()))


class GenerateUid:
    """A fresh identifier for a new patient, study, series or instance."""

    def __init__(self, services: Services) -> None:
        self._identifiers = services.identifiers

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer a UID, or a UUID for a patient; 404/empty for any other ``level``."""
        level = query_arguments(req).get("level")
        if level == "patient":
            answer_text(resp, self._identifiers.uuid())
        elif level in ("study", "series", "instance"):
            answer_text(resp, self._identifiers.uid())
        else:
            raise EmptyAnswer(404)


class InvalidateTags:
    """Forgets the tags that were read from files: there is nothing to forget, since none are kept here."""

    writes = ("POST",)

    def __init__(self, services: Services) -> None:
        pass

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200."""
        answer_nothing(resp)


ROUTES: Sequence[tuple[str, type]] = (
    ("/tools", Directory),
    ("/tools/now", Now),
    ("/tools/now-local", NowLocal),
    ("/tools/generate-uid", GenerateUid),
    ("/tools/invalidate-tags", InvalidateTags),
)
