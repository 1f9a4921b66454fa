"""One connection of the HTTP server: requests in, answers out, one after the other."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any

from orthanc_lab.protocol.errors import http_status_text
from orthanc_lab.server.http.body import Body, ChunkedBody, ClientTimeout, SizedBody
from orthanc_lab.server.http.head import BadRequest, read_head

__all__ = ["Application", "Connection"]

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_log = logging.getLogger("orthanc_lab.http")
_FIRST = 8192  # bytes asked for while a head is awaited: a small upload comes with its head
_LONGEST_HEAD = 400 * 1024  # bytes
_PIECE = 16 << 20  # bytes of a body taken at once, at most: no memory for what a client only announces
_ASSEMBLED = 1 << 20  # bytes of a body for which memory is set aside at once
_JOINED = 64 * 1024  # bytes up to which a copy costs less than a second buffer
_LINGER_S = 1.0  # silence of a client that still sends although nothing is read
_MOST_LINGERING = 64 << 20  # bytes of that
_BLANK = b"\r\n\r\n"
_WITHOUT_BODY = (204, 304)
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Connection:
    """A client and its requests.

    Parameters
    ----------
    client
        The accepted socket; a read or a write of it ends after the time-out.
    host
        What is the same for all requests (PEP 3333).
    timeout
        Seconds for a head to come to its end.
    keep_alive
        Whether further requests may follow the first.
    """

    def __init__(self, client: socket.socket, host: Mapping[str, Any], timeout: float, *, keep_alive: bool) -> None:
        self._client = client
        self._host = host
        self._timeout = timeout
        self._keep_alive = keep_alive
        self._buffer = b""  # what came and was not taken yet
        self._last: tuple[bytes, dict[str, str]] = (b"", {})  # clients that poll send the same head again
        self._is_plain = not isinstance(client, ssl.SSLSocket)
        self.idle = True
        """Whether no request is in progress."""

    # -- requests ------------------------------------------------------------------

    def serve(self, application: Callable[[], Application]) -> None:
        """Answer the requests until the client or the server has enough.

        Parameters
        ----------
        application
            Returns the one that answers the next request.
        """
        try:
            while (head := self._next_head()) is not None and self._answer(head, application()):
                pass
        except BadRequest as refused:
            self._refuse(refused.status)
        except ClientTimeout:
            if self._buffer:
                self._refuse(408)

    def close(self) -> None:
        """Close the socket."""
        self._client.close()

    def cut(self) -> None:
        """End the connection; its thread closes it."""
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        """Accept no further request; one in progress is answered."""
        self._keep_alive = False
        if self.idle:
            self.cut()

    def _next_head(self) -> bytes | None:
        """Return the next head without its blank line, None if the client leaves."""
        self.idle = True
        buffer = self._buffer.lstrip(b"\r\n")
        deadline = None
        while (end := buffer.find(_BLANK)) < 0:
            if len(buffer) > _LONGEST_HEAD:
                raise BadRequest(431)
            if deadline is not None and time.monotonic() > deadline:
                raise ClientTimeout
            piece = self._receive(_FIRST)
            if not piece:
                return None
            self.idle = False
            if buffer:
                deadline = deadline or time.monotonic() + self._timeout
            self._buffer = buffer = (buffer + piece).lstrip(b"\r\n") if len(buffer) < _FIRST else buffer + piece
            if buffer and buffer[0] not in _TOKEN:
                raise BadRequest
        self.idle = False
        self._buffer = buffer[end + len(_BLANK) :]
        return buffer[:end]

    def _answer(self, head: bytes, application: Application) -> bool:
        """Answer one request; False if it was the last one."""
        known, fields = self._last
        if known != head:
            fields = read_head(head)
            self._last = (head, fields)
        environ: dict[str, Any] = {**self._host, **fields}
        body = self._body(fields)
        environ["wsgi.input"] = BytesIO() if body is None else body
        start = _Start()
        answer: Iterable[bytes] = ()
        try:
            answer = application(environ, start)
        except Exception:
            _log.exception("The application failed outside of its own error answers")
            start("500 Internal Server Error", [])
            answer = []
        if body is not None and body.stalled:
            _close(answer)
            self._refuse(408)
            return False
        reply = _Reply(fields, start, keep_alive=self._keep_alive)
        if not self._send_answer(reply, answer):
            return False
        if body is not None and not body.finish():
            self._linger()
            return False
        return reply.keep_alive and self._keep_alive

    def _body(self, fields: Mapping[str, str]) -> Body | None:
        invite = self._invite if fields.get("HTTP_EXPECT", "").lower() == "100-continue" else None
        length = fields.get("CONTENT_LENGTH")
        if length is not None:
            return SizedBody(self, int(length), invite)
        return ChunkedBody(self, invite) if "HTTP_TRANSFER_ENCODING" in fields else None

    # -- bytes from the client -------------------------------------------------------

    def take(self, most: int) -> bytes:
        """Return the next bytes of a body, as many as that unless the client pauses (`BodySource`)."""
        begun = len(self._buffer)
        if _FIRST <= most <= _ASSEMBLED and begun < most and self._is_plain:
            return self._assembled(most)
        if begun:
            piece, self._buffer = self._buffer[:most], self._buffer[most:]
            return piece
        return self._receive(min(most, _PIECE), whole=True)

    def _assembled(self, size: int) -> bytes:
        """Return what came already and what follows it, received into one piece that is not copied."""
        whole = BytesIO(self._buffer)
        whole.seek(size - 1)
        whole.write(b"\0")
        with whole.getbuffer() as view:
            begun, self._buffer = len(self._buffer), b""
            try:
                begun += self._client.recv_into(view[begun:], 0, socket.MSG_WAITALL)
            except (BlockingIOError, TimeoutError) as error:
                if not begun:
                    raise ClientTimeout from error
            except OSError:  # the client is gone
                pass
        whole.truncate(begun)
        return whole.getvalue()

    def take_line(self, most: int) -> bytes:
        """Return the next bytes up to a line feed (`BodySource`)."""
        while (end := self._buffer.find(b"\n", 0, most) + 1) == 0 and len(self._buffer) < most:
            piece = self._receive(_FIRST)
            if not piece:
                break
            self._buffer += piece
        end = end or most
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def give_back(self, data: bytes) -> None:
        """Put bytes back (`BodySource`)."""
        self._buffer = data + self._buffer

    def _receive(self, most: int, *, whole: bool = False) -> bytes:
        try:
            if whole and self._is_plain:
                return self._client.recv(most, socket.MSG_WAITALL)
            return self._client.recv(most)
        except (BlockingIOError, TimeoutError) as error:
            raise ClientTimeout from error
        except OSError:  # the client is gone
            return b""

    # -- bytes to the client ---------------------------------------------------------

    def _send_answer(self, reply: _Reply, answer: Iterable[bytes]) -> bool:
        """Send an answer; False if that failed, so that the client must not take it for whole."""
        try:
            if type(answer) is list:
                body = answer[0] if len(answer) == 1 else b"".join(answer)
                head = reply.head(len(body))
                self._send(head, body) if reply.has_body else self._send(head)
                return True
            self._send(reply.head(None))
            if reply.has_body:
                self._stream(reply, answer)
            return True
        except OSError:  # the client has left, or does not read
            return False
        except BadHeaders:
            _log.exception("An answer cannot be sent")
            self._refuse(500)
            return False
        except Exception:
            _log.exception("An answer failed on its way; its connection is cut")
            self._abort()
            return False
        finally:
            _close(answer)

    def _stream(self, reply: _Reply, answer: Iterable[bytes]) -> None:
        sent = 0
        for piece in answer:
            sent += len(piece)
            if not reply.is_chunked:
                self._send(piece)
            elif piece:
                self._send(b"%x\r\n" % len(piece), piece, b"\r\n")
        if reply.is_chunked:
            self._send(b"0\r\n\r\n")
        if reply.announced not in (None, sent):
            raise ValueError(f"{sent} bytes in place of {reply.announced}")

    def _send(self, *parts: bytes) -> None:
        if sum(map(len, parts)) <= _JOINED:
            self._client.sendall(b"".join(parts))
            return
        sent = self._client.sendmsg(parts) if self._is_plain else 0
        for part in parts:
            if sent < len(part):
                self._client.sendall(memoryview(part)[sent:])
            sent = max(0, sent - len(part))

    def _invite(self) -> None:
        with contextlib.suppress(OSError):  # then the body does not come either
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refuse(self, status: int) -> None:
        """Answer a status by which the connection ends."""
        head = f"HTTP/1.1 {status} {http_status_text(status)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        with contextlib.suppress(OSError):
            self._send(head.encode())
            self._linger()

    def _linger(self) -> None:
        # A socket that is closed with bytes unread takes the answer back; so they are read for a while.
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
            self._client.settimeout(_LINGER_S)
            left = _MOST_LINGERING
            while left > 0 and (piece := self._client.recv(_JOINED)):
                left -= len(piece)

    def _abort(self) -> None:
        """Close in a way that no client takes for the end of an answer."""
        with contextlib.suppress(OSError):
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


class BadHeaders(ValueError):
    """Headers that cannot be sent as they are: what follows them would pass for an answer."""


class _Start:
    """What the application calls as ``start_response``."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status = "500 Internal Server Error"
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        self.status = status
        self.headers = headers


