"""Reading an answer of HTTP from a peer that is not trusted: its lengths, its lines and its time have an end."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from orthanc_lab.peers.deadline import Deadline
from orthanc_lab.peers.failures import (
    EMPTY,
    ENCODING,
    PARTIAL,
    RECEIVING,
    TOO_LARGE,
    UNKNOWN_PROTOCOL,
    WEIRD,
    CallError,
    receiving_failure,
)

__all__ = ["AnswerReader", "Head", "Received"]

_PIECE = 64 * 1024  # bytes
_LONGEST_HEAD = 300 * 1024  # bytes; of all heads and trailers of one answer, as in libcurl
_MOST_HEADERS = 5000
_STATUS = re.compile(rb"HTTP/(\d)(?:\.(\d))?[ \t]+([1-9]\d\d)(?:[ \t]+(.*))?")
_LENGTH = re.compile("[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_NO_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and the headers of an answer."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    is_new: bool  # HTTP/1.1, where connections stay open unless it is said otherwise

    def all(self, name: str) -> list[str]:
        """Return the values of a header; `name` is in lower case."""
        return [value for given, value in self.headers if given.lower() == name]

    def words(self, name: str) -> list[str]:
        """Return what a header lists, in lower case."""
        listed = (word.strip().lower() for value in self.all(name) for word in value.split(","))
        return [word for word in listed if word]

    @property
    def length(self) -> int | None:
        """What ``Content-Length`` says, None without it.

        Raises
        ------
        CallError
            If that is no number, or several ones.
        """
        given = self.words("content-length")
        if not given:
            return None
        if len(set(given)) > 1 or not _LENGTH.fullmatch(given[0]):
            raise CallError(WEIRD)
        return int(given[0])

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks.

        Raises
        ------
        CallError
            If it comes in a form that was not asked for.
        """
        codings = [word for word in self.words("transfer-encoding") if word != "identity"]
        if codings and codings != ["chunked"]:
            raise CallError(ENCODING)
        return bool(codings)

    @property
    def keeps_open(self) -> bool:
        """Whether the connection stays open."""
        said = self.words("connection")
        return "close" not in said if self.is_new else "keep-alive" in said


@dataclass(frozen=True, slots=True)
class Received:
    """An answer."""

    head: Head
    body: bytes
    can_follow: bool  # whether the connection can be used for another request


class AnswerReader:
    """Reads one answer.

    Raises
    ------
    CallError
        By all methods, if the answer does not come, or is not one.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline
        self._buffer = bytearray()
        self._begun = False
        self._head_left = _LONGEST_HEAD

    @property
    def is_drained(self) -> bool:
        """Whether nothing has come behind what was read."""
        return not self._buffer

    def read(self, verb: str, longest: int) -> Received:
        """Return the answer to a request with this verb.

        Parameters
        ----------
        longest
            Bytes of the longest body that is read.
        """
        head = self.head()
        if verb == "HEAD" or head.status in _NO_BODY or head.status == HTTPStatus.SWITCHING_PROTOCOLS:
            body, has_end = b"", head.status != HTTPStatus.SWITCHING_PROTOCOLS
        elif head.is_chunked:
            body, has_end = self._chunks(longest), True
        elif (length := head.length) is not None:
            body, has_end = self._exactly(length, longest), True
        else:
            body, has_end = self._rest(longest), False
        return Received(head, body, has_end and head.keeps_open and self.is_drained)

    def head(self) -> Head:
        """Return the head of the answer; those that only tell that it will come are passed over."""
        while True:
            head = self._any_head()
            if head.status >= 200 or head.status == HTTPStatus.SWITCHING_PROTOCOLS:
                return head

    def _any_head(self) -> Head:
        line = self._head_line(EMPTY)
        if b"\0" in line:
            raise CallError(WEIRD)
        found = _STATUS.fullmatch(line)
        if found is None:
            raise CallError(UNKNOWN_PROTOCOL)
        if found[1] != b"1" or found[2] not in (b"0", b"1"):
            raise CallError(WEIRD if found[1] in (b"2", b"3") else UNKNOWN_PROTOCOL)
        return Head(int(found[3]), (found[4] or b"").decode("latin-1"), self._headers(), found[2] == b"1")

    def _headers(self) -> list[tuple[str, str]]:
        lines: list[bytearray] = []
        while line := self._head_line(PARTIAL):
            if len(lines) == _MOST_HEADERS:
                raise CallError(TOO_LARGE)
            if line[:1] in (b" ", b"\t") and lines:
                lines[-1] += b" " + line.strip()  # one header on several lines
            elif b":" in line and b"\0" not in line:
                lines.append(bytearray(line))
            else:
                raise CallError(WEIRD)
        split = (line.decode("latin-1").partition(":") for line in lines)
        return [(name.strip(), value.strip()) for name, _, value in split]

    def _head_line(self, at_end: str) -> bytes:
        line = self._line(self._head_left, at_end)
        self._head_left -= len(line) + 1
        return line.removesuffix(b"\r")

    def _line(self, longest: int, at_end: str) -> bytes:
        """Return the next line, without its line feed; `at_end` is what it is called if there is none."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > longest:
                raise CallError(TOO_LARGE)
            more = self._received(_PIECE)
            if not more:
                raise CallError(at_end, silent=not self._begun)
            self._buffer += more
        if end > longest:
            raise CallError(TOO_LARGE)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _chunks(self, longest: int) -> bytes:
        body = bytearray()
        while True:
            found = _CHUNK_SIZE.fullmatch(self._chunk_line())
            if found is None:
                raise CallError(RECEIVING)
            size = int(found[1], 16)
            if not size:
                break
            body += self._exactly(size, longest - len(body))
            if self._chunk_line():
                raise CallError(RECEIVING)
        while self._head_line(PARTIAL):
            pass
        return bytes(body)

    def _chunk_line(self) -> bytes:
        return self._line(_PIECE, PARTIAL).removesuffix(b"\r")

    def _exactly(self, size: int, longest: int) -> bytes:
        if size > longest:
            raise CallError(RECEIVING)
        if len(self._buffer) < size:
            body, self._buffer = self._buffer, bytearray()
            while len(body) < size:
                more = self._received(min(_PIECE, size - len(body)))
                if not more:
                    raise CallError(PARTIAL)
                body += more
            return bytes(body)
        body = self._buffer[:size]
        del self._buffer[:size]
        return bytes(body)

    def _rest(self, longest: int) -> bytes:
        while len(self._buffer) <= longest:
            more = self._received(_PIECE)
            if not more:
                body, self._buffer = self._buffer, bytearray()
                return bytes(body)
            self._buffer += more
        raise CallError(RECEIVING)

    def _received(self, size: int) -> bytes:
        """Return what comes next, at most so many bytes; none at the end of the connection."""
        try:
            self._socket.settimeout(self._deadline.left())
            part = self._socket.recv(size)
        except (OSError, ValueError) as error:
            raise receiving_failure(error, begun=self._begun) from error
        self._begun = self._begun or bool(part)
        return part
