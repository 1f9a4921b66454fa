"""How much the server logs: ``/tools/log-level``, and one more for each category."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.verbosity import CATEGORIES, VERBOSITIES, set_verbosity, verbosity_of
from orthanc_lab.rest.http.answers import answer_nothing, answer_text
from orthanc_lab.rest.http.bodies import read_body
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "LogLevel"]


class LogLevel:
    """The verbosity of one category of logs, or of all."""

    def __init__(self, services: Services, category: str | None = None) -> None:
        self._category = category

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer ``default``, ``verbose`` or ``trace``."""
        answer_text(resp, verbosity_of(self._category))

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Set the verbosity."""
        verbosity = read_body(req).decode("utf-8", "replace")
        if verbosity not in VERBOSITIES:
            details = f'Verbosity can be "default", "verbose" or "trace": {verbosity}'
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
        set_verbosity(verbosity, self._category)
        answer_nothing(resp)


ROUTES: Sequence[tuple[str, Callable[[Services], Any]]] = (
    ("/tools/log-level", LogLevel),
    *((f"/tools/log-level-{category}", partial(LogLevel, category=category)) for category in CATEGORIES),
)
