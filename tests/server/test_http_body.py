"""Bodies of requests: however they come in and are asked for, the same bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.http.body import ChunkedBody, ClientTimeout, SizedBody

sizes = st.lists(st.integers(1, 20), max_size=10)


class Client:
    """An inlet from which bytes come in packets; after the last one the client leaves, or stands still."""

    def __init__(self, data, packets=(), *, stalls=False):
        self.data = data
        self.packets = list(packets)
        self.stalls = stalls

    def take(self, most):
        if not self.data and self.stalls:
            raise ClientTimeout
        most = min(most, self.packets.pop() if self.packets else most)
        piece, self.data = self.data[:most], self.data[most:]
        return piece

    def take_line(self, most):
        if b"\n" not in self.data[:most] and self.stalls:
            raise ClientTimeout
        end = self.data.find(b"\n", 0, most) + 1 or most
        piece, self.data = self.data[:end], self.data[end:]
        return piece

    def give_back(self, data):
        self.data = data + self.data


def in_chunks(content, cuts):
    data, position = b"", 0
    for cut in (*cuts, len(content)):
        chunk = content[position : position + cut]
        if chunk:
            data += b"%x;name=value\r\n%b\r\n" % (len(chunk), chunk)
        position += len(chunk)
    return data + b"0\r\nTrailer: a\r\n\r\n"


@given(st.binary(max_size=100), sizes, sizes, st.lists(st.integers(-1, 30), max_size=10), st.booleans())
def test_pieces_are_the_whole(content, packets, cuts, reads, chunked):
    client = Client((in_chunks(content, cuts) if chunked else content) + b"GET", packets)
    body = ChunkedBody(client) if chunked else SizedBody(client, len(content))
    pieces = [body.read(size) for size in reads]
    for size, piece in zip(reads, pieces, strict=True):
        assert size < 0 or len(piece) <= size
    assert b"".join(pieces) + body.read() == content
    assert body.read() == body.read(5) == body.readline() == b""
    assert body.finish()
    assert client.data == b"GET"


@given(st.text("ab\n", max_size=60).map(str.encode), sizes, sizes, st.booleans())
def test_lines(content, packets, cuts, chunked):
    client = Client((in_chunks(content, cuts) if chunked else content) + b"GET", packets)
    body = ChunkedBody(client) if chunked else SizedBody(client, len(content))
    assert body.readline(1) == content[:1]
    assert b"".join([content[:1], *body]) == content
    assert body.finish()
    assert client.data == b"GET"


def test_lines_one_by_one():
    body = SizedBody(Client(b"one\ntwo\nthree"), 13)
    assert body.readline() == b"one\n"
    assert body.read(2) == b"tw"
    assert body.readlines() == [b"o\n", b"three"]


@pytest.mark.parametrize("sent", [b"", b"0123456789"])
@pytest.mark.parametrize("stalls", [False, True])
def test_a_body_that_is_cut_off(sent, stalls):
    body = SizedBody(Client(sent, stalls=stalls), 20)
    with pytest.raises(OrthancError) as refused:
        body.read()
    assert refused.value.code == 8
    assert body.stalled is stalls
    assert not body.finish()


@pytest.mark.parametrize(
    "data",
    [b"", b"5", b"5\r\n", b"5\r\nabc", b"5\r\nabcde", b"5\r\nabcde\r\n", b"5\r\nabcde\r\n0\r\n", b"5\r\nabcde0\r\n\r\n",
     b"x\r\n\r\n", b"-1\r\n\r\n", b"0x5\r\nabcde\r\n0\r\n\r\n", b"1_0\r\n", b"\r\n", b"5\nabcde\n0\n\n",
     b"f" * 17 + b"\r\n", b"5;" + b"a" * 5000 + b"\r\nabcde\r\n0\r\n\r\n", b"0\r\n" + b"a: b\r\n" * 101 + b"\r\n"],
)  # fmt: skip
def test_chunks_that_are_none(data):
    body = ChunkedBody(Client(data + b"GET / HTTP/1.1\r\n\r\n"))
    with pytest.raises(OrthancError) as refused:
        body.read()
    assert refused.value.code == 8
    assert not body.finish()


def test_the_client_is_invited_once_and_only_for_what_is_read():
    invited = []
    body = SizedBody(Client(b"abc"), 3, lambda: invited.append(1))
    assert not body.finish()
    assert not invited
    assert body.read(1) + body.read() == b"abc"
    assert invited == [1]
    assert body.finish()


def test_a_large_rest_is_not_waited_for():
    assert not SizedBody(Client(bytes(2 << 20)), 2 << 20).finish()
    assert SizedBody(Client(bytes(1 << 20)), 1 << 20).finish()
