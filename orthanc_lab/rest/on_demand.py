"""What is imported with the first request that needs it: the application itself, and some of its resources.

Falcon takes a sixth of the time of a start; numpy and Pillow take 70 ms and 20 MB, and many servers show no picture.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication

from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ApplicationOnDemand", "OnDemand", "on_demand"]


def on_demand(module: str, maker: str) -> Callable[[Services], OnDemand]:
    """Return what makes the resource that the name `maker` of a module makes, when it is asked for."""
    return partial(OnDemand, module=module, maker=maker)


class ApplicationOnDemand:
    """Stands for a WSGI application until the first request.

    Parameters
    ----------
    make
        Makes the application; called once.
    """

    def __init__(self, make: Callable[[], WSGIApplication]) -> None:
        self._make = make
        self._made: WSGIApplication | None = None
        self._lock = threading.Lock()

    def __call__(self, env: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on (PEP 3333)."""
        return (self._made or self.make())(env, start_response)

    def make(self) -> WSGIApplication:
        """Make the application, unless it is made already."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


class OnDemand:
    """Stands for a GET resource until the first request."""

    def __init__(self, services: Services, module: str, maker: str) -> None:
        self._services = services
        self._module, self._maker = module, maker
        self._resource: Any = None
        self._lock = threading.Lock()

    def on_get(self, req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        """Pass the request on."""
        self.resource.on_get(req, resp, **fields)

    @property
    def resource(self) -> Any:
        """The resource that this one stands for."""
        if self._resource is None:
            with self._lock:
                if self._resource is None:
                    self._resource = getattr(importlib.import_module(self._module), self._maker)(self._services)
        return self._resource
