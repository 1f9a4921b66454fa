"""Whether what was transferred is what it should be: archives by MD5, uploads by a look at what is there."""

from __future__ import annotations

import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from orthanc_lab.client.errors import ClientError, DamagedDownloadError, NotFoundError
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.upload_source import Item

__all__ = ["check_archive", "missing_instances"]

_AT_ONCE = 100  # identifiers in a request
_PIECE = 1 << 20
_LONGEST_HEAD = 4 << 20  # bytes of a file in which its identifiers are looked for: what is packed may be endless


def check_archive(transport: Transport, archive: Path) -> None:
    """Compare each DICOM file of an archive with the MD5 that the server has kept since its upload.

    Raises
    ------
    DamagedDownloadError
        If files differ.
    ClientError
        If the server keeps no MD5.
    """
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if not member.is_dir()]
        damaged = [member.filename for member in members if not _is_intact(transport, opened, member)]
    if damaged:
        raise DamagedDownloadError(damaged, len(members))


def _is_intact(transport: Transport, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    digest = hashlib.md5(usedforsecurity=False)
    head = bytearray()
    try:
        with archive.open(member) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                head += piece[: _LONGEST_HEAD - len(head)]
    except OSError as error:
        if error.errno is not None:  # else it is what bz2 raises
            raise
        return False
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError):
        return False
    identifier = Item(member.filename, bytes(head)).identifier()
    if identifier is None:
        return member.filename == "DICOMDIR"
    try:
        md5 = transport.send("GET", f"/instances/{identifier}/attachments/dicom/md5").text.strip()
    except NotFoundError:
        return False
    if not md5:
        raise ClientError("The server keeps no MD5 to compare with (StoreMD5ForAttachments): leave verify out.")
    return md5 == digest.hexdigest()


def missing_instances(transport: Transport, identifiers: Iterable[str]) -> set[str]:
    """Return those of some instances that the server does not have."""
    wanted = list(identifiers)
    there: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        body = {"Resources": some, "Level": "Instance", "Short": True, "Metadata": False}
        there |= {answer["ID"] for answer in transport.json("POST", "/tools/bulk-content", json=body, again=True)}
    return set(wanted) - there
