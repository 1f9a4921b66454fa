"""Sending instances to another Orthanc server: the job ``OrthancPeerStore``."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import JobOutput, StopReason
from orthanc_lab.peers.peer import Peer, read_peer
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError

if TYPE_CHECKING:
    from orthanc_lab.peers.client import PeerClient

__all__ = ["PeerStoreJob", "PeerStoreRequest"]

_MEGABYTE = 1024 * 1024
_GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class PeerStoreRequest:
    """What a call to ``/peers/{name}/store`` asks for."""

    peer: Peer
    instances: Sequence[str]  # Orthanc identifiers, in the order of sending
    parents: Sequence[str]  # the resources as asked for, sorted, each once
    compressed: bool = False  # send in gzip format
    transcode: str | None = None  # UID of a transfer syntax
    quality: int = 90  # of lossy JPEG, DicomLossyTranscodingQuality
    permissive: bool = False  # go on after an instance that could not be sent


class PeerStoreJob:
    """Sends one instance a step, over one connection."""

    type = "OrthancPeerStore"

    def __init__(self, tools: JobTools, request: PeerStoreRequest) -> None:
        self._tools = tools
        self._request = request
        self._client: PeerClient | None = None
        self._size = 0  # bytes
        self.reset()

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> PeerStoreJob:
        """Make a job again from what `serialize` returned."""
        request = PeerStoreRequest(
            peer=read_peer(saved["peer"]),
            instances=saved["instances"],
            parents=saved["parents"],
            compressed=saved["compressed"],
            transcode=saved["transcode"],
            quality=saved["quality"],
            permissive=saved["permissive"],
        )
        job = cls(tools, request)
        job._position, job._failed, job._size = saved["position"], saved["failed"], saved["size"]
        return job

    def serialize(self) -> dict[str, Any]:
        """Return the request and how much of it is done."""
        request = self._request
        return {
            "peer": request.peer.definition(),
            "instances": list(request.instances),
            "parents": list(request.parents),
            "compressed": request.compressed,
            "transcode": request.transcode,
            "quality": request.quality,
            "permissive": request.permissive,
            "position": self._position,
            "failed": self._failed,
            "size": self._size,
        }

    def start(self) -> None:
        """Prepare the client; the first request opens the connection."""
        # It loads requests: 0.1 s that most servers never need.
        from orthanc_lab.peers.client import PeerClient  # noqa: PLC0415

        self._client = PeerClient(self._request.peer, self._tools.http, self._tools.clock)

    def step(self) -> bool:
        """Send the next instance."""
        instances = self._request.instances
        if self._position < len(instances):
            self._send(instances[self._position])
            self._position += 1
        return self._position < len(instances)

    def stop(self, reason: StopReason) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def reset(self) -> None:
        """Send all from the first one again; the size keeps growing, as in Orthanc."""
        self._position = 0  # number of instances that are done
        self._failed = 0  # number of instances that had vanished

    def progress(self) -> float:
        """Return the share of instances that are done."""
        total = len(self._request.instances)
        return self._position / total if total else 1.0

    def content(self) -> dict[str, Any]:
        """Return the public state of the job."""
        request = self._request
        content: dict[str, Any] = {
            "Compress": request.compressed,
            "Description": "REST API",
            "FailedInstancesCount": self._failed,
            "InstancesCount": len(request.instances),
            "Peer": request.peer.shown_in_job(),
            "Size": str(self._size),
            "SizeMB": self._size // _MEGABYTE,
        }
        if request.parents:
            content["ParentResources"] = list(request.parents)
        if request.transcode is not None:
            content["Transcode"] = request.transcode
        return content

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return nothing: the peer has it."""
        return {}

    def _send(self, instance: str) -> None:
        body = self._read(instance)
        if body is None:
            return
        if self._request.compressed:
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        self._size += len(body)
        assert self._client is not None
        try:
            if not self._client.post("instances", body, compressed=self._request.compressed).ok:
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL)
        except OrthancError:
            if not self._request.permissive:
                raise

    def _read(self, instance: str) -> bytes | None:
        """Return the file to send, None if it has vanished and that is permitted."""
        try:
            dicom = self._tools.storage.read_dicom(instance)
        except OrthancError as error:
            if error.code not in VANISHED:
                raise
            self._failed += 1
            if self._request.permissive:
                return None
            raise OrthancError(ErrorCode.INTERNAL_ERROR) from error
        if self._request.transcode is None:
            return dicom
        return self._transcoded(dicom, self._request.transcode)

    def _transcoded(self, dicom: bytes, target: str) -> bytes:
        # What cannot be transcoded is sent as it is.
        found = transcode(
            dicom,
            target,
            self._tools.dictionary,
            quality=self._request.quality,
            identifiers=self._tools.identifiers,
            turn=self._tools.transcoding,
        )
        return found or dicom
