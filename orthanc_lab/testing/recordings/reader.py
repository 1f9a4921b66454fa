"""Reading a recording: its exchanges, and their bodies from the file."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from orthanc_lab.protocol.arguments import existing_file
from orthanc_lab.testing.recordings.errors import RecordingError
from orthanc_lab.testing.recordings.exchange import RecordedExchange
from orthanc_lab.testing.recordings.format import Record, RecordKind, read_magic, read_segments
from orthanc_lab.testing.recordings.writer import PIECE

__all__ = ["Recording"]

_PARTS = (RecordKind.DATA, RecordKind.RUN)
_BROKEN = re.compile(r"[\r\n\0]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RUN_BYTES = 9  # the byte, and how often it comes


class Recording:
    """A recording that is open for reading; threads may share it.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    RecordingError
        If it is not a recording, is of another version, or is damaged.
    OSError
        If it cannot be read.

    Attributes
    ----------
    header, summary
        What the file says of itself, at its beginning and at its end; the summary of a capsule has its manifest.
    exchanges
        All exchanges, in the order in which they ended.
    is_complete
        False if the program that wrote it was killed: what it had not finished is missing.

    Examples
    --------
    >>> for exchange in recording:
    ...     print(exchange)
    POST /instances -> 200
    GET /statistics -> 200
    """

    def __init__(self, path: str | Path) -> None:
        self.path = existing_file(path)
        self._file = self.path.open("rb")
        self._lock = threading.Lock()
        self._cached: tuple[int, list[Record]] = (-1, [])
        self._bodies: dict[str, _StoredBody] = {}
        self.header: dict[str, Any] = {}
        self.exchanges: list[RecordedExchange] = []
        self.summary: dict[str, Any] = {}
        self.is_complete = False
        try:
            read_magic(self._file, str(path))
            self._read_all()
        except BaseException:
            self._file.close()
            raise

    def __repr__(self) -> str:
        noun = "exchange" if len(self.exchanges) == 1 else "exchanges"
        return f"<Recording {self.path}: {len(self.exchanges)} {noun}{'' if self.is_complete else ', not complete'}>"

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[RecordedExchange]:
        return iter(self.exchanges)

    def __len__(self) -> int:
        return len(self.exchanges)

    def close(self) -> None:
        """Close the file; bodies cannot be read any more."""
        self._file.close()

    def _read_all(self) -> None:
        begun: Record | None = None  # the first record of the body that is being read
        size = 0
        for records in read_segments(self._file, str(self.path)):
            for record in records:
                if record.kind in _PARTS:
                    begun = begun or record
                    size += self._size_of(record)
                elif record.kind is RecordKind.BODY:
                    first = begun or record
                    digest = record.data.hex()
                    self._bodies[digest] = _StoredBody(self, digest, size, first.segment, first.number)
                    begun, size = None, 0
                else:
                    self._take(record)

    def _take(self, record: Record) -> None:
        try:
            value = json.loads(record.data)
            if not isinstance(value, dict):
                raise TypeError("no object")
            if record.kind is RecordKind.EXCHANGE:
                self.exchanges.append(self._exchange(value))
            elif record.kind is RecordKind.HEADER:
                self.header = value
            else:
                self.summary = value
                self.is_complete = True
        except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
            raise self._damaged(record) from error

    def _size_of(self, record: Record) -> int:
        size = _size_of(record)
        if record.kind is RecordKind.RUN and (len(record.data) != _RUN_BYTES or size > PIECE):
            raise self._damaged(record)
        return size

    def _damaged(self, record: Record) -> RecordingError:
        return RecordingError(f"{self.path} is damaged at byte {record.segment}")

    def _exchange(self, value: dict[str, Any]) -> RecordedExchange:
        bodies = [None if value[name] is None else self._bodies[value[name]] for name in ("body", "answer")]
        return RecordedExchange(
            method=_line(value["method"]),
            target=_line(value["target"]),
            headers=tuple((_header(name), _header(text)) for name, text in value["headers"]),
            body=bodies[0],
            status=_status(value["status"]),
            answer_headers=tuple((_header(name), _header(text)) for name, text in value["answer_headers"]),
            answer=bodies[1],
            chunked=bool(value["chunked"]),
            complete=bool(value["complete"]),
            at=float(value["at"]),
            took=float(value["took"]),
        )

    def pieces_from(self, segment: int, number: int) -> Iterator[bytes]:
        """Yield the bytes of the body that starts at a record."""
        while True:
            records, following = self._segment(segment)
            for record in records[number:]:
                if record.kind is RecordKind.DATA:
                    yield record.data
                elif record.kind is RecordKind.RUN:
                    yield from _run(record)
                else:
                    return
            segment, number = following, 0

    def _segment(self, position: int) -> tuple[list[Record], int]:
        """Return the records of a segment, and the position of the next one."""
        with self._lock:
            if self._cached[0] != position:
                records = next(read_segments(self._file, str(self.path), position), None)
                if records is None:
                    raise RecordingError(f"{self.path} has become shorter")
                self._cached = (position, records)
                self._following = self._file.tell()
            return self._cached[1], self._following


@dataclass(frozen=True, slots=True)
class _StoredBody:
    """A body in a recording."""

    _recording: Recording
    digest: str
    size: int
    _segment: int
    _number: int

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, 64 kB at most at a time."""
        return self._recording.pieces_from(self._segment, self._number)

    def read(self) -> bytes:
        """Return all bytes."""
        return b"".join(self.pieces())

    def __repr__(self) -> str:
        return f"<{self.size} bytes, {self.digest[:8]}>"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.80} is no text")
    value.encode()  # else it cannot be shown
    return value


def _line(value: object) -> str:
    text = _text(value)
    if _CONTROL.search(text):  # none of it comes over HTTP; shown, it would write lines, or control the terminal
        raise ValueError(f"{text!r:.80} has control characters")
    return text


def _header(value: object) -> str:
    text = _text(value)
    text.encode("latin-1")  # else it cannot be sent
    if _BROKEN.search(text):
        raise ValueError(f"{text!r:.80} is more than one header")
    return text


def _status(value: object) -> int:
    if type(value) is not int or not (value == 0 or 200 <= value < 1000):
        raise ValueError(f"{value!r:.80} is no status")
    return value


def _size_of(record: Record) -> int:
    return len(record.data) if record.kind is RecordKind.DATA else int.from_bytes(record.data[1:9], "big")


def _run(record: Record) -> Iterator[bytes]:
    left = _size_of(record)
    whole = record.data[:1] * min(left, PIECE)
    while left:
        piece = whole[:left]
        yield piece
        left -= len(piece)
