"""Heads of requests: what is read of them, and what is refused."""

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.server.http.head import BadRequest, HeadReader


def read_head(data):
    return HeadReader().read(data)


def head(*lines, first="GET / HTTP/1.1"):
    return "\r\n".join((first, *lines)).encode("latin-1")


def test_what_a_head_says():
    assert read_head(head("Host: a", "content-TYPE:\t text/plain ", "X-Test: 1", first="POST /a/b?c=d&e HTTP/1.1")) == {
        "REQUEST_METHOD": "POST",
        "REQUEST_URI": "/a/b?c=d&e",
        "PATH_INFO": "/a/b",
        "QUERY_STRING": "c=d&e",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "a",
        "CONTENT_TYPE": "text/plain",
        "HTTP_X_TEST": "1",
    }


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a%2Fb%20c?d%20e", "/a/b c", "d%20e"),
        ("/a+b%2Bc?d+e", "/a b+c", "d+e"),
        ("/%C3%A4?x#y", "/\u00c3\u00a4", "x"),
        ("/\u00c3\u00a4", "/\u00c3\u00a4", ""),
        ("/%00%zz%", "/\0%zz%", ""),
        ("http://host:80/a?b", "/a", "b"),
        ("HTTPS://host", "/", ""),
        ("http://host?b", "/", "b"),
        ("*", "*", ""),
        ("//a", "//a", ""),
    ],
)
def test_targets(target, path, query):
    fields = read_head(head(first=f"GET {target} HTTP/1.1"))
    assert (fields["PATH_INFO"], fields["QUERY_STRING"]) == (path, query)


@pytest.mark.parametrize(
    "first",
    ["", "GET", "GET /", "GET / HTTP/2.0", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET /\t HTTP/1.1",
     "GET a HTTP/1.1", "G(T / HTTP/1.1", "GET / http/1.1", "GET /\0 HTTP/1.1", "GET ftp://a/ HTTP/1.1"],
)  # fmt: skip
def test_what_is_no_request_line(first):
    with pytest.raises(BadRequest):
        read_head(head(first=first))


@pytest.mark.parametrize(
    "lines",
    [
        ["no colon"],
        [": no name"],
        ["name : blank before the colon"],
        [" folded: line"],
        ["a: b", "\tfolded"],
        ["n\0me: a"],
        ["a: b\0c"],
        ["a: b\nc: d"],
        ["a: b\rc"],
        ["Content-Length: "],
        ["Content-Length: +5"],
        ["Content-Length: 5, 5"],
        ["Content-Length: \u00b2"],
        ["Content-Length: 18446744073709551616"],
        ["Content-Length: " + "9" * 5000],
        ["Content-Length: " + "0" * 5000],
        ["Content-Length: " + "0" * 20 + "1"],
        ["Host: a", "Host: b"],
        ["Host: a", "host: a"],
        ["Content-Length: 5", "content-length: 5"],
        ["Content-Length: 1", "content-length: 2"],
        ["Transfer-Encoding: gzip"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        [f"a{number}: b" for number in range(201)],
    ],
)
def test_what_is_no_header(lines):
    with pytest.raises(BadRequest):
        read_head(head(*lines))


def test_chunks_need_a_newer_protocol():
    with pytest.raises(BadRequest):
        read_head(head("Transfer-Encoding: chunked", first="POST / HTTP/1.0"))


def test_headers_that_come_twice():
    fields = read_head(head("a: 1", "A: 2", "Cookie: b=1", "cookie: c=2"))
    assert (fields["HTTP_A"], fields["HTTP_COOKIE"]) == ("1,2", "b=1; c=2")


def test_a_name_with_an_underscore_passes_for_no_other():
    fields = read_head(head("X_Http-Method-Override: DELETE", "Content_Length: 5", "X-Http-Method-Override: PUT"))
    assert fields["HTTP_X_HTTP_METHOD_OVERRIDE"] == "PUT"
    assert "CONTENT_LENGTH" not in fields


@given(
    st.binary(max_size=200) | st.text("GET /:\r\n\t ah1.HTP\u00e4\0", max_size=200).map(lambda it: it.encode("latin-1"))
)
def test_any_bytes_are_read_or_refused(data):
    try:
        fields = read_head(data)
    except BadRequest:
        pass
    else:
        assert all(isinstance(value, str) and "\n" not in value for value in fields.values() if "%" not in value)
        assert fields["REQUEST_METHOD"]


def test_long_names_are_not_kept():
    """Their bytes are given back, whoever sent them."""
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(300):
            read_head(head(f"X-{number}-{'n' * 100_000}: a"))
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


LINES = st.lists(
    st.sampled_from(
        ["Host: a", "Host: b", "Content-Length: 3", "Transfer-Encoding: chunked", "X", " a: b", "a: \0", ""]
    ),
    max_size=3,
)
FIRST = st.sampled_from(["GET / HTTP/1.1", "POST /a?b HTTP/1.0", "PUT /%41 HTTP/1.1", "GET", ""])


@given(st.lists(st.tuples(FIRST, LINES), min_size=2, max_size=6))
def test_what_came_before_on_the_connection_does_not_matter(heads):
    reader = HeadReader()
    for first, lines in heads:
        data = head(*lines, first=first)
        assert outcome(reader.read, data) == outcome(read_head, data)


def outcome(read, data):
    try:
        return read(data)
    except BadRequest as refused:
        return refused.status


def test_an_answered_request_may_be_changed_by_the_application():
    """What it writes into the environment is not there for the next request."""
    reader = HeadReader()
    reader.read(head("Host: a")).update(HTTP_HOST="b", REMOTE_USER="c")
    assert reader.read(head("Host: a")) == read_head(head("Host: a"))
