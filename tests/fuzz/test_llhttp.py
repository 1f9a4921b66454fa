"""Requests that are nearly right, read by our HTTP server and by llhttp, Node's parser: framed alike, or refused.

Two servers that disagree where a request ends are what request smuggling needs.
"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass, field
from typing import Any

import httptools
import pytest

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.http.batches import Batches
from orthanc_lab.server.http.connection import Connection, Patience
from orthanc_lab.server.http.wire import Wire

VERBS = {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"}  # of the others llhttp knows some
ROUNDS = 20  # of each case of ``--cases``
FIRST_LINES = [
    b"GET / HTTP/1.1", b"GET /a?b=c HTTP/1.1", b"POST /instances HTTP/1.1", b"PUT /x HTTP/1.1", b"DELETE /x HTTP/1.1",
    b"HEAD / HTTP/1.1", b"OPTIONS * HTTP/1.1", b"POST /old HTTP/1.0", b"GET http://a/b HTTP/1.1",
    b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET / HTTP/1.2", b"GET / HTTP/2.0", b"GET / http/1.1", b"GET /",
    b" GET / HTTP/1.1", b"G@T / HTTP/1.1", b"GET /\t HTTP/1.1", b"GET\t/\tHTTP/1.1",
]  # fmt: skip
LENGTHS = [b"5", b"0", b"05", b"+5", b"-5", b"5 ", b"5,5", b"5, 5", b"0x5", b"5_0", b"", b"5\t", b"5;", b"1 0",
           b"18446744073709551616", b"00000000000000000000005", "\u0665".encode(), b"5\x00", b"\x0b5"]  # fmt: skip
CODINGS = [b"chunked", b"Chunked", b"chunked ", b"\tchunked", b"gzip, chunked", b"chunked, gzip", b"",
           b"chunked, chunked", b"identity", b"xchunked", b"chunked;q=1", b'"chunked"', b"chunked\x0b", b"chunked,",
           b",chunked"]  # fmt: skip
NAMES = [b"%s: ", b"%s:", b"%s : ", b" %s: ", b"%s\t: ", b"\r%s: ", b"%s:\t", b"%s:\r\n ", b"X: y\n%s: ", b"%s\x00: "]
OTHERS = [b"Host: a", b"Connection: close", b"Connection: keep-alive, close", b"Expect: 100-continue", b"X: \xe9",
          b"X: a\x00b", b"X: a\rb", b": a", b"X", b"X:", b"Content_Length: 3", b"Cookie: a=b", b"X: a\n\tb",
          b"Content-Length\xa0: 3", b"Transfer-Encoding\xc2\xa0: chunked"]  # fmt: skip
BODIES = [
    b"", b"hello", b"hello!", b"5\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\n\r\n",
    b'5;a="b c";d\r\nhello\r\n0;e\r\n\r\n', b"5;a=\t\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
    b"0\r\n\r\n", b"5\nhello\n0\n\n", b"05\r\nhello\r\n000\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello!\r\n0\r\n\r\n", b"5\r\nhell\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"5\r\nhello\r\n0\r\nX\r\n\r\n", b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n", b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n", b"\r\n5\r\nhello\r\n0\r\n\r\n",
    b"5;\nhello\r\n0\r\n\r\n", b"5;a\x00\r\nhello\r\n0\r\n\r\n", b"A\r\n0\r\n\r\nGET /\r\n0\r\n\r\n",
    b"5\r\rhello\r\n0\r\n\r\n",
]  # fmt: skip


@dataclass
class Read:
    """What a parser made of the bytes."""

    requests: list[tuple[str, bytes]] = field(default_factory=list)  # verb and body of each whole one
    refused: bool = False  # what follows them


def by_us(data: bytes) -> Read:
    read = Read()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        try:
            body = environ["wsgi.input"].read()
        except OrthancError:
            start_response("400 Bad Request", [])
            return []
        read.requests.append((environ["REQUEST_METHOD"], body))
        start_response("200 OK", [])
        return []

    client, server = socket.socketpair()
    with client, server:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        Connection(Wire(server, 5, 5), {}, Patience(5)).serve(lambda: application, Batches(lambda: application))
        server.close()
        client.settimeout(5)
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    read.refused = b"HTTP/1.1 4" in answers
    return read


def by_llhttp(data: bytes) -> Read:
    read = Read()

    class Protocol:
        body = b""

        def on_message_begin(self) -> None:
            self.body = b""

        def on_body(self, piece: bytes) -> None:
            self.body += piece

        def on_message_complete(self) -> None:
            read.requests.append((parser.get_method().decode(), self.body))

    parser = httptools.HttpRequestParser(Protocol())
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        read.refused = True
    return read


def request(chance: random.Random) -> bytes:
    def odd(usual: list[bytes] | bytes, all_of_them: list[bytes]) -> bytes:
        choices = all_of_them if chance.random() < 0.15 else usual if isinstance(usual, list) else [usual]
        return chance.choice(choices)

    lines = [odd(FIRST_LINES[:5], FIRST_LINES), b"Host: a"]
    for name, values in ((b"Content-Length", LENGTHS), (b"Transfer-Encoding", CODINGS)):
        for _ in range(chance.choice([0, 0, 0, 1, 1])):
            lines.append((odd(NAMES[0], NAMES) % name) + odd(values[0], values))
    lines += chance.sample(OTHERS, chance.choice([0, 0, 0, 1, 2]))
    if chance.random() < 0.3:
        chance.shuffle(lines[1:])
    end = odd(b"\r\n", [b"\n", b"\r\n", b"\r"])
    return end.join(lines) + odd(b"\r\n\r\n", [b"\n\n", b"\r\n\n", b"\n\r\n", b"\r\r"]) + chance.choice(BODIES)


def damaged(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice([0, 0, 1, 2])):
        place = chance.randrange(len(data) + 1)
        junk = chance.choice(
            [b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b"0", b";", bytes([chance.randrange(128)])]
        )
        data = data[:place] + junk + data[place + chance.choice([0, 1]) :]
    return data


def check(data: bytes) -> None:
    ours, theirs = by_us(data), by_llhttp(data)
    # Ours may refuse more, and stops where it closes the connection.
    if {verb for verb, _ in ours.requests} <= VERBS:
        assert ours.requests == theirs.requests[: len(ours.requests)], (data, ours, theirs)


def test_nearly_right_requests(pytestconfig: pytest.Config) -> None:
    for seed in range(pytestconfig.option.cases * ROUNDS):
        chance = random.Random(seed)
        check(damaged(b"".join(request(chance) for _ in range(chance.choice([1, 2, 3]))), chance))


def test_right_requests_are_read() -> None:
    """The comparison would pass if we refused everything."""
    data = (
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n"
        b"\r\n"
        b"GET /c HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    for read in (by_us(data), by_llhttp(data)):
        assert read.requests == [("POST", b"hello"), ("POST", b"hello!"), ("GET", b"")]
        assert not read.refused
