"""What archive and media jobs have in common: a plan that becomes a ZIP, member by member.

A step writes a few members. After any step the job can be stopped and made again from what
it serialized: the output is cut back to the recorded offset, the central directory is read
back from the members that are there, and the ZIP ends up with the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.dicom.media.dicomdir_entry import DirectoryEntry
from orthanc_lab.jobs.kinds.archives.archive_plan import PlannedMember
from orthanc_lab.jobs.kinds.archives.located import LocatedMember, located
from orthanc_lab.jobs.kinds.archives.read_ahead import ReadAhead
from orthanc_lab.jobs.kinds.archives.zip_codec import Codec, codec
from orthanc_lab.jobs.kinds.archives.zip_outlet import Outlet, StoredOutlet
from orthanc_lab.jobs.kinds.archives.zip_request import ZipRequest
from orthanc_lab.jobs.kinds.archives.zip_writer import DamagedZip, Deflated, LocalMember, ZipWriter
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import JobOutput, NotReady, StopReason
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Identifiers, SeededIdentifiers
from orthanc_lab.storage.records import Attachment

__all__ = ["ZipJob"]

_MEGABYTE = 1024 * 1024
_STEP_SECONDS = 0.025
_FLUSH_SECONDS = 1.0  # the work that a killed server leaves to be done again
_JPEG_FAMILY = b"1.2.840.10008.1.2.4."
_WORTH_A_LOOK = 16 * 1024  # bytes; the header of a smaller file is a good part of it, and does shrink


@dataclass(frozen=True, slots=True)
class Prepared:
    """A member ready to be written."""

    member: PlannedMember
    deflated: Deflated
    entry: DirectoryEntry | None  # its entry in the DICOMDIR, if there will be one


class ZipJob:
    """A job that writes a ZIP archive.

    Parameters
    ----------
    request
        What goes into it.
    outlet
        Where it goes.
    durable
        Whether the job outlives the process and leaves an output; only with a `StoredOutlet`.
    saved
        What `serialize` returned, for a job that is resumed.
    step_seconds
        A step ends with the first member that is written after this time.
    """

    type: str

    def __init__(
        self,
        tools: JobTools,
        request: ZipRequest,
        outlet: Outlet,
        *,
        durable: bool = False,
        saved: Mapping[str, Any] | None = None,
        step_seconds: float = _STEP_SECONDS,
    ) -> None:
        self._tools = tools
        self._storage = tools.storage
        self._clock = tools.clock
        self._request = request
        self._outlet = outlet
        self._saved = dict(saved) if saved else {**request.encode(), **_place(outlet)} if durable else None
        self._position = int(saved["position"]) if saved else 0
        self._offset = int(saved["offset"]) if saved else 0  # the end of the last member that the output has, bytes
        self._flushed = self._position  # members that the output has
        self._flushed_at = 0.0  # monotonic
        self._size = self._offset  # of the archive so far, bytes
        self._step_seconds = step_seconds
        self._failed = False
        self._writer: ZipWriter | None = None
        self._read_ahead: ReadAhead[LocatedMember, Prepared | None] | None = None
        self._codec: Codec | None = None

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> Self:
        """Make a job again from what `serialize` returned."""
        return cls(tools, ZipRequest.decode(saved), StoredOutlet(tools.outputs, saved["output"]), saved=saved)

    # -- what the engine calls -----------------------------------------------------

    def start(self) -> None:
        """Open the output at the last recorded offset, and begin to read ahead.

        Raises
        ------
        OrthancError
            14 or 19 if the output cannot be opened, -1 if the recorded codec is missing.
        """
        self._codec = codec(self._request.codec, self._request.level)
        if self._writer is None and not self._recover():
            self._begin_anew()
        if not self._outlet.open(self._offset):
            self._begin_anew()
        self._flushed_at = self._clock.monotonic()
        members = located(self._storage, self._request.plan.members[self._position :])
        self._read_ahead = ReadAhead(members, self._prepare, self._tools.executor, threads=self._tools.zip_threads)

    def step(self) -> bool | NotReady:
        """Write the next members; after the last one, the end of the archive."""
        try:
            return self._step()
        except BaseException:
            self._failed = True
            raise

    def stop(self, reason: StopReason) -> None:
        """Close the output; one that will not be completed is removed."""
        if self._read_ahead is not None:
            self._read_ahead.close()
            self._read_ahead = None
        if reason is StopReason.PAUSED or (reason is StopReason.SHUTDOWN and self._saved is not None):
            try:
                self._keep()
            finally:
                self._outlet.close()
        else:
            self._outlet.finish(complete=reason is StopReason.SUCCESS)

    def reset(self) -> None:
        """Refuse: Orthanc does not resubmit archives.

        Raises
        ------
        OrthancError
            6, always.
        """
        raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, "Cannot resubmit the creation of an archive")

    def progress(self) -> float:
        """Return the part of the members that is written; 1.0 after a failure, as Orthanc shows it."""
        count = len(self._request.plan.members)
        return 1.0 if self._failed or not count else self._position / count

    def content(self) -> dict[str, Any]:
        """Return the public content: sizes in bytes are strings, as in Orthanc."""
        plan = self._request.plan
        content: dict[str, Any] = {
            "Description": "REST API",
            "InstancesCount": len(plan.members),
            "UncompressedSize": str(plan.size),
            "UncompressedSizeMB": plan.size // _MEGABYTE,
            "ArchiveSize": str(self._size),
            "ArchiveSizeMB": self._size // _MEGABYTE,
        }
        if self._request.transcode is not None:
            content["Transcode"] = self._request.transcode
        return content

    def serialize(self) -> dict[str, Any] | None:
        """Return the request, the same objects at each call, with position and offset."""
        return None if self._saved is None else {**self._saved, "position": self._flushed, "offset": self._offset}

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return the ZIP of a durable job."""
        if self._saved is None or not isinstance(self._outlet, StoredOutlet):
            return {}
        outlet = self._outlet
        return {"archive": JobOutput(outlet.name, "application/zip", self._request.filename, outlet.content)}

    # -- what a kind of job adds ---------------------------------------------------

    def _read_entry(self, dicom: bytes) -> DirectoryEntry | None:
        """Read what `_written` needs from a file; called while reading ahead."""
        return None

    def _written(self, name: str, entry: DirectoryEntry | None) -> None:
        """Take note of a member that was written."""

    def _adopted(self, member: LocalMember, file: BinaryIO) -> None:
        """Take note of a member that was found in the output of a resumed job."""

    def _forget_written(self) -> None:
        """Take note that the archive is written from its beginning."""

    def _last_members(self) -> Mapping[str, bytes]:
        """Return the members that follow those of the plan."""
        return {}

    def _identifiers(self, purpose: str) -> Identifiers:
        """Return a source of identifiers that is the same whenever this job asks for this purpose."""
        digest = hashlib.sha256(f"{self._request.seed}/{purpose}".encode()).digest()
        return SeededIdentifiers(int.from_bytes(digest, "big"))

    # -- steps ---------------------------------------------------------------------

    def _step(self) -> bool | NotReady:
        assert self._read_ahead is not None, "the job is not started"
        count = len(self._request.plan.members)
        deadline = self._clock.monotonic() + self._step_seconds
        while (not_ready := self._outlet.wait_for()) is None:
            if self._position == count:
                self._finish()
                return False
            self._write(self._read_ahead.take())
            if self._clock.monotonic() >= deadline:
                break
        assert self._writer is not None
        self._size = self._writer.offset
        if self._outlet.is_full or self._clock.monotonic() >= self._flushed_at + _FLUSH_SECONDS:
            self._flush()
        return not_ready or True

    def _write(self, prepared: Prepared | None) -> None:
        self._position += 1
        if prepared is not None and self._writer is not None:
            self._writer.add(prepared.member.name, prepared.deflated)
            self._written(prepared.member.name, prepared.entry)

    def _finish(self) -> None:
        assert self._writer is not None
        assert self._codec is not None
        self._offset, self._flushed = self._writer.offset, self._position
        for name, data in self._last_members().items():
            self._writer.add(name, self._codec.deflate(data))
        self._writer.finish()
        self._outlet.end()
        self._size = self._writer.offset
        self._writer = None  # should the end not be written down, a restart finds the members, and ends again

    def _flush(self) -> None:
        assert self._writer is not None
        self._outlet.flush()
        self._offset = self._size = self._writer.offset
        self._flushed, self._flushed_at = self._position, self._clock.monotonic()

    def _keep(self) -> None:
        """Hand on what was written, before the job is left; without that, it begins behind what the output has."""
        if self._writer is None or self._flushed == self._position:
            return
        try:
            if not self._failed:
                self._flush()
        finally:
            if self._flushed != self._position:
                self._writer = None
                self._position, self._size = self._flushed, self._offset

    def _prepare(self, member: LocatedMember) -> Prepared | None:
        assert self._codec is not None
        dicom = self._read(member.planned.instance, member.file)
        if dicom is None:
            return None
        entry = self._read_entry(dicom)
        return Prepared(member.planned, self._codec.deflate(dicom, shrinks=not _is_compressed_image(dicom)), entry)

    def _read(self, instance: str, file: Attachment | None) -> bytes | None:
        """Return a file as it goes into the archive; None for an instance deleted meanwhile."""
        try:
            dicom = self._storage.read_dicom(instance, keep=False, known=file)
        except OrthancError as error:
            if error.code in VANISHED and self._storage.find_level(instance) is None:
                return None
            raise
        return dicom if self._request.transcode is None else self._transcoded(dicom, self._request.transcode, instance)

    def _transcoded(self, dicom: bytes, target: str, instance: str) -> bytes:
        quality = min(max(self._request.quality, 1), 100)
        return (
            transcode(
                dicom,
                target,
                self._tools.dictionary,
                quality=quality,
                identifiers=self._identifiers(instance),
                turn=self._tools.transcoding,
            )
            or dicom
        )

    # -- beginning and going on ----------------------------------------------------

    def _new_writer(self) -> ZipWriter:
        request = self._request
        return ZipWriter(self._outlet.write, written_at=request.written_at, zip64=request.plan.zip64)

    def _begin_anew(self) -> None:
        self._position = self._flushed = self._offset = self._size = 0
        self._forget_written()
        self._writer = self._new_writer()

    def _recover(self) -> bool:
        """Read back the members in the output; False if they are not those that were recorded."""
        writer = self._new_writer()
        self._forget_written()
        try:
            for member, file in self._outlet.members(self._offset) if self._offset else ():
                writer.adopt(member)
                self._adopted(member, file)
        except DamagedZip:
            return False
        self._writer = writer
        return True


def _is_compressed_image(dicom: bytes) -> bool:
    """Return whether JPEG or a similar codec compresses it (PS3.5 annex A.4), by its transfer syntax."""
    return len(dicom) >= _WORTH_A_LOOK and dicom.find(_JPEG_FAMILY, 132, 1024) >= 0


def _place(outlet: Outlet) -> dict[str, str]:
    if not isinstance(outlet, StoredOutlet):
        raise TypeError("only a job that writes to the output store can outlive the process")
    return {"output": outlet.name}
