"""One connection of the HTTP server: requests in, answers out, one after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from orthanc_lab.protocol.errors import http_status_text
from orthanc_lab.server.http.batches import Answered, Batches, Offer
from orthanc_lab.server.http.body import Body, ChunkedBody, ClientTimeout, SizedBody
from orthanc_lab.server.http.head import BadRequest, HeadReader
from orthanc_lab.server.http.reply import BadHeaders, Replies, Reply, Start, staying
from orthanc_lab.server.http.wire import Wire

__all__ = ["Application", "Connection", "Patience"]

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_log = logging.getLogger("orthanc_lab.http")
_FIRST = 8192  # bytes asked for while a head is awaited: a small upload comes with its head
_SMALL = 32 * 1024  # bytes of a body that is answered together with others
_LONGEST_HEAD = 400 * 1024  # bytes
_ASSEMBLED = 1 << 20  # bytes of a body for which memory is set aside at once
_FINISH_S = 0.5  # for the rest of a body that nobody read
_BLANK = b"\r\n\r\n"
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
# A client that sends its next request in the last moment must not find the connection closed.
_GRACE_S = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server waits for its clients."""

    request: float = 30  # seconds for the first byte of a connection, for a whole head, without progress in a body
    keep_alive: int = 1  # seconds between two requests; 0 for one request a connection

    @property
    def between(self) -> float:
        """Seconds that a connection really stays open for another request."""
        return self.keep_alive + _GRACE_S


