"""Making a capsule of a recording."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from orthanc_lab.dicom.dictionary.tags import (
    PATIENT_ID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
)
from orthanc_lab.protocol.arguments import path_of
from orthanc_lab.testing.capsule.body_twin import BodyTwin
from orthanc_lab.testing.capsule.headers import HeaderTwin
from orthanc_lab.testing.capsule.manifest import Manifest
from orthanc_lab.testing.capsule.pseudonyms import Pseudonyms
from orthanc_lab.testing.capsule.scrubbing import Scrubber
from orthanc_lab.testing.recordings.bodies import BytesBody
from orthanc_lab.testing.recordings.exchange import Body, Headers, RecordedExchange
from orthanc_lab.testing.recordings.reader import Recording
from orthanc_lab.testing.recordings.writer import PIECE, RecordingWriter

__all__ = ["make_capsule"]

_LARGEST = 256 << 20  # bytes of a body that is looked into
_METHOD = re.compile(r"GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|PROPFIND|PROPPATCH|MKCOL|LOCK|UNLOCK|COPY|MOVE")
_IDENTIFIERS = (
    (PATIENT_ID, "LO"),
    (STUDY_INSTANCE_UID, "UI"),
    (SERIES_INSTANCE_UID, "UI"),
    (SOP_INSTANCE_UID, "UI"),
)


def make_capsule(recording: str | Path, capsule: str | Path, *, key: bytes | None = None) -> Manifest:
    """Make a capsule of a recording: the same exchanges, in which nothing stays but their shape.

    Each DICOM file becomes a synthetic one of the same tags, VRs, lengths, sequences, private blocks and transfer
    syntax; each word, UID and identifier a pseudonym of the same length, the same wherever it occurs; Orthanc's
    identifiers are the hashes of the pseudonyms. Free text, pixels and binary values are filled. What stays is on lists
    of what is known to say nothing, tag by tag and field by field. Read the manifest before you share a capsule.

    Parameters
    ----------
    recording
        The recording.
    capsule
        The file to write; it must not exist.
    key
        Decides on the pseudonyms, so that two capsules have the same; a random one that is forgotten if omitted.

    Returns
    -------
    Manifest
        What was replaced, and each value that was not; its text is also in the file.

    Raises
    ------
    RecordingError
        If the recording is damaged.
    OSError
        If the capsule exists, or cannot be written.

    Examples
    --------
    >>> from orthanc_lab.testing import make_capsule, recorded
    >>> manifest = make_capsule("story.recording", "story.capsule")
    >>> sorted(manifest.kept["(0008,0060) Modality"])
    ['CT']
    >>> with recorded("story.capsule") as server:
    ...     server.recording.exchanges[0].status
    200
    """
    path_of(capsule)
    manifest = Manifest()
    with Recording(recording) as source:
        making = _Making(manifest, key)
        making.learn(source)
        writer = RecordingWriter(Path(capsule), {"capsule": True}, small=True)
        try:
            for exchange in making.twins(source):
                writer.add(exchange)
            writer.close({"manifest": str(manifest)})
        except BaseException:
            writer.close()
            os.unlink(capsule)  # noqa: PTH108 - half of a capsule is none
            raise
    return manifest


class _Making:
    """Goes over a recording twice: to learn, and to replace."""

    def __init__(self, manifest: Manifest, key: bytes | None) -> None:
        self._manifest = manifest
        self._scrubber = Scrubber(Pseudonyms(key), manifest)
        self._bodies = BodyTwin(self._scrubber, manifest)
        self._headers = HeaderTwin(self._scrubber, self._bodies.addresses, self._bodies.containers, manifest)
        self._made: dict[tuple[str, str], Body] = {}

    def learn(self, source: Recording) -> None:
        """Take note of all that occurs."""
        seen: set[tuple[str, str]] = set()
        for exchange in source:
            self._twin(exchange, seen)
        self._scrubber.close(lambda level, text: self._bodies.values.text(*_IDENTIFIERS[level], text))

    def twins(self, source: Recording) -> Iterator[RecordedExchange]:
        """Yield the exchanges of the capsule."""
        for exchange in source:
            self._manifest.exchanges += 1
            yield self._twin(exchange, None)

    def _twin(self, exchange: RecordedExchange, seen: set[tuple[str, str]] | None) -> RecordedExchange:
        return RecordedExchange(
            method=exchange.method if _METHOD.fullmatch(exchange.method) else "GET",
            target=self._bodies.addresses.target(exchange.target),
            headers=self._headers.of(exchange.headers),
            body=self._body(exchange.body, exchange.headers, seen),
            status=exchange.status,
            answer_headers=self._headers.of(exchange.answer_headers),
            answer=self._body(exchange.answer, exchange.answer_headers, seen),
            chunked=exchange.chunked,
            complete=exchange.complete,
            at=exchange.at,
            took=exchange.took,
        )

    def _body(self, body: Body | None, headers: Headers, seen: set[tuple[str, str]] | None) -> Body | None:
        if body is None:
            return None
        fields = dict(headers)
        kind = fields.get("content-type", "")
        place = (body.digest, kind)
        if seen is not None:
            if place not in seen and body.size <= _LARGEST:
                seen.add(place)
                self._bodies.of(body.read(), kind)
            return None
        if place not in self._made:
            twin: Body = _Zeros(body.size)
            if body.size <= _LARGEST:
                deflated = fields.get("content-encoding", "").lower() == "deflate"
                twin = BytesBody(self._bodies.of(body.read(), kind, encoded=deflated))
            self._made[place] = _Written(twin)
            return twin
        return self._made[place]


class _Zeros:
    """A body that is too large to be looked into."""

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal digits."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, 64 kB at most at a time."""
        for at in range(0, self.size, PIECE):
            yield bytes(min(PIECE, self.size - at))

    def read(self) -> bytes:
        """Return all bytes."""
        return bytes(self.size)


class _Written:
    """A body that is in the file already: its digest is enough."""

    def __init__(self, body: Body) -> None:
        self.digest = body.digest
        self.size = body.size

    def pieces(self) -> Iterator[bytes]:
        """Yield nothing: the writer knows the digest."""
        return iter(())

    def read(self) -> bytes:
        """Return nothing."""
        return b""
