"""Transfers that this server is asked to do: ``/transfers/send``, ``/transfers/pull``, ``/transfers/peers``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orthanc_lab.jobs.kinds.transfers.pull import PullTransferJob
from orthanc_lab.jobs.kinds.transfers.push import PushTransferJob
from orthanc_lab.jobs.kinds.transfers.request import TransferRequest
from orthanc_lab.peers.directory import PeerDirectory
from orthanc_lab.peers.peer import Peer
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.json_text import dumps
from orthanc_lab.rest.http.bodies import read_object
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.transfers.answers import answer_indented
from orthanc_lab.transfers.compression import check_compression

if TYPE_CHECKING:
    import falcon

    from orthanc_lab.peers.client import PeerAnswer, PeerClient

__all__ = ["ROUTES"]

_log = logging.getLogger("orthanc_lab.http")
_INT32 = range(-(2**31), 2**31)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_RETRY_SECONDS = 1.0
_LONGEST_ANSWER = 1 << 20  # bytes
_BIDIRECTIONAL = "RemoteSelf"  # the property of a peer with the name by which it knows this server


@dataclass(frozen=True, slots=True)
class _Wish:
    request: TransferRequest
    priority: int


class _TransferResource:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._tools = services.job_tools
        self._options = services.job_tools.transfers
        self._peers = PeerDirectory(services.settings, services.storage)

    def _client(self, peer: Peer) -> PeerClient:
        # It loads an HTTP client that most servers never need.
        from orthanc_lab.peers.client import PeerClient  # noqa: PLC0415

        return PeerClient(peer, self._tools.http, self._services.clock)

    def _wish(self, req: falcon.Request) -> _Wish:
        fields = read_object(req)
        resources = fields.get("Resources")
        if not isinstance(resources, list):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
        name, compression = _text(fields, "Peer"), _text(fields, "Compression")
        priority = fields.get("Priority", 0)
        originator = fields.get("Originator")
        if type(priority) is not int or (originator is not None and not isinstance(originator, str)):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
        sender = fields["SenderTransferID"] if "SenderTransferID" in fields else self._services.identifiers.uuid()
        if not isinstance(sender, str):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "SenderTransferID should be a string")
        check_compression(compression)
        peer = self._peers.get(name)
        if priority not in _INT32:
            raise OrthancError(ErrorCode.PLUGIN, status=500)
        return _Wish(TransferRequest(resources, compression, name, peer, sender, originator), priority)

    def _submit(self, resp: falcon.Response, job: PushTransferJob | PullTransferJob, priority: int) -> None:
        id = self._services.engine.submit(job, priority)
        answer_indented(resp, {"ID": id, "Path": f"/jobs/{id}"})


class Pull(_TransferResource):
    """Fetching resources from a peer."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Submit the job."""
        wish = self._wish(req)
        self._submit(resp, PullTransferJob(self._tools, wish.request), wish.priority)


class Send(_TransferResource):
    """Sending resources to a peer."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Submit the job, or let the peer pull if it can reach this server."""
        wish = self._wish(req)
        request = replace(wish.request, originator=None)
        remote_self = request.peer.properties.get(_BIDIRECTIONAL)
        if remote_self is None:
            self._submit(resp, PushTransferJob(self._tools, request), wish.priority)
        else:
            answer_indented(resp, self._let_pull(request, remote_self))

    def _let_pull(self, request: TransferRequest, remote_self: str) -> dict[str, str]:
        """Submit the job at the peer."""
        body = {
            "Compression": request.compression,
            "Originator": self._services.originator.id,
            "Peer": remote_self,
            "Resources": request.resources,
        }
        answer = self._ask(request.peer, dumps(body).encode(), {**_FORM, "sender-transfer-id": request.sender_id})
        try:
            document = lenient_json.loads(answer.body)
        except OrthancError:
            document = None
        if not isinstance(document, dict) or not isinstance(document.get("ID"), str):
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL)
        job = document["ID"]
        return {"Peer": request.peer_name, "RemoteJob": job, "URL": f"{request.peer.url}/jobs/{job}"}

    def _ask(self, peer: Peer, body: bytes, headers: dict[str, str]) -> PeerAnswer:
        for tries_left in range(self._options.max_http_retries, -1, -1):
            try:
                with self._client(peer) as client:
                    answer = client.call("POST", "transfers/pull", body, headers, longest=_LONGEST_ANSWER)
            except OrthancError as error:
                _log.warning("%s", error)
            else:
                if answer.status == 200:
                    return answer
            if tries_left:
                self._pause()
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL)

    def _pause(self) -> None:
        clock = self._services.clock
        end = clock.monotonic() + _RETRY_SECONDS
        moment = threading.Condition()
        with moment:
            while clock.monotonic() < end:
                clock.wait_until(moment, end)


class Peers(_TransferResource):
    """Which peers can take part in transfers."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer ``installed``, ``bidirectional`` or ``disabled`` for each peer, having asked them all."""
        if not self._options.threads:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        peers = self._peers.all()
        pool = self._services.executor.pool("transfers-peers", self._options.threads)
        try:
            states = {name: pool.submit(self._state, peer) for name, peer in peers.items()}
            answer_indented(resp, {name: state.result() for name, state in states.items()})
        finally:
            pool.shutdown()

    def _state(self, peer: Peer) -> str:
        try:
            with self._client(peer) as client:
                seconds = self._options.peer_connectivity_timeout
                answer = client.call("GET", "plugins", timeout=seconds, longest=_LONGEST_ANSWER)
            plugins = lenient_json.loads(answer.body) if answer.status == 200 else None
        except OrthancError:
            return "disabled"
        if not isinstance(plugins, list) or "transfers" not in plugins:
            return "disabled"
        return "bidirectional" if _BIDIRECTIONAL in peer.properties else "installed"


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return value


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/transfers/peers", Peers),
    ("/transfers/pull", Pull),
    ("/transfers/send", Send),
)
