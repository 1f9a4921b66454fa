"""Sending instances to another Orthanc server: the job ``OrthancPeerStore``."""

from __future__ import annotations

import gzip
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.sending.upload import Upload
from orthanc_lab.jobs.ports import JobOutput, StopReason
from orthanc_lab.peers.peer import Peer, read_peer
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError

if TYPE_CHECKING:
    from orthanc_lab.peers.client import PeerClient

__all__ = ["PeerStoreJob", "PeerStoreRequest"]

_MEGABYTE = 1024 * 1024
_GZIP_LEVEL = 6
_ALONE = 4  # instances that go one by one at first
_AT_ONCE = 8
_PATIENCE = 5  # seconds for the answers, before a pause
_MOMENT = 0.1  # seconds for one that should have come
_MOST_AHEAD = 32 * _MEGABYTE  # bytes on their way, before another instance follows


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
    """Sends instances, and takes the answer for one of them a step, in their order.

    The first ones go one by one. While the peer takes them well, some more are on their way at the same time, each on a
    connection of its own. What fails then is sent once more alone, and so are all that follow: a peer that cannot do
    several things at a time makes no difference.
    """

    type = "OrthancPeerStore"

    def __init__(self, tools: JobTools, request: PeerStoreRequest) -> None:
        self._tools = tools
        self._request = request
        self._client: PeerClient | None = None
        self._ahead: deque[Upload] = deque()  # from the position on
        self._well = 0  # number of instances that the peer has taken since the start
        self._must_go_alone = False
        self._is_interrupted = False
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
        # It loads an HTTP client that most servers never need.
        from orthanc_lab.peers.client import PeerClient  # noqa: PLC0415

        self._client = PeerClient(self._request.peer, self._tools.http, self._tools.clock)
        self._well, self._must_go_alone = 0, False

    def step(self) -> bool:
        """Take the answer for the next instance."""
        if self._position < len(self._request.instances):
            self._send_ahead()
            self._take(self._ahead[0])
            self._ahead.popleft()
            self._position += 1
        return self._position < len(self._request.instances)

    def stop(self, reason: StopReason) -> None:
        """Close the connections; for a pause, once the peer has answered: nothing is to be sent twice."""
        answered = 0
        if reason is StopReason.PAUSED:
            end = self._tools.clock.monotonic() + _PATIENCE
            for upload in self._ahead:
                upload.wait(max(end - self._tools.clock.monotonic(), _MOMENT))
                if upload.failure is not None:
                    break
                answered += 1
        while len(self._ahead) > answered:
            self._ahead.pop().abandon()
        if self._client is not None:
            self._client.close()
            self._client = None

    def interrupt(self) -> None:
        """Cut the connections that the step in progress waits on."""
        self._is_interrupted = True
        client = self._client
        if client is not None:
            client.cut()

    def reset(self) -> None:
        """Send all from the first one again; the size keeps growing, as in Orthanc."""
        self._position = 0  # number of instances that are done
        self._failed = 0  # number of instances that had vanished
        self._ahead.clear()

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

    def _send_ahead(self) -> None:
        """Begin with as many instances as may be on their way."""
        most = _AT_ONCE if self._well >= _ALONE and not self._must_go_alone else 1
        while len(self._ahead) < most and sum(upload.size for upload in self._ahead) < _MOST_AHEAD:
            following = self._position + len(self._ahead)
            if following == len(self._request.instances):
                return
            self._ahead.append(self._upload(following, is_alone=most == 1))

    def _upload(self, number: int, *, is_alone: bool) -> Upload:
        assert self._client is not None
        begin = partial(self._client.begin_post, "instances", compressed=self._request.compressed)
        return Upload(partial(self._read, self._request.instances[number]), begin, is_alone=is_alone)

    def _take(self, upload: Upload) -> None:
        """Wait for the answer for the instance at the position, and count it."""
        upload.wait()
        if upload.failure is not None and upload.was_read and not (upload.is_alone or self._is_interrupted):
            upload = self._again_alone()
        if upload.failure is not None and self._is_interrupted:
            raise upload.failure  # which says nothing of the peer
        self._size += upload.size
        if upload.failure is None:
            self._well += 1
            return
        vanished = not upload.was_read and upload.failure.code in VANISHED
        self._failed += vanished
        if self._request.permissive and (vanished or upload.was_read):
            return
        if vanished:
            raise OrthancError(ErrorCode.INTERNAL_ERROR) from upload.failure
        raise upload.failure

    def _again_alone(self) -> Upload:
        """Send the instance at the position again, once there is no other on its way."""
        for other in self._ahead:
            other.wait()
        upload = self._upload(self._position, is_alone=True)
        upload.wait()
        self._well = 0
        self._must_go_alone = upload.failure is None
        return upload

    def _read(self, instance: str) -> bytes:
        """Return what is sent of an instance."""
        body = self._tools.storage.read_dicom(instance)
        if self._request.transcode is not None:
            body = self._transcoded(body, self._request.transcode)
        return gzip.compress(body, _GZIP_LEVEL, mtime=0) if self._request.compressed else body

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
