"""Writing a recording: exchange by exchange, each body once."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from orthanc_lab.protocol.private_files import FILE_MODE
from orthanc_lab.protocol.target_file import check_target
from orthanc_lab.protocol.version import VERSION
from orthanc_lab.testing.recordings.exchange import RecordedExchange
from orthanc_lab.testing.recordings.format import MAGIC, Codec, RecordKind, pack_record, pack_segment

__all__ = ["PIECE", "RecordingWriter"]

PIECE = 1 << 16
"""Bytes of a body that are handled at a time."""

_FULL = 1 << 20  # bytes of records after which a segment is written, also within a body
_FULL_XZ = 4 << 20
_BLOCK = 1024  # bytes that are looked at for being all the same


class RecordingWriter:
    """Writes a new file, which no other user of the machine can read; threads may share it.

    Parameters
    ----------
    path
        The file; it must not exist.
    header
        What the file says of itself.
    small
        Pack several exchanges together: a smaller file, of which a killed program leaves less.

    Raises
    ------
    OSError
        If the file exists, or cannot be created.

    Examples
    --------
    >>> from pathlib import Path
    >>> from orthanc_lab.testing.recordings.exchange import RecordedExchange
    >>> from orthanc_lab.testing.recordings.reader import Recording
    >>> with RecordingWriter(Path("one.recording")) as writer:
    ...     writer.add(RecordedExchange("GET", "/instances", status=200))
    >>> with Recording("one.recording") as recording:
    ...     print(*recording)
    GET /instances -> 200
    """

    def __init__(self, path: Path, header: dict[str, Any] | None = None, *, small: bool = False) -> None:
        check_target(path)
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, FILE_MODE)
        except FileExistsError:
            raise FileExistsError(f"{path} exists; a recording needs a new file") from None
        self._codec = Codec.XZ if small else Codec.ZLIB
        self._full = _FULL_XZ if small else _FULL
        self._flushes = not small
        self._lock = threading.Lock()
        self._digests: set[str] = set()
        self._records: list[bytes] = []
        self._size = 0
        self.exchanges = 0
        """Number of exchanges written."""
        try:
            self._put(RecordKind.HEADER, _json({"program": f"orthanc-lab {VERSION}", **(header or {})}))
            self._write(MAGIC)
            self._flush()
        except BaseException:
            self._end()
            path.unlink()  # a file without its header could neither be read nor be written again
            raise

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, exchange: RecordedExchange) -> None:
        """Write an exchange, with those of its bodies that were not written before.

        Raises
        ------
        OSError
            If the disk is full; the file then ends with the exchange before.
        """
        with self._lock:
            if self._file < 0:
                raise OSError("The recording has ended")
            try:
                for body in (exchange.body, exchange.answer):
                    if body is not None and body.digest not in self._digests:
                        self._body(body.pieces(), body.digest)
                self._put(RecordKind.EXCHANGE, _json(exchange.as_json()))
                if self._flushes:
                    self._flush()
            except OSError:
                self._end()  # what would come next could not be read
                raise
            self.exchanges += 1

    def close(self, summary: dict[str, Any] | None = None) -> None:
        """Write that the recording ends here, and close the file.

        Parameters
        ----------
        summary
            What the file says of itself at its end.
        """
        with self._lock:
            if self._file < 0:
                return
            try:
                self._put(RecordKind.END, _json({"exchanges": self.exchanges, **(summary or {})}))
                self._flush()
            finally:
                self._end()

    def _end(self) -> None:
        os.close(self._file)
        self._file = -1

    def _body(self, pieces: Iterable[bytes], digest: str) -> None:
        for piece in pieces:
            for record in _records_of(piece):
                self._append(record)
        self._put(RecordKind.BODY, bytes.fromhex(digest))
        self._digests.add(digest)

    def _put(self, kind: RecordKind, data: bytes) -> None:
        self._append(pack_record(kind, data))

    def _append(self, record: bytes) -> None:
        self._records.append(record)
        self._size += len(record)
        if self._size >= self._full:
            self._flush()

    def _flush(self) -> None:
        if self._records:
            content = b"".join(self._records)
            self._records.clear()
            self._size = 0
            self._write(pack_segment(content, self._codec))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]


def _records_of(piece: bytes) -> Iterator[bytes]:
    begun = 0
    at = 0
    while at + _BLOCK <= len(piece):
        first = piece[at : at + 1]
        if piece.count(first, at, at + _BLOCK) < _BLOCK:
            at += _BLOCK
            continue
        if at > begun:
            yield pack_record(RecordKind.DATA, piece[begun:at])
        end = at + _BLOCK
        while end + _BLOCK <= len(piece) and piece.count(first, end, end + _BLOCK) == _BLOCK:
            end += _BLOCK
        yield pack_record(RecordKind.RUN, first + (end - at).to_bytes(8, "big"))
        begun = at = end
    if begun < len(piece):
        yield pack_record(RecordKind.DATA, piece[begun:])


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