class Connection:
    """A client and its requests.

    Parameters
    ----------
    wire
        Its socket.
    host
        What is the same for all requests (PEP 3333).
    """

    def __init__(self, wire: Wire, host: Mapping[str, Any], patience: Patience) -> None:
        self._wire = wire
        self._host = host
        self._request_s = patience.request
        self._staying = staying(patience.keep_alive)
        self._idle_s = patience.request  # until the first request
        self._between_s = patience.between
        self._buffer = b""  # what came and was not taken yet
        self._heads = HeadReader()
        self._last: tuple[bytes, dict[str, str]] = (b"", {})  # clients that poll send the same head again
        self._replies = Replies()
        self.idle = True
        """Whether no request is in progress."""
        # What `batches.Member` is:
        self.in_a_row = 0
        self.outcome: Application | None = None
        self._unsent = b""  # of an answer
        self.deadline = 0.0

    # -- requests ------------------------------------------------------------------

    def serve(self, application: Callable[[], Application], batches: Batches) -> None:
        """Answer the requests until the client or the server has enough.

        Parameters
        ----------
        application
            Returns the one that answers the next request.
        batches
            Answers requests together with those of other connections.
        """
        try:
            while (head := self._next_head()) is not None:
                outcome, self.outcome = self.outcome, None
                if not self._answer(head, outcome or application()):
                    return
                if self._buffer:
                    self._wire.note_asking_ahead()
                if not self._is_small_post():
                    batches.forget(self)
                    continue
                if self._buffer:  # the next request is here already, so that nobody would be told that it comes
                    continue
                self._await_request()
                batches.visit(self)
                if not self._send_rest():
                    return
        except BadRequest as refused:
            self._refuse(refused.status)
        except ClientTimeout:  # nothing was asked
            pass

    # -- its place -------------------------------------------------------------------

    def lateness(self, now: float) -> float:
        """Return for how many seconds the client owes something (`places.Guest`)."""
        return self._wire.lateness(now)

    def has_sent(self) -> bool:
        """Whether what the client owes has come meanwhile (`places.Guest`)."""
        return self._wire.has_sent()

    def cut(self) -> None:
        """End the connection (`places.Guest`)."""
        self._wire.cut()

    def finish(self) -> None:
        """Accept no further request; one in progress is answered."""
        self._staying = ""
        if self.idle:
            self._wire.cut()

    # -- together with others ----------------------------------------------------------

    @property
    def descriptor(self) -> int | None:
        """Of its socket; None if it is encrypted (`batches.Member`)."""
        return self._wire.descriptor

    @property
    def request(self) -> Mapping[str, str]:
        """The head of the last request (`batches.Member`)."""
        return self._last[1]

    def _is_small_post(self) -> bool:
        fields = self.request
        return fields["REQUEST_METHOD"] == "POST" and 0 < int(fields.get("CONTENT_LENGTH", 0)) <= _SMALL

    def offer(self) -> Offer | None:
        """Read what has come, without waiting; None unless that is one small request (`batches.Member`)."""
        self._buffer += self._wire.receive_at_once(_SMALL + _FIRST)
        buffer = self._buffer
        end = buffer.find(_BLANK)
        if end < 0 or buffer[0] not in _TOKEN:
            return None
        head, start = buffer[:end], end + len(_BLANK)
        try:
            fields = self._fields(head)
        except BadRequest:  # it is refused where it is read again
            return None
        length = fields.get("CONTENT_LENGTH")
        if length is None or not 0 < len(buffer) - start == int(length) or _is_unusual(fields):
            return None
        self.idle = False
        self._wire.waits_since = None
        return Offer(head, {**self._host, **fields}, buffer[start:])

    def conclude(self, offer: Offer, answer: Answered) -> bool:
        """Send the answer to an offer; False if something is left to do (`batches.Member`)."""
        self._buffer = b""
        start = Start()
        start.status, start.headers, body = answer
        whole = self._replies.reply(offer.environ, start, self._staying, len(body)).head(len(body)) + body
        self._unsent = whole[self._wire.send_at_once(whole) :]
        self._await_request()
        return not self._unsent and self._staying != ""

    def _send_rest(self) -> bool:
        """Send what the client did not take at once; False if that fails, or if it was the last answer."""
        if self._unsent:
            rest, self._unsent = self._unsent, b""
            try:
                self._wire.send(rest)
            except (OSError, ClientTimeout):
                self._wire.abort()
                return False
        return self._staying != ""

    # -- heads -----------------------------------------------------------------------

    def _await_request(self) -> float:
        """Take note that the client may send its next request from now on; return the moment."""
        self.idle = True
        self._wire.behind = 0.0
        self._wire.waits_since = now = time.monotonic()
        self.deadline = now + self._idle_s
        return now

    def _fields(self, head: bytes) -> dict[str, str]:
        known, fields = self._last
        if known != head:
            fields = self._heads.read(head)
            self._last = (head, fields)
        return fields

    def _next_head(self) -> bytes | None:
        """Return the next head without its blank line, None if the client leaves."""
        wire = self._wire
        began = self._await_request()
        buffer = self._buffer.lstrip(b"\r\n")
        if not buffer:
            buffer = wire.receive_by(began + self._idle_s, _FIRST)
            if not buffer:
                return None
        self.idle = False
        self._idle_s = self._between_s
        if buffer[0] not in _TOKEN or (end := buffer.find(_BLANK)) < 0:
            whole = self._head_in_pieces(buffer)
            if whole is None:
                return None
            buffer, end = whole, whole.find(_BLANK)
        wire.waits_since = None
        self._buffer = buffer[end + len(_BLANK) :]
        return buffer[:end]

    def _head_in_pieces(self, begun: bytes) -> bytes | None:
        """Return a whole head and what follows it; all of it, blank lines before it too, has the time of a request."""
        self._wire.waits_since = began = time.monotonic()
        deadline = began + self._request_s
        buffer = bytearray(begun.lstrip(b"\r\n"))
        looked_at = 0
        while buffer.find(_BLANK, looked_at) < 0:
            if buffer and buffer[0] not in _TOKEN:
                raise BadRequest
            if len(buffer) > _LONGEST_HEAD:
                raise BadRequest(431)
            looked_at = max(0, len(buffer) - len(_BLANK) + 1)
            try:
                piece = self._wire.receive_by(deadline, _FIRST)
                if time.monotonic() > deadline:
                    raise ClientTimeout
            except ClientTimeout:
                if not buffer:
                    raise
                raise BadRequest(408) from None
            if not piece:
                return None
            buffer += piece if buffer else piece.lstrip(b"\r\n")
        if buffer[0] not in _TOKEN:
            raise BadRequest
        return bytes(buffer)

    def _answer(self, head: bytes, application: Application) -> bool:
        """Answer one request; False if it was the last one."""
        fields = self._fields(head)
        environ: dict[str, Any] = {**self._host, **fields}
        body = self._body(fields)
        environ["wsgi.input"] = BytesIO() if body is None else body
        start = Start()
        answer: Iterable[bytes] = ()
        try:
            answer = application(environ, start)
        except ConnectionError:  # there is nobody to answer any more
            self._wire.abort()
            return False
        except BaseException:  # no signal comes to this thread, but extensions raise what they like
            _log.exception("The application failed outside of its own error answers")
            start("500 Internal Server Error", [])
            answer = []
        if body is not None:
            if body.stalled:
                _close(answer)
                self._refuse(408)
                return False
            self._wire.behind = 0.0
        size = len(answer[0]) if type(answer) is list and len(answer) == 1 else None
        stays = self._staying if body is None or body.can_finish else ""
        reply = self._replies.reply(fields, start, stays, size)
        if not self._send_answer(reply, answer):
            return False
        if body is not None and not body.finished and not self._skip(body):
            self._wire.linger()
            return False
        return reply.keep_alive and self._staying != ""

    def _body(self, fields: Mapping[str, str]) -> Body | None:
        invite = self._invite if fields.get("HTTP_EXPECT", "").lower() == "100-continue" else None
        length = fields.get("CONTENT_LENGTH")
        if length == "0":
            return None
        if length is not None:
            return SizedBody(self, int(length), invite)
        return ChunkedBody(self, invite) if "HTTP_TRANSFER_ENCODING" in fields else None

    def _skip(self, body: Body) -> bool:
        """Read what nobody has read of a body; False if there is too much of it, or if it takes too long."""
        self._wire.hurry(_FINISH_S)
        try:
            return body.finish()
        finally:
            self._wire.hurry(None)

    # -- bytes from the client -------------------------------------------------------

    def take(self, most: int) -> bytes:
        """Return the next bytes of a body, as many as that unless the client pauses (`BodySource`)."""
        begun = len(self._buffer)
        if _FIRST <= most <= _ASSEMBLED and begun < most:
            piece, self._buffer = self._buffer, b""
            return self._wire.receive_after(piece, most)
        if begun:
            piece, self._buffer = self._buffer[:most], self._buffer[most:]
            return piece
        return self._wire.receive(most, whole=True)

    def take_line(self, most: int) -> bytes:
        """Return the next bytes up to a line feed (`BodySource`)."""
        while (end := self._buffer.find(b"\n", 0, most) + 1) == 0 and len(self._buffer) < most:
            piece = self._wire.receive(_FIRST)
            if not piece:
                break
            self._buffer += piece
        end = end or most
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def give_back(self, data: bytes) -> None:
        """Put bytes back (`BodySource`)."""
        self._buffer = data + self._buffer

    # -- bytes to the client ---------------------------------------------------------

    def _send_answer(self, reply: Reply, answer: Iterable[bytes]) -> bool:
        """Send an answer; False if that failed, so that the client must not take it for whole."""
        try:
            if type(answer) is list:
                body = answer[0] if len(answer) == 1 else b"".join(answer)
                head = reply.head(len(body))
                self._wire.send(head, body) if reply.has_body else self._wire.send(head)
                return True
            self._wire.send(reply.head(None))
            if reply.has_body:
                self._stream(reply, answer)
            return True
        except (OSError, ClientTimeout):  # the client has left, or does not read
            self._wire.abort()
            return False
        except BadHeaders:
            _log.exception("An answer cannot be sent")
            self._refuse(500)
            return False
        except Exception:
            _log.exception("An answer failed on its way; its connection is cut")
            self._wire.abort()
            return False
        finally:
            _close(answer)

    def _stream(self, reply: Reply, answer: Iterable[bytes]) -> None:
        sent = 0
        descriptor = getattr(answer, "descriptor", None)
        if descriptor is not None and reply.announced is not None and self._wire.sends_files:
            sent = self._wire.send_file(descriptor, reply.announced)
            answer = ()
        for piece in answer:
            sent += len(piece)
            if not reply.is_chunked:
                self._wire.send(piece)
            elif piece:
                self._wire.send(b"%x\r\n" % len(piece), piece, b"\r\n")
        if reply.is_chunked:
            self._wire.send(b"0\r\n\r\n")
        if reply.announced not in (None, sent):
            raise ValueError(f"{sent} bytes in place of {reply.announced}")

    def _invite(self) -> None:
        with suppress(OSError, ClientTimeout):  # then the body does not come either
            self._wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refuse(self, status: int) -> None:
        """Answer a status by which the connection ends."""
        with suppress(OSError, ClientTimeout):
            self._wire.send(refusal(status))
            self._wire.linger()


def _is_unusual(fields: Mapping[str, str]) -> bool:
    """Tell whether a request asks for more than an answer on a connection that stays open."""
    stays = fields["SERVER_PROTOCOL"] != "HTTP/1.0" and fields.get("HTTP_CONNECTION", "") in ("", "keep-alive")
    return not stays or "HTTP_EXPECT" in fields


def refusal(status: int) -> bytes:
    """Return an answer of a status alone, by which the connection ends."""
    head = f"HTTP/1.1 {status} {http_status_text(status)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    return head.encode()


def _close(answer: Iterable[bytes]) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        try:
            close()
        except Exception:
            _log.exception("An answer failed at its end")
