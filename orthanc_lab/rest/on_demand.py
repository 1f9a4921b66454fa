"""Resources whose modules are imported with the first request.

numpy and Pillow take 70 ms and 20 MB; a server that shows no picture starts without them.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import falcon

from orthanc_lab.rest.services import Services

__all__ = ["OnDemand", "on_demand"]


def on_demand(module: str, maker: str) -> Callable[[Services], OnDemand]:
    """Return what makes the resource that the name `maker` of a module makes, when it is asked for."""
    return partial(OnDemand, module=module, maker=maker)


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
