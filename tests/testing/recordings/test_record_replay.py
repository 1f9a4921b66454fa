"""Recording and replay: what passes is written down, and answered again as it was."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing import NotRecordedError, Recorder, Recording, recorded
from orthanc_lab.testing.exchange import Answer, Exchange, send
from orthanc_lab.testing.recordings import BytesBody, RecordedExchange, RecordingWriter
from tests.testing.recordings.conftest import STORY, Server, tell

CHANGING = {"date", "keep-alive", "connection"}


def without_times(answers: list[Answer]) -> list[Answer]:
    return [
        Answer(
            answer.status,
            {name: value for name, value in answer.headers.items() if name not in CHANGING},
            answer.body,
            answer.complete,
        )
        for answer in answers
    ]


def test_a_story_passes_and_is_answered_again_as_it_was(server: Server, tmp_path: Path) -> None:
    with Recorder(server.url, tmp_path / "story") as proxy:
        answers = tell(proxy.url)
        assert proxy.exchanges == len(STORY)
        direct = [send(server.url, exchange) for exchange in STORY[4:6]]
    assert without_times(answers[4:6]) == without_times(direct)
    with Recording(tmp_path / "story") as recording:
        assert recording.is_complete
        assert [(one.method, one.target) for one in recording] == [(one.method, one.path) for one in STORY]
        assert [one.status for one in recording] == [answer.status for answer in answers]
        upload = recording.exchanges[1]
        assert upload.body is not None
        assert upload.body.read() == STORY[1].body
        assert upload.body.digest == hashlib.sha256(STORY[1].body or b"").hexdigest()
    with recorded(tmp_path / "story") as replay:
        assert without_times(tell(replay.url)) == without_times(answers)
        assert send(replay.url, STORY[0]).body == answers[2].body  # the last answer, again
        replay.restart()
        assert send(replay.url, STORY[0]).body == answers[0].body


def test_our_client_works_through_the_proxy_and_on_the_recording(server: Server, tmp_path: Path) -> None:
    def work(url: str) -> tuple[int, list[str], str]:
        with orthanc_lab.Client(url) as client:
            stored = client.upload(samples.path("mr")).stored
            study = client.studies.find()[0]
            archive = client.transport.send("GET", f"/studies/{study.id}/archive").content
            state = study.archive_job().wait().state.value
            return stored, sorted(zipfile.ZipFile(io.BytesIO(archive)).namelist()), state

    with Recorder(server.url, tmp_path / "story") as proxy:
        once = work(proxy.url)
    assert once[0] == 12
    assert once[2] == "Success"
    with recorded(tmp_path / "story", strict=False) as replay:
        assert work(replay.url) == once


def test_near_misses_are_shown(ours: orthanc_lab.EmbeddedServer, tmp_path: Path) -> None:
    with Recorder(ours.url, tmp_path / "story") as proxy:
        send(proxy.url, Exchange("GET", "/studies?since=0&limit=1", headers={"Accept": "application/json"}))
        send(proxy.url, Exchange("POST", "/tools/find", b'{"Level": "Study", "Query": {}}'))
    replay = recorded(tmp_path / "story").start()
    assert send(replay.url, Exchange("POST", "/tools/find", b'{"Query":{},"Level":"Study"}')).status == 200
    accept = {"Accept": "application/json"}
    assert send(replay.url, Exchange("GET", "/studies?limit=1&since=0", headers=accept)).status == 200
    answer = send(replay.url, Exchange("GET", "/studies?limit=2&since=0"))
    assert answer.status == 501
    text = answer.body.decode()
    assert text.startswith("GET /studies?limit=2&since=0 is not in the recording\nThe nearest requests in it:\n")
    assert "query limit=1&since=0 in the recording, limit=2&since=0 in the request" in text
    assert "header accept application/json in the recording, (none) in the request" in text
    assert "another body" in send(replay.url, Exchange("POST", "/tools/find", b"{}")).body.decode()
    replay.stop()
    with pytest.raises(NotRecordedError, match="GET /studies"):
        replay.check()
    with pytest.raises(AssertionError, match="nothing"), recorded(tmp_path / "story") as again:
        again.session.get(f"{again.url}/nothing")
    with recorded(tmp_path / "story", strict=False) as lenient:
        assert lenient.session.get(f"{lenient.url}/nothing").status_code == 501
        assert len(lenient.misses) == 1


def test_parts_with_another_boundary_are_the_same_request(ours: orthanc_lab.EmbeddedServer, tmp_path: Path) -> None:
    file = samples.dicom_files("ct")[0].read_bytes()

    def upload(url: str) -> requests.Response:  # the boundary is random
        return requests.post(f"{url}/instances", files={"file": ("a.dcm", file)}, timeout=30)

    with Recorder(ours.url, tmp_path / "story") as proxy:
        first = upload(proxy.url)
    with recorded(tmp_path / "story") as replay:
        assert upload(replay.url).content == first.content


def test_large_bodies_are_once_in_the_file(ours: orthanc_lab.EmbeddedServer, tmp_path: Path) -> None:
    body = hashlib.shake_256(b"x").digest(1 << 20)  # cannot be compressed
    with Recorder(ours.url, tmp_path / "story") as proxy:
        for number in range(3):
            requests.post(f"{proxy.url}/tools/no-route", data=body, timeout=30)
            requests.post(f"{proxy.url}/tools/no-route", data=iter([body[: number + 1], body]), timeout=30)
    size = (tmp_path / "story").stat().st_size
    assert 4 * len(body) < size < 4.1 * len(body)
    with Recording(tmp_path / "story") as recording:
        assert [one.body.size for one in recording if one.body] == [
            length for number in range(3) for length in (len(body), len(body) + number + 1)
        ]
        last = recording.exchanges[5].body
        assert last is not None
        assert last.read() == body[:3] + body


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=mark"])
def test_a_body_of_many_requests_is_compared_once(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = BytesBody(b"[" + b" " * 200_000 + b"]" if "json" in kind else b"--mark\r\n" + b"x" * 200_000)
    with RecordingWriter(tmp_path / "many") as writer:
        for number in range(50):
            writer.add(RecordedExchange("POST", f"/{number}", (("content-type", kind),), body, status=200))
    pieces = 0
    read = Recording.pieces_from

    def counted(self: Recording, segment: int, number: int) -> Iterator[bytes]:
        nonlocal pieces
        for piece in read(self, segment, number):
            pieces += 1
            yield piece

    monkeypatch.setattr(Recording, "pieces_from", counted)
    with recorded(tmp_path / "many") as replay:
        if "json" in kind:
            assert replay.session.post(f"{replay.url}/49", data="[]", headers={"Content-Type": kind}).ok
    assert pieces < 150


def test_zeros_take_no_room(tmp_path: Path) -> None:
    body = b"head" + bytes(5 << 20) + b"tail" * 300
    with RecordingWriter(tmp_path / "zeros") as writer:
        writer.add(RecordedExchange("GET", "/", status=200, answer=BytesBody(body)))
    assert (tmp_path / "zeros").stat().st_size < 2500
    with Recording(tmp_path / "zeros") as recording:
        answer = recording.exchanges[0].answer
        assert answer is not None
        assert (answer.size, answer.read()) == (len(body), body)
        assert max(map(len, answer.pieces())) <= 1 << 16


def answer_once(listener: socket.socket, raw: bytes) -> None:
    client, _ = listener.accept()
    with client:
        client.recv(4096)
        client.sendall(raw)


@pytest.mark.parametrize("raw", [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", b""])
def test_an_answer_that_breaks_off_breaks_off_again(raw: bytes, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_once, args=(listener, raw), daemon=True)
        thread.start()
        with Recorder(f"http://127.0.0.1:{listener.getsockname()[1]}", tmp_path / "story") as proxy:
            got = send(proxy.url, Exchange("GET", "/studies"))
        thread.join(20)
    with Recording(tmp_path / "story") as recording:
        assert not recording.exchanges[0].complete
    with recorded(tmp_path / "story") as replay:
        again = send(replay.url, Exchange("GET", "/studies"))
    assert not again.complete
    assert got.status == 502 if not raw else not got.complete


def test_the_file_is_private_and_never_overwritten(ours: orthanc_lab.EmbeddedServer, tmp_path: Path) -> None:
    with Recorder(ours.url, tmp_path / "story"):
        pass
    assert (tmp_path / "story").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "story").read_bytes()
    with pytest.raises(FileExistsError), Recorder(ours.url, tmp_path / "story"):
        pass
    assert (tmp_path / "story").read_bytes() == before


@pytest.mark.parametrize("address", ["localhost:8042", "ftp://here", "http://"])
def test_what_is_no_address_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not the address of a server"):
        Recorder(address, tmp_path / "story")


def test_a_json_document_is_found_by_what_it_says(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "one") as writer:
        body = BytesBody(json.dumps({"a": 1, "b": [2]}, indent=3).encode())
        writer.add(RecordedExchange("POST", "/x", body=body, status=200, answer=BytesBody(b"found")))
    with recorded(tmp_path / "one") as replay:
        for text in (b'{"a": 1, "b": [2]}', b'{"b": [2], "a": 1}'):
            assert send(replay.url, Exchange("POST", "/x", text)).body == b"found"
