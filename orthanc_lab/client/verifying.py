"""Whether what was transferred is what it should be: archives by MD5, uploads by a look at what is there."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from orthanc_lab.client.errors import ClientError, DamagedDownloadError, NotFoundError
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.upload_source import Item

__all__ = ["check_archive", "missing_instances"]

_AT_ONCE = 100  # identifiers in a request


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
        names = [name for name in opened.namelist() if not name.endswith("/")]
        damaged = [name for name in names if not _is_intact(transport, opened, name)]
    if damaged:
        raise DamagedDownloadError(damaged, len(names))


def _is_intact(transport: Transport, archive: zipfile.ZipFile, name: str) -> bool:
    try:
        content = archive.read(name)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return False
    identifier = Item(name, content).identifier()
    if identifier is None:
        return name == "DICOMDIR"
    try:
        md5 = transport.send("GET", f"/instances/{identifier}/attachments/dicom/md5").text.strip()
    except NotFoundError:
        return False
    if not md5:
        raise ClientError("The server keeps no MD5 to compare with (StoreMD5ForAttachments): leave verify out.")
    return md5 == hashlib.md5(content, usedforsecurity=False).hexdigest()


def missing_instances(transport: Transport, identifiers: Iterable[str]) -> set[str]:
    """Return those of some instances that the server does not have."""
    wanted = list(identifiers)
    there: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        body = {"Resources": some, "Level": "Instance", "Short": True, "Metadata": False}
        there |= {answer["ID"] for answer in transport.json("POST", "/tools/bulk-content", json=body, again=True)}
    return set(wanted) - there
