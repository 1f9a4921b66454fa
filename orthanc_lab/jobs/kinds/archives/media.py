"""Job of type ``Media``: a ZIP with a DICOMDIR, for a CD or another medium (PS3.10, PS3.11)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import BinaryIO

from orthanc_lab.dicom.media.dicomdir import DicomDirectory
from orthanc_lab.dicom.media.dicomdir_entry import DirectoryEntry, read_entry, read_entry_of_start
from orthanc_lab.jobs.kinds.archives.zip_job import ZipJob
from orthanc_lab.jobs.kinds.archives.zip_writer import DamagedZip, LocalMember
from orthanc_lab.protocol.errors import OrthancError

__all__ = ["MediaJob"]

_HEADER_SIZE = 64 * 1024


class MediaJob(ZipJob):
    """Writes the files of its plan, then the DICOMDIR that lists them."""

    type = "Media"

    def _read_entry(self, dicom: bytes) -> DirectoryEntry:
        return read_entry(dicom)

    def _written(self, name: str, entry: DirectoryEntry | None) -> None:
        if entry is not None:
            self._directory.add(name.split("/"), entry)

    def _adopted(self, member: LocalMember, file: BinaryIO) -> None:
        self._directory.add(member.name.split("/"), _entry_of(member, file))

    def _forget_written(self) -> None:
        self._directory = DicomDirectory(extended=self._request.extended, now=self._request.written_at)

    def _last_members(self) -> Mapping[str, bytes]:
        return {"DICOMDIR": self._directory.encode(self._identifiers("DICOMDIR").uid())}


def _entry_of(member: LocalMember, file: BinaryIO) -> DirectoryEntry:
    """Read the entry from a member of the output, inflating only its beginning if that will do."""
    file.seek(member.data_offset)
    packed = file.read(min(member.compressed_size, _HEADER_SIZE))
    try:
        entry = read_entry_of_start(zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _HEADER_SIZE))
        if entry is not None:
            return entry
        packed += file.read(member.compressed_size - len(packed))
        return read_entry(zlib.decompress(packed, -zlib.MAX_WBITS))
    except (zlib.error, OrthancError) as error:
        raise DamagedZip(f"{member.name} cannot be read back") from error
