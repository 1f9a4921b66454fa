"""The workload that moves a study to another server: as a transfer, or instance by instance where there are none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from orthanc_lab.bench.wire import Wire, http_request, send_all

__all__ = ["PEER", "SendingToPeer"]

PEER = "bench"
"""The name by which both servers know a third one."""

_LOOK_AGAIN = 0.005  # seconds


class SendingToPeer:
    """Sends all that a server has to its peer, which has none of it.

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
        patients = wire.get_json("/patients")
        if "transfers" in wire.get_json("/plugins"):
            resources = [{"Level": "Patient", "ID": patient} for patient in patients]
            transfer = {"Resources": resources, "Compression": "none", "Peer": PEER}
            job = wire.call("POST", "/transfers/send", transfer)["ID"]
        else:
            job = wire.call("POST", f"/peers/{PEER}/store", {"Resources": patients, "Asynchronous": True})["ID"]
        _await(wire, job)
        wire.close()
        return self._count


def _await(wire: Wire, job: str) -> None:
    while True:
        _, _, body = wire.send(http_request("GET", f"/jobs/{job}"), keep=True)
        document = json.loads(body)
        if document["State"] == "Success":
            return
        if document["State"] == "Failure":
            raise RuntimeError(f"Job {job} failed: {document['ErrorDescription']} {document['ErrorDetails']}")
        time.sleep(_LOOK_AGAIN)
