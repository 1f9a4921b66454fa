"""The workloads that move a study to a third server: over HTTP, or over DICOM."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from orthanc_lab.bench.wire import Wire, http_request, send_all

__all__ = ["PEER", "SendingToNode", "SendingToPeer", "StoringAtPeer"]

PEER = "bench"
"""The name by which both servers know a third one."""

_LOOK_AGAIN = 0.005  # seconds


class SendingToPeer:
    """Sends all that a server has to its peer, which has none of it: as a transfer, or else instance by instance.

    Parameters
    ----------
    maker
        Makes instances; each server is given others.
    count
        How many.
    """

    def __init__(self, maker: Callable[[int], list[bytes]], count: int) -> None:
        self._maker = maker
        self._count = count
        self._peer_port = 0

    def setup(self, port: int) -> None:
        """Upload the instances."""
        send_all(port, [http_request("POST", "/instances", content) for content in self._maker(self._count)])
        wire = Wire(port)
        url = wire.get_json(f"/peers/{PEER}/configuration")["Url"]
        self._peer_port = int(url.rstrip("/").rpartition(":")[2])
        wire.close()

    def prepare(self) -> Callable[[int], int]:
        """Empty the peer."""
        wire = Wire(self._peer_port)
        for patient in wire.get_json("/patients"):
            wire.send(http_request("DELETE", f"/patients/{patient}"), keep=True)
        wire.close()
        return self._send

    def _send(self, port: int) -> int:
        wire = Wire(port)
        _await(wire, self._submit(wire, wire.get_json("/patients")))
        wire.close()
        return self._count

    def _submit(self, wire: Wire, patients: list[str]) -> str:
        """Return the job that sends."""
        if "transfers" not in wire.get_json("/plugins"):
            return _store(wire, "peers", patients)
        resources = [{"Level": "Patient", "ID": patient} for patient in patients]
        transfer = {"Resources": resources, "Compression": "none", "Peer": PEER}
        return str(wire.call("POST", "/transfers/send", transfer)["ID"])


class StoringAtPeer(SendingToPeer):
    """Sends all that a server has to its peer instance by instance."""

    def _submit(self, wire: Wire, patients: list[str]) -> str:
        return _store(wire, "peers", patients)


class SendingToNode(SendingToPeer):
    """Sends all that a server has to its peer by C-STORE.

    Parameters
    ----------
    accepted
        The transfer syntaxes that the peer accepts.
    """

    def __init__(
        self, maker: Callable[[int], list[bytes]], count: int, accepted: tuple[str, ...] = ("1.2.840.10008.1.*",)
    ) -> None:
        super().__init__(maker, count)
        self._accepted = accepted

    def prepare(self) -> Callable[[int], int]:
        """Empty the peer, and tell it what to accept."""
        wire = Wire(self._peer_port)
        wire.call("PUT", "/tools/accepted-transfer-syntaxes", list(self._accepted))
        wire.close()
        return super().prepare()

    def _submit(self, wire: Wire, patients: list[str]) -> str:
        return _store(wire, "modalities", patients)


def _store(wire: Wire, kind: str, patients: list[str]) -> str:
    return str(wire.call("POST", f"/{kind}/{PEER}/store", {"Resources": patients, "Asynchronous": True})["ID"])


def _await(wire: Wire, job: str) -> None:
    while True:
        _, _, body = wire.send(http_request("GET", f"/jobs/{job}"), keep=True)
        document = json.loads(body)
        if document["State"] == "Success":
            return
        if document["State"] == "Failure":
            raise RuntimeError(f"Job {job} failed: {document['ErrorDescription']} {document['ErrorDetails']}")
        time.sleep(_LOOK_AGAIN)
