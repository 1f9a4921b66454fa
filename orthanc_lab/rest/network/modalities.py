"""Other DICOM nodes: ``/modalities``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.dimse.conformance import conformance_statement
from orthanc_lab.dimse.modality import Modality, read_modality
from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_empty_object, answer_json, answer_nothing, answer_text
from orthanc_lab.rest.http.arguments import flag, query_arguments
from orthanc_lab.rest.http.bodies import boolean_field, read_json
from orthanc_lab.rest.network.modality_bodies import timeout_field
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]

_NO_JSON = "Cannot parse the JSON body"
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
        body = read_json(req, details=_NO_JSON, optional=True)
        _answer_echo(req, resp, self._services, self._modalities.get(name), body)


class DicomEcho(_ModalityResource):
    """Asking a node that the body describes whether it is there."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Send a C-ECHO."""
        body = read_json(req, details=_NO_JSON)
        _answer_echo(req, resp, self._services, read_modality(body), body)


def _answer_echo(req: falcon.Request, resp: falcon.Response, services: Services, modality: Modality, body: Any) -> None:
    # It loads pynetdicom, which most servers never need.
    with needs_pynetdicom():
        from orthanc_lab.dimse.echo import EchoRefused, echo  # noqa: PLC0415

    fields = body if isinstance(body, dict) else {}
    timeout = timeout_field(fields)
    check_find = boolean_field(fields, "CheckFind", services.dicom.echo_checks_find)
    try:
        echo(modality, services.dicom, timeout=timeout, check_find=check_find)
    except EchoRefused as error:
        raise EmptyAnswer(500) from error
    answer_empty_object(req, resp)


class DicomConformance:
    """What the server can do as a DICOM node."""

    def __init__(self, services: Services) -> None:
        pass

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the conformance statement."""
        answer_text(resp, conformance_statement())


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/modalities", ModalitiesList),
    ("/modalities/{name}", ModalityResource),
    ("/modalities/{name}/configuration", ModalityConfiguration),
    ("/modalities/{name}/echo", ModalityEcho),
    ("/tools/dicom-echo", DicomEcho),
    ("/tools/dicom-conformance", DicomConformance),
)