class _Reply:
    """The head of an answer, with the framing of its body."""

    def __init__(self, request: Mapping[str, str], start: _Start, *, keep_alive: bool) -> None:
        self._status = start.status
        self._headers = start.headers
        self._is_old = request["SERVER_PROTOCOL"] == "HTTP/1.0"
        asked = request.get("HTTP_CONNECTION", "").lower()
        self.keep_alive = keep_alive and (asked == "keep-alive" if self._is_old else asked != "close")
        self.has_body = request["REQUEST_METHOD"] != "HEAD" and int(start.status[:3]) not in _WITHOUT_BODY
        self.is_chunked = False
        self.announced: int | None = None  # bytes of a body in pieces

    def head(self, size: int | None) -> bytes:
        """Return the status line and the headers.

        Parameters
        ----------
        size
            Bytes of the body; None if unknown until its end.

        Raises
        ------
        BadHeaders
            If one of them has a line break or a character of more than a byte.
        """
        headers = self._headers
        text = "".join([f"\r\n{name}: {value}" for name, value in headers])
        if text.count("\n") != len(headers) or text.count("\r") != len(headers) or "\0" in text:
            raise BadHeaders(headers)
        lower = text.lower()
        if "\r\ncontent-length:" not in lower and self.has_body:
            if size is not None:
                text += f"\r\nContent-Length: {size}"
            elif self._is_old:
                self.keep_alive = False  # its end is the end of the connection
            else:
                self.is_chunked = True
                text += "\r\nTransfer-Encoding: chunked"
        elif size is None and self.has_body:
            self.announced = int(next(value for name, value in headers if name.lower() == "content-length"))
        if "\r\nconnection: close" in lower:
            self.keep_alive = False
        elif not self.keep_alive:
            text += "\r\nConnection: close"
        elif self._is_old:
            text += "\r\nConnection: keep-alive"
        try:
            return f"HTTP/1.1 {self._status}{text}\r\n\r\n".encode("latin-1")
        except UnicodeEncodeError as error:
            raise BadHeaders(headers) from error


def _close(answer: Iterable[bytes]) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        try:
            close()
        except Exception:
            _log.exception("An answer failed at its end")
