"""Metrics for Prometheus: ``/tools/metrics-prometheus``, ``/tools/metrics``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orthanc_lab.rest.http.answers import answer_nothing, answer_text
from orthanc_lab.rest.http.bodies import read_boolean
from orthanc_lab.rest.http.plain_answers import PlainAnswer
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "MetricsExposition", "MetricsSwitch"]

_EXPOSITION = "text/plain; version=0.0.4"


class MetricsExposition:
    """What Prometheus scrapes: text format 0.0.4, one bare line a metric."""

    def __init__(self, services: Services) -> None:
        self._metrics = services.metrics

    def on_plain_get(self) -> PlainAnswer:
        """Return what `on_get` answers."""
        return PlainAnswer(_EXPOSITION, self._metrics.exposition().encode())

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the exposition; an empty one while metrics are off."""
        answer_text(resp, self._metrics.exposition())
        resp.content_type = _EXPOSITION


class MetricsSwitch:
    """Whether metrics are recorded."""

    def __init__(self, services: Services) -> None:
        self._metrics = services.metrics

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer ``1`` or ``0``."""
        answer_text(resp, "1" if self._metrics.enabled else "0")

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Switch recording on or off; the values recorded so far are kept."""
        self._metrics.enabled = read_boolean(req)
        answer_nothing(resp)


ROUTES: Sequence[tuple[str, type]] = (
    ("/tools/metrics", MetricsSwitch),
    ("/tools/metrics-prometheus", MetricsExposition),
)
