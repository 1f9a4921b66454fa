"""Bodies that hold others: archives, several parts, compressed ones."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable

from orthanc_lab.testing.capsule.addresses import Addresses
from orthanc_lab.testing.capsule.vocabulary import MEDIA_TYPES

__all__ = ["BOUNDARY", "Containers", "media_type"]

BOUNDARY = "boundary-of-the-capsule"
"""Stands between parts in a capsule."""

_MOST = 256 << 20  # bytes that a body may unpack to, with all that is packed in what is packed in it
_EPOCH = (1980, 1, 1, 0, 0, 0)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NAME = re.compile(r'((?:file)?name)="([^"]*)"')

Twin = Callable[[bytes, str], bytes]
"""Returns the twin of a body, given its media type."""


class Containers:
    """Makes twins of bodies that hold others.

    Parameters
    ----------
    addresses
        Replaces the names of files.
    twin
        Makes the twin of what is inside.
    """

    def __init__(self, addresses: Addresses, twin: Twin) -> None:
        self._addresses = addresses
        self._twin = twin
        self._left = _MOST

    def begin(self) -> None:
        """Begin with the next body of a recording."""
        self._left = _MOST

    def gzip(self, content: bytes) -> bytes | None:
        """Return the twin of a gzip file, None if it is damaged."""
        inflater = zlib.decompressobj(zlib.MAX_WBITS + 16)
        try:
            plain = inflater.decompress(content, self._left + 1)  # without the one, 0 would be no limit
        except zlib.error:
            return None
        if not inflater.eof or len(plain) > self._left:
            return None
        self._left -= len(plain)
        packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS + 16)
        return packer.compress(self._twin(plain, "")) + packer.flush()

    def zip(self, content: bytes) -> bytes | None:
        """Return the twin of a ZIP file: its members in their order; None if it is damaged."""
        out = io.BytesIO()
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w") as twin:
                for member in archive.infolist():
                    if member.file_size > self._left:
                        return None
                    self._left -= member.file_size
                    entry = zipfile.ZipInfo(self._addresses.file_name(member.filename), _EPOCH)
                    entry.compress_type = member.compress_type if member.compress_type in _METHODS else _METHODS[1]
                    twin.writestr(entry, self._twin(archive.read(member), ""))
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, ValueError, OSError):
            return None
        return out.getvalue()

    def multipart(self, content: bytes, boundary: str) -> bytes | None:
        """Return the twin of several parts; None if the boundary is not in the body."""
        mark = b"--" + boundary.encode("latin-1")
        if not boundary or mark not in content:
            return None
        new = b"--" + BOUNDARY.encode()
        pieces = content.split(mark)
        out = [self._twin(pieces[0], "") if pieces[0].strip() else pieces[0]]
        for piece in pieces[1:]:
            if piece.startswith(b"--"):
                out.append(new + b"--" + (b"\r\n" if piece[2:].startswith(b"\r\n") else b""))
                break
            out.append(new + self._part(piece))
        return b"".join(out)

    def _part(self, piece: bytes) -> bytes:
        head, blank, body = piece.partition(b"\r\n\r\n")
        if not blank:
            return b"\r\n" + bytes(max(0, len(piece) - 2))
        end = b"\r\n" if body.endswith(b"\r\n") else b""
        kind = ""
        lines = []
        for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-type":
                kind = media_type(value)
                lines.append(f"{name}: {kind}")
            elif name.lower() == "content-disposition":
                lines.append(f"{name}: {self.disposition(value.strip())}")
        text = "".join(f"\r\n{line}" for line in lines).encode("utf-8")
        return text + blank + self._twin(body[: len(body) - len(end)], kind) + end

    def disposition(self, value: str) -> str:
        """Return a header ``Content-Disposition`` with other names."""
        kind = value.partition(";")[0].strip()
        names = [f'{name}="{self._addresses.file_name(text)}"' for name, text in _NAME.findall(value)]
        return "; ".join([kind if kind in ("form-data", "attachment", "inline") else "attachment", *names])


def media_type(value: str) -> str:
    """Return the media type of a header ``Content-Type``, without parameters; a general one if it is unknown."""
    kind = value.partition(";")[0].strip().lower()
    return kind if kind in MEDIA_TYPES else "application/octet-stream"
