"""How long requests take, as metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orthanc_lab.network.services import NetworkServices

__all__ = ["measured"]


@contextmanager
def measured(services: NetworkServices, metric: str) -> Iterator[None]:
    """Record the duration of a block in whole milliseconds, whether it fails or not."""
    begin = services.clock.monotonic()
    try:
        yield
    finally:
        services.metrics.record(metric, int((services.clock.monotonic() - begin) * 1000))
