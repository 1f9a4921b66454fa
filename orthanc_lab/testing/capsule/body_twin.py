"""A body of any kind: what it is decides how its twin is made; what is not known becomes zeros."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from orthanc_lab.testing.capsule.addresses import Addresses
from orthanc_lab.testing.capsule.containers import Containers
from orthanc_lab.testing.capsule.dicom_twin import DicomTwin, Identity
from orthanc_lab.testing.capsule.json_twin import JsonTwin
from orthanc_lab.testing.capsule.learning import learn_resources
from orthanc_lab.testing.capsule.manifest import Manifest
from orthanc_lab.testing.capsule.pictures import blank_picture
from orthanc_lab.testing.capsule.pseudonyms import filled
from orthanc_lab.testing.capsule.scrubbing import Scrubber
from orthanc_lab.testing.capsule.tag_values import TagValues
from orthanc_lab.testing.capsule.vocabulary import is_metric

__all__ = ["BodyTwin"]

_DEEPEST = 6  # bodies within bodies
_LONGEST_TEXT = 4 << 20  # letters of a text that is replaced word by word
_GZIP = b"\x1f\x8b\x08"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BOUNDARY = re.compile(r'boundary="?([^";\s]{1,200})"?', re.IGNORECASE)
_METRIC = re.compile(r"([a-z_]{1,80}) ([0-9.e+-]{1,24})( [0-9]{1,16})?")
_PLAIN = re.compile(r"-?[0-9]{1,3}|true|false|Success|", re.ASCII)
_PAGES = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")
_MARKUP = re.compile(
    r"</?(?:D:)?(?:multistatus|response|href|propstat|status|prop|displayname|getcontentlength|getcontenttype"
    r"|creationdate|getlastmodified|resourcetype|collection|supportedlock|lockentry|lockscope|locktype|exclusive|write"
    r'|lockdiscovery|activelock|depth|owner|timeout|locktoken|error)(?: xmlns:[A-Z]="DAV:")? ?/?>'
    r'|<\?xml version="1.0"(?: encoding="[Uu][Tt][Ff]-8")? ?\?>|[^<]++|<'
)
_NO_DICOM = (b"\x08\x00", b"\x02\x00", b"\x00\x08")


class BodyTwin:
    """Makes twins of bodies.

    Parameters
    ----------
    scrubber
        Replaces words, UIDs, dates; while it learns, bodies are read for what they teach.
    manifest
        Counts what was met.
    """

    def __init__(self, scrubber: Scrubber, manifest: Manifest) -> None:
        self._scrubber = scrubber
        self._manifest = manifest
        self.addresses = Addresses(scrubber, manifest)
        self.values = TagValues(scrubber, manifest)
        self._dicom = DicomTwin(self.values, manifest)
        self._json = JsonTwin(
            scrubber,
            self.values,
            self.addresses,
            manifest,
            decoded=self._decoded,
            private_tags=self._dicom.private_tags,
        )
        self.containers = Containers(self.addresses, self._inner)
        self._depth = 0

    def of(self, content: bytes, content_type: str, *, encoded: bool = False) -> bytes:
        """Return the twin of a body.

        Parameters
        ----------
        content_type
            The header; it decides only where the bytes do not.
        encoded
            Whether it came with ``Content-Encoding: deflate``.
        """
        if not content:
            return content
        if encoded:
            return bytes(len(content))
        self.containers.begin()
        boundary = _BOUNDARY.search(content_type)
        if boundary is not None and (new := self.containers.multipart(content, boundary[1])) is not None:
            self._count("of several parts")
            return new
        return self._inner(content, content_type)

    def _inner(self, content: bytes, content_type: str) -> bytes:
        if not content:
            return content
        if self._depth >= _DEEPEST:
            return bytes(len(content))
        self._depth += 1
        try:
            return self._binary(content, content_type) or self._text(content, content_type) or self._zeros(content)
        finally:
            self._depth -= 1

    def _zeros(self, content: bytes) -> bytes:
        self._count("of unknown kind, filled with zeros")
        return bytes(len(content))

    def _count(self, kind: str) -> None:
        if not self._scrubber.learning:
            self._manifest.bodies[kind] += 1

    def _binary(self, content: bytes, content_type: str) -> bytes | None:
        if content.startswith(_GZIP):
            return self._counted("compressed", self.containers.gzip(content) or content[:3] + bytes(len(content) - 3))
        if content.startswith(_ZIP):
            return self._counted("ZIP archives", self.containers.zip(content) or content[:4] + bytes(len(content) - 4))
        if content[128:132] == b"DICM" or (content.startswith(_NO_DICOM) and "json" not in content_type):
            return self._dicom_file(content)
        picture = blank_picture(content)
        if picture is not None:
            return self._counted("pictures, black", picture)
        if content.startswith(b"%PDF"):
            return self._counted("PDF documents, emptied", b"%PDF" + bytes(len(content) - 4))
        return None

    def _counted(self, kind: str, twin: bytes) -> bytes:
        self._count(kind)
        return twin

    def _dicom_file(self, content: bytes) -> bytes | None:
        try:
            twin, identity = self._dicom.of(content)
        except ValueError:
            if content[128:132] != b"DICM":
                return None
            twin, identity = bytes(128) + b"DICM" + bytes(len(content) - 132), None
            self._manifest.unread += len(content) - 132
        if self._scrubber.learning:
            self._learn(identity)
            return twin
        for name in ("md5", "sha1", "sha256"):
            original, new = (hashlib.new(name, data, usedforsecurity=False).hexdigest() for data in (content, twin))
            self._scrubber.learn_digest(original, new)
        return self._counted("DICOM files", twin)

    def _learn(self, identity: Identity | None) -> None:
        if identity is not None and all(identity[1:]):
            self._scrubber.learn_resource(*identity)

    def _text(self, content: bytes, content_type: str) -> bytes | None:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            return None
        start = text[:64].lstrip(" \t\r\n\ufeff")[:1]
        if start in ("{", "[") or "json" in content_type:
            if self._scrubber.learning:
                learn_resources(content, self._scrubber)
            self._count("JSON documents")
            return self._json.of(text).encode("utf-8", "surrogatepass")
        if content_type.startswith(_PAGES) or len(text) > _LONGEST_TEXT or "\0" in text:
            return self._counted("pages and long texts, filled with x", filled(text).encode())
        self._count("texts")
        if start == "<":
            return _MARKUP.sub(self._markup, text).encode()
        return "\n".join(map(self._line, text.split("\n"))).encode("utf-8", "surrogatepass")

    def _markup(self, match: re.Match[str]) -> str:
        piece = match[0]
        if piece.startswith("<"):  # of WebDAV
            return piece
        if piece.startswith("/"):
            return self.addresses.target(piece)
        return piece if _PLAIN.fullmatch(piece.strip()) else self._scrubber.text(piece)

    def _line(self, line: str) -> str:
        plain = line.rstrip("\r")
        if _PLAIN.fullmatch(plain):
            return line
        metric = _METRIC.fullmatch(plain)
        if metric and is_metric(metric[1]):
            return f"{metric[1]} {metric[2]}{re.sub(r'[0-9]', '0', metric[3] or '')}"
        return self.addresses.target(plain) if plain.startswith("/") else self._scrubber.text(line)

    def _decoded(self, kind: str, text: str) -> str:
        """Return the twin of what is in base64, in base64."""
        try:
            content = base64.b64decode(text, validate=False)
        except (binascii.Error, ValueError):
            return filled(text)
        if not content:
            return filled(text)
        return base64.b64encode(self._inner(content, kind)).decode()
