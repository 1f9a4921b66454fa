"""The socket of one client: bytes in, bytes out, and how long the client may take for them."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import struct
import time
from io import BytesIO

from orthanc_lab.server.http.body import ClientTimeout

__all__ = ["Wire"]

_LEAST_RATE = 1000.0  # bytes a second of a body or an answer
_PIECE = 16 << 20  # bytes of a body taken at once, at most: no memory for what a client only announces
_JOINED = 64 * 1024  # bytes up to which a copy costs less than a second buffer
_TLS_RECORD = 16 * 1024  # bytes
_FILE_PIECE = 256 * 1024  # bytes of a file after which the client's progress is looked at
_LINGER_S = 1.0  # for a client that still sends although nothing is read
_MOST_LINGERING = 64 << 20  # bytes of that
_UNSENT: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_MOST_UNSENT = 4096  # bytes of answers that wait in the system for a client that asks ahead
_TIME = struct.Struct("ll")  # struct timeval
_RESET = struct.pack("ii", 1, 0)  # struct linger


class Wire:
    """A socket whose client has to make progress.

    The client has `timeout` seconds, and one more for each 1,000 bytes that it sends of a body or takes of an answer.
    How far it is `behind` is carried from one wait to the next.

    Parameters
    ----------
    client
        The accepted socket.
    timeout
        Seconds without progress after which the client is given up.
    interval
        Seconds after which a wait looks at the clock.
    """

    def __init__(self, client: socket.socket, timeout: float, interval: float) -> None:
        self._client = client
        self._timeout = timeout
        self._interval = interval
        self._is_plain = True
        self._is_cut = False
        self._asks_ahead = False
        self.behind = 0.0
        """Seconds by which the client was behind at the end of the last wait; a request and an answer begin with 0."""
        self._deadline: float | None = None
        self._awaits_bytes = True  # or that the client takes some
        self.waits_since: float | None = time.monotonic()
        """The moment from which the client owes something, None while it does not."""
        limit = _TIME.pack(int(interval), int(interval % 1 * 1_000_000))
        # Not `settimeout`: that costs a system call more for each one that reads or writes.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def encrypt(self, tls: ssl.SSLContext) -> None:
        """Make a TLS handshake, which has the time-out in all; from then on everything is encrypted.

        The client owes the time for which it is waited for, not that for which this machine computes.

        Raises
        ------
        OSError
            If it fails.
        """
        self.waits_since = None  # nor the time for which it had to wait for its place
        deadline = time.monotonic() + self._timeout
        waited = 0.0
        self._client.settimeout(0)
        self._is_plain = False
        self._client = tls.wrap_socket(self._client, server_side=True, do_handshake_on_connect=False)
        if self._is_cut:  # while it was neither the old nor the new one
            raise ConnectionAbortedError
        while (event := self._handshake_awaits()) is not None:
            began = time.monotonic()
            self.waits_since = began - waited
            if not self._wait_for(event, deadline - began):
                raise TimeoutError
            waited += time.monotonic() - began
            self.waits_since = None
        self._client.settimeout(self._interval)

    def _handshake_awaits(self) -> int | None:
        """Go on with a handshake; return what it waits for at the socket, None at its end."""
        assert isinstance(self._client, ssl.SSLSocket)
        try:
            self._client.do_handshake()
        except ssl.SSLWantReadError:
            return select.POLLIN
        except ssl.SSLWantWriteError:
            return select.POLLOUT
        return None

    def _wait_for(self, event: int, seconds: float) -> bool:
        """Wait until something can be read or written; False after so many seconds."""
        poll = select.poll()
        poll.register(self._client, event)
        return bool(poll.poll(max(0, seconds) * 1000))

    # -- bytes from the client -------------------------------------------------------

    @property
    def descriptor(self) -> int | None:
        """Of the socket; None if it is encrypted, so that nobody else can tell what has come."""
        return self._client.fileno() if self._is_plain else None

    def receive_at_once(self, most: int) -> bytes:
        """Return the bytes that are here already; b"" if there are none."""
        try:
            return self._client.recv(most, socket.MSG_DONTWAIT)
        except OSError:
            return b""

    def send_at_once(self, data: bytes) -> int:
        """Send what the client takes without being waited for; return how many bytes that is."""
        try:
            return self._client.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError:  # the client is gone, which shows when the next request is read
            return len(data)

    def receive_by(self, deadline: float, most: int) -> bytes:
        """Return the next bytes; b"" if the client is gone.

        Raises
        ------
        ClientTimeout
            If nothing comes until a moment of the monotonic clock.
        """
        while True:
            try:
                return self._client.recv(most)
            except (BlockingIOError, TimeoutError) as error:
                # What has come while this thread got no processor is not late.
                if time.monotonic() >= deadline and not self.has_sent():
                    raise ClientTimeout from error
            except OSError:
                return b""

    def receive(self, most: int, *, whole: bool = False) -> bytes:
        """Return the next bytes of a body; b"" if the client is gone.

        Parameters
        ----------
        whole
            Return as many as `most`, unless the client pauses.

        Raises
        ------
        ClientTimeout
            If the client is too far behind.
        """
        flags = socket.MSG_WAITALL if whole and self._is_plain else 0
        self.waits_since = time.monotonic() - self.behind
        try:
            while True:
                try:
                    piece = self._client.recv(min(most, _PIECE), flags)
                except (BlockingIOError, TimeoutError):
                    self._moved(0)
                except OSError:
                    return b""
                else:
                    self._moved(len(piece))
                    return piece
        finally:
            self.waits_since = None

    def receive_after(self, begun: bytes, size: int) -> bytes:
        """Return `begun` and what follows it, received into one piece that is not copied.

        It has `size` bytes, fewer if the client pauses or is gone.

        Raises
        ------
        ClientTimeout
            If the client is too far behind.
        """
        if not self._is_plain:
            return begun or self.receive(size)
        whole = BytesIO(begun)
        whole.seek(size - 1)
        whole.write(b"\0")
        with whole.getbuffer() as view:
            received = self._receive_into(view[len(begun) :])
        whole.truncate(len(begun) + received)
        return whole.getvalue()

    def _receive_into(self, view: memoryview) -> int:
        self.waits_since = time.monotonic() - self.behind
        try:
            while True:
                try:
                    received = self._client.recv_into(view, 0, socket.MSG_WAITALL)
                except (BlockingIOError, TimeoutError):
                    self._moved(0)
                except OSError:
                    return 0
                else:
                    self._moved(received)
                    return received
        finally:
            self.waits_since = None
            view.release()

    def hurry(self, seconds: float | None) -> None:
        """Allow the client so many seconds in all for what is received from now on; None for no such limit."""
        self._deadline = None if seconds is None else time.monotonic() + seconds

    # -- bytes to the client ---------------------------------------------------------

    def send(self, *parts: bytes) -> None:
        """Send all.

        Raises
        ------
        OSError
            If the client is gone.
        ClientTimeout
            If it does not take what is sent.
        """
        sent = 0
        size = sum(map(len, parts))
        if size <= _JOINED:
            parts = (b"".join(parts),)
        if self._is_plain:
            try:
                if size <= _JOINED:
                    sent = self._client.send(parts[0], socket.MSG_DONTWAIT)
                else:
                    sent = self._client.sendmsg(parts, (), socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass
            if sent == size:
                return
        for part in parts:
            if sent < len(part):
                self._send_slowly(memoryview(part)[sent:])
            sent = max(0, sent - len(part))

    def note_asking_ahead(self) -> None:
        """Take note that the client sends requests before it has their answers.

        From now on few answers wait in the system: else a client that takes none could have thousands of them made,
        while it owes nothing.
        """
        if not self._asks_ahead and _UNSENT is not None:
            with contextlib.suppress(OSError):
                self._client.setsockopt(socket.IPPROTO_TCP, _UNSENT, _MOST_UNSENT)
        self._asks_ahead = True

    @property
    def sends_files(self) -> bool:
        """Whether `send_file` can be used."""
        return self._is_plain and hasattr(os, "sendfile")

    def send_file(self, descriptor: int, size: int) -> int:
        """Send the first `size` bytes of a file, which the system does not copy; return how many there were.

        Raises
        ------
        OSError
            If the client is gone, or the file cannot be read.
        ClientTimeout
            If the client does not take what is sent.
        """
        end = 0
        self._awaits_bytes = False
        self.waits_since = time.monotonic() - self.behind
        try:
            while end < size:
                try:
                    sent = os.sendfile(self._client.fileno(), descriptor, end, min(size - end, _FILE_PIECE))
                except (BlockingIOError, TimeoutError):
                    sent = 0
                else:
                    if not sent:
                        break
                end += sent
                self._moved(sent)
        finally:
            self.waits_since = None
            self._awaits_bytes = True
        return end

    def _send_slowly(self, data: memoryview) -> None:
        self._awaits_bytes = False
        self.waits_since = time.monotonic() - self.behind
        try:
            while data:
                try:
                    sent = self._client.send(data if self._is_plain else data[:_TLS_RECORD])
                except (BlockingIOError, TimeoutError):
                    sent = 0
                data = data[sent:]
                self._moved(sent)
        finally:
            self.waits_since = None
            self._awaits_bytes = True

    def _moved(self, size: int) -> None:
        """Take note of bytes that came or went."""
        now = time.monotonic()
        since = now if self.waits_since is None else min(now, self.waits_since + size / _LEAST_RATE)
        self.waits_since = since
        self.behind = now - since
        if self.behind > self._timeout or (self._deadline is not None and now > self._deadline):
            raise ClientTimeout

    # -- the end ---------------------------------------------------------------------

    def lateness(self, now: float) -> float:
        """Return for how many seconds the client owes something; below 0 if it does not (`places.Guest`)."""
        since = self.waits_since
        return -1.0 if since is None or self._is_cut else now - since

    def has_sent(self) -> bool:
        """Whether the bytes that the client owes have come meanwhile."""
        if not self._awaits_bytes:
            return False
        try:
            return self._wait_for(select.POLLIN, 0)
        except (OSError, ValueError):  # it was closed
            return False

    def linger(self) -> None:
        """Send nothing more, and let a client that still sends read what it was sent.

        A socket that is closed with bytes unread takes back what was sent, so they are read for a moment.
        """
        self._awaits_bytes = False
        self.waits_since = -_LINGER_S  # who has to leave is the first to leave
        end = time.monotonic() + _LINGER_S
        left = _MOST_LINGERING
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._client, socket.SHUT_WR)
            while left > 0 and (rest := end - time.monotonic()) > 0:
                self._client.settimeout(rest)
                piece = socket.socket.recv(self._client, _JOINED)
                if not piece:
                    return
                left -= len(piece)

    def abort(self) -> None:
        """Let `close` look like no end of an answer."""
        with contextlib.suppress(OSError):
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def cut(self) -> None:
        """End the connection; the thread that uses it notices, and closes it."""
        self._is_cut = True
        with contextlib.suppress(OSError):
            # Not the method of a TLS socket, which would let another thread send in clear.
            socket.socket.shutdown(self._client, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        self._client.close()
