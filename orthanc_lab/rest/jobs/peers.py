"""Other Orthanc servers: ``/peers``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.jobs.kinds.sending.peer_store import PeerStoreJob, PeerStoreRequest
from orthanc_lab.peers.directory import PeerDirectory
from orthanc_lab.peers.peer import read_peer
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import is_known
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json, answer_nothing
from orthanc_lab.rest.http.arguments import flag, query_arguments
from orthanc_lab.rest.http.bodies import boolean_field, job_fields, read_body
from orthanc_lab.rest.http.submission import submit_job
from orthanc_lab.rest.jobs.store_request import instances_of, read_store_request
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

    from orthanc_lab.peers.client import PeerClient

__all__ = ["ROUTES"]

_OPERATIONS = ["configuration", "store", "store-straight", "system"]
_PASSED_ON = (400, 403, 415, 500)
_NOT_IN_A_REST_API = 2005


class _PeerResource:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._peers = PeerDirectory(services.settings, services.storage)

    def _client(self, name: str) -> PeerClient:
        # It loads an HTTP client that most servers never need.
        from orthanc_lab.peers.client import PeerClient  # noqa: PLC0415

        return PeerClient(self._peers.get(name), self._services.job_tools.http, self._services.clock)


class PeersList(_PeerResource):
    """All peers."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the names, or with ``?expand`` the configurations by name."""
        peers = self._peers.all()
        if flag(query_arguments(req), "expand"):
            answer_json(req, resp, {name: peer.configuration() for name, peer in peers.items()})
        else:
            answer_json(req, resp, list(peers))


class PeerResource(_PeerResource):
    """One peer."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer the operations that the peer supports."""
        if name not in self._peers.all():
            raise EmptyAnswer(404)
        answer_json(req, resp, _OPERATIONS)

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Define a peer."""
        try:
            definition = lenient_json.loads(read_body(req))
        except OrthancError as error:
            if error.code != ErrorCode.BAD_JSON:
                raise
            raise EmptyAnswer(404) from error
        peer = read_peer(definition)
        peer.check_files()
        self._peers.put(name, peer)
        answer_nothing(resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Forget a peer."""
        self._peers.delete(name)
        answer_nothing(resp)


class PeerConfiguration(_PeerResource):
    """How a peer is reached."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer the configuration, without secrets."""
        answer_json(req, resp, self._peers.get(name).configuration())


class PeerSystem(_PeerResource):
    """The identity of a peer, as it describes itself."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer the peer's ``/system``, as it came."""
        with self._client(name) as client:
            answer = client.get("system")
        if answer.ok:
            resp.content_type = "application/json"
            resp.data = answer.body
        elif answer.status in _PASSED_ON:
            raise EmptyAnswer(answer.status)
        else:
            raise OrthancError(_NOT_IN_A_REST_API)


class PeerStraightStore(_PeerResource):
    """Sending one DICOM file that is not in the database."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send the body; answer what the peer answers to an upload."""
        body = read_body(req)
        with self._client(name) as client:
            answer = client.post("instances", body)
        try:
            document = lenient_json.loads(answer.body) if answer.ok else None
        except OrthancError:
            document = None
        if document is None:
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, f"Cannot send DICOM to remote peer: {name}")
        answer_json(req, resp, document)


class PeerStore(_PeerResource):
    """Sending resources, by a job."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send resources to the peer."""
        storage = self._services.storage
        resources, body = read_store_request(req)
        instances = instances_of(resources, storage)
        transcode = _transfer_syntax(body)
        compressed = boolean_field(body, "Compress", False)
        peer = self._peers.get(name)
        fields = job_fields(body)
        request = PeerStoreRequest(
            peer=peer,
            instances=instances,
            parents=sorted(set(resources)),
            compressed=compressed,
            transcode=transcode,
            quality=self._services.settings["DicomLossyTranscodingQuality"],
            permissive=fields.permissive,
        )
        for resource in resources:
            storage.log_export(resource, name)
        submit_job(req, resp, self._services, fields, PeerStoreJob(self._services.job_tools, request))


def _transfer_syntax(fields: dict[str, Any]) -> str | None:
    if "Transcode" not in fields:
        return None
    uid = fields["Transcode"]
    if not isinstance(uid, str):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "String value expected in field: Transcode")
    if not is_known(uid):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"Unknown transfer syntax UID: {uid}")
    return uid


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/peers", PeersList),
    ("/peers/{name}", PeerResource),
    ("/peers/{name}/configuration", PeerConfiguration),
    ("/peers/{name}/store", PeerStore),
    ("/peers/{name}/store-straight", PeerStraightStore),
    ("/peers/{name}/system", PeerSystem),
)
