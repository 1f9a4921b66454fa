"""Other DICOM nodes: ``/modalities``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import falcon

from orthanc_lab.dimse.modality import Modality, read_modality
from orthanc_lab.protocol import lenient_json
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_empty_object, answer_json, answer_nothing
from orthanc_lab.rest.http.arguments import flag, query_arguments
from orthanc_lab.rest.http.bodies import read_body, read_json
from orthanc_lab.rest.services import Services

__all__ = ["ROUTES"]

_OPERATIONS = [
    "configuration",
    "echo",
    "find",
    "find-instance",
    "find-patient",
    "find-series",
    "find-study",
    "find-worklist",
    "get",
    "move",
    "query",
    "storage-commitment",
    "store",
    "store-straight",
]


class _ModalityResource:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._modalities = services.modalities

    def _echo(self, modality: Modality, fields: dict[str, Any]) -> None:
        # It loads pynetdicom, which most servers never need.
        from orthanc_lab.dimse.echo import echo  # noqa: PLC0415

        echo(modality, self._services.dicom, timeout=fields.get("Timeout"))


class ModalitiesList(_ModalityResource):
    """All nodes."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the names, or with ``?expand`` the configurations by name."""
        modalities = self._modalities.all()
        if flag(query_arguments(req), "expand"):
            answer_json(req, resp, {name: modality.configuration() for name, modality in modalities.items()})
        else:
            answer_json(req, resp, list(modalities))


class ModalityResource(_ModalityResource):
    """One node."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer the operations that the node supports."""
        if name not in self._modalities.all():
            raise EmptyAnswer(404)
        answer_json(req, resp, _OPERATIONS)

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Define a node."""
        self._modalities.put(name, read_modality(read_json(req)))
        answer_nothing(resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Forget a node."""
        self._modalities.delete(name)
        answer_nothing(resp)


class ModalityConfiguration(_ModalityResource):
    """How a node is reached, and what it may do."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer the configuration."""
        answer_json(req, resp, self._modalities.get(name).configuration())


class ModalityEcho(_ModalityResource):
    """Asking a node whether it is there."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send a C-ECHO."""
        body = read_body(req)
        self._echo(self._modalities.get(name), lenient_json.loads(body) if body else {})
        answer_empty_object(resp)


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/modalities", ModalitiesList),
    ("/modalities/{name}", ModalityResource),
    ("/modalities/{name}/configuration", ModalityConfiguration),
    ("/modalities/{name}/echo", ModalityEcho),
)
