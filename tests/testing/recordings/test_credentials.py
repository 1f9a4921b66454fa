"""Credentials pass the proxy and are not in the file."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

import orthanc_lab
from orthanc_lab.testing import Recorder, Recording, recorded
from orthanc_lab.testing.exchange import Exchange, send
from orthanc_lab.testing.recordings.credentials import body_without_credentials, may_hold_credentials

SECRETS = ("s3cr3t-one", "s3cr3t-two", "s3cr3t-three", "s3cr3t-four", "s3cr3t-five", "s3cr3t-six", "s3cr3t-seven")


def plain(path: Path) -> str:
    """Return all that a recording says."""
    with Recording(path) as recording:
        bodies = [body.read() for one in recording for body in (one.body, one.answer) if body is not None]
        heads = [json.dumps(one.as_json()) for one in recording]
        return json.dumps(recording.header) + "".join(heads) + b"\n".join(bodies).decode("latin-1")


def test_no_credential_is_in_the_file(tmp_path: Path) -> None:
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers={"alice": SECRETS[0]}) as server:
        upstream = server.url.replace("//", f"//alice:{SECRETS[0]}@")
        with Recorder(upstream, tmp_path / "story") as proxy:
            peer = {"Url": f"http://bob:{SECRETS[1]}@127.0.0.1:9", "Username": "bob", "Password": SECRETS[1]}
            assert requests.put(f"{proxy.url}/peers/one", json=peer, timeout=30).status_code == 200
            peer_list = ["http://127.0.0.1:9/", "bob", SECRETS[2]]
            assert requests.put(f"{proxy.url}/peers/two", json=peer_list, timeout=30).status_code == 200
            more = {"Url": "http://127.0.0.1:9", "HttpHeaders": {"X-Mine": SECRETS[3]}}
            requests.put(f"{proxy.url}/peers/three", json=more, timeout=30)
            requests.get(f"{proxy.url}/peers?expand&token={SECRETS[4]}", timeout=30)
            headers = {"X-Api-Key": SECRETS[5], "Cookie": f"session={SECRETS[6]}"}
            requests.get(f"{proxy.url}/system", headers=headers, timeout=30)
            with requests.Session() as session:
                session.auth = ("alice", SECRETS[0])
                assert session.get(f"{proxy.url}/system", timeout=30).status_code == 200
                session.auth = ("alice", "wrong")
                assert session.get(f"{proxy.url}/statistics", timeout=30).status_code == 401
    text = plain(tmp_path / "story")
    assert [secret for secret in (*SECRETS, "YWxpY2U6") if secret in text] == []
    assert "(removed)" in text
    with recorded(tmp_path / "story") as replay:  # the client sends its credentials again
        assert requests.put(f"{replay.url}/peers/one", json=peer, timeout=30).status_code == 200
        assert requests.put(f"{replay.url}/peers/two", json=peer_list, timeout=30).status_code == 200
        assert send(replay.url, Exchange("GET", f"/peers?expand&token={SECRETS[4]}")).status == 200


@pytest.mark.parametrize(
    "body",
    [
        '["127.0.0.1:9", "bob", "S"]',
        '["bob:S@127.0.0.1:9"]',
        '["HTTP://127.0.0.1:9", "bob", "S"]',
        '// my peer\n["http://127.0.0.1:9", "bob", "S"]',
        " " * 100 + '{"Url": "http://127.0.0.1:9", "Username": "bob", "Password": "S"}',
        '{"Url": "http://127.0.0.1:9", "Username": "bob", "Password" /* mine */ : "S"}',
        '{"Url": "http://127.0.0.1:9", "Username": "bob", "Pass\\u0077ord": "S"}',
        '{"Url": "http://127.0.0.1:9", "HttpHeaders": {"X-Mine": "S",},}',
        '{"Url": "http://127.0.0.1:9", "Password": "S", "Password": null}',
        '{"Url": "http://127.0.0.1:9", "Password": "S"',
    ],
)
@pytest.mark.parametrize("path", ["/peers/one", "//peers/one/", "/pe%65rs/one", "/x/../peers./one", "/peers%5cone"])
def test_no_form_of_a_peer_tells_its_password(path: str, body: str) -> None:
    """Servers take much as JSON that is none, and addresses without a scheme."""
    sent = body.replace('S"', f'{SECRETS[0]}"').replace(":S@", f":{SECRETS[0]}@").encode()
    assert SECRETS[0].encode() in sent
    assert SECRETS[0].encode() not in body_without_credentials(path, sent)


@pytest.mark.parametrize(
    "body", [b'["http://127.0.0.1:9/"]', b'{ "Url" : "http://127.0.0.1:9/", "Password" : null }', b""]
)
def test_a_peer_without_secrets_stays_as_it_is(body: bytes) -> None:
    assert body_without_credentials("/peers/one", body) == body


@pytest.mark.parametrize(
    ("body", "clean"),
    [
        (b'{"password":"a\\"b","x":"password"}', b'{"password":"(removed)","x":"password"}'),
        (b'{"AccessToken" : 123 }', b'{"AccessToken" : "(removed)" }'),
        (b'{"Tokens": ["abc", "def"], "a": {"b": "c"}}', b'{"Tokens": "(removed)", "a": {"b": "c"}}'),
        (b'{"a": "token", "b": "x"}', b'{"a": "token", "b": "x"}'),
        (b'{"secret": "never end', b'{"secret": "(removed)"'),
        (b'{"Password" : null}', b'{"Password" : null}'),
        (b'[{"Url": "https://me:pw@there/x"}]', b'[{"Url": "https://there/x"}]'),
        (b"DICM password", b"DICM password"),
    ],
)
def test_fields_that_are_credentials_by_their_name(body: bytes, clean: bytes) -> None:
    assert body_without_credentials("/tools/find", body) == clean


def test_forms_and_compressed_documents() -> None:
    form = (("content-type", "application/x-www-form-urlencoded"),)
    assert body_without_credentials("/login", b"user=a&password=b", form) == b"user=a&password=(removed)"
    packed = gzip.compress(b'{"Secret": "abc"}')
    clean = body_without_credentials("/x", packed, (("content-encoding", "gzip"),))
    assert gzip.decompress(clean) == b'{"Secret": "(removed)"}'


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize("pack", [zlib.compress, raw_deflate])
def test_answers_that_are_deflated(pack: Callable[[bytes], bytes]) -> None:
    """As Orthanc answers clients that accept both ways, with HttpCompressionEnabled."""
    job = b'[{"Content": {"Peer": {"HttpHeaders": {"X-Mine": "s3cr3t"}, "Url": "http://a:b@c/"}}}]'
    packed = pack(job)
    headers = (("content-encoding", "deflate"),)
    assert may_hold_credentials("/jobs?expand", packed[:64], headers)
    clean = body_without_credentials("/jobs?expand", packed, headers)
    plain = zlib.decompressobj(zlib.MAX_WBITS if pack is zlib.compress else -zlib.MAX_WBITS).decompress(clean)
    assert json.loads(plain)[0]["Content"]["Peer"] == {"HttpHeaders": {"X-Mine": "(removed)"}, "Url": "http://c/"}
    harmless = pack(b'{"a": 1}')
    assert body_without_credentials("/x", harmless, headers) == harmless


@pytest.mark.parametrize("start", [b"{", b" " * 30 + b"["])
def test_what_cannot_be_searched_to_its_end_is_not_written(start: bytes) -> None:
    headers = (("content-encoding", "gzip"),)
    two_parts = gzip.compress(start) + gzip.compress(b'"Password": "s3cr3t"}')
    assert gzip.decompress(body_without_credentials("/x", two_parts, headers)) == b"(removed)"
    no_document = gzip.compress(b"DICM") + gzip.compress(b"more")
    assert body_without_credentials("/x", no_document, headers) == no_document


def test_long_documents_take_linear_time() -> None:
    for unit in (b'"', b'\\"', b'"token', b"token", b"a:", b"http://a"):
        body_without_credentials("/peers", b"{" + unit * 200_000)
