"""The file of a recording: damaged, of another version, cut off by a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import orthanc_lab
from orthanc_lab.server.command_line import main
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing import Recorder, Recording, RecordingError
from orthanc_lab.testing.exchange import Exchange, send
from orthanc_lab.testing.recordings import BytesBody, RecordedExchange, RecordingWriter
from orthanc_lab.testing.recordings.format import MAGIC, RecordKind, pack_record, pack_segment
from orthanc_lab.testing.recordings.matching import Matcher, key_of
from tests.full_disk import full_disk


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("file") / "recording"
    with RecordingWriter(path) as writer:
        for number in range(2):
            body = BytesBody(b'{"number": %d}' % number)
            writer.add(RecordedExchange("GET", f"/{number}", status=200, answer=body))
    return path.read_bytes()


def test_another_file_and_another_version_are_told_apart(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one"
    newer = file.replace(b"recording 1\n", b"recording 27\n")
    for content, message in (
        (b"PK\3\4", f"{path} is not a recording"),
        (b"", f"{path} is not a recording"),
        (newer, "is a recording of version 27; this program reads version 1"),
    ):
        path.write_bytes(content)
        with pytest.raises(RecordingError, match=message):
            Recording(path)


def test_each_damage_is_an_error(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one"
    for position in range(len(MAGIC), len(file), 3):
        path.write_bytes(file[:position] + bytes([file[position] ^ 0x55]) + file[position + 1 :])
        with pytest.raises(RecordingError, match="is damaged at byte"):
            Recording(path)


EXCHANGE = {
    "method": "GET", "target": "/", "headers": [], "body": None, "status": 200, "answer_headers": [], "answer": None,
    "chunked": False, "complete": True, "at": 0.0, "took": 0.0,
}  # fmt: skip
NO_EXCHANGES = (
    *({name: value for name, value in EXCHANGE.items() if name != left_out} for left_out in EXCHANGE),
    *({**EXCHANGE, "status": status} for status in (None, "200", 1e999, 10**400, -1, 100, 1000, True)),
    *({**EXCHANGE, name: value} for name in ("method", "target", "at") for value in (None, [], {})),
    *(
        {**EXCHANGE, name: f"/{text}"}
        for name in ("method", "target")
        for text in ("\n", "\r\nA: b", "\x1b[2J", "\0", "\x7f")
    ),
    *({**EXCHANGE, "headers": headers} for headers in (None, 1, [1], [["a"]], [["a", "b", "c"]])),
    *({**EXCHANGE, "answer_headers": [["x", text]]} for text in (None, "a\r\nset-cookie: b", "\0", "\u0100", "\ud800")),
    *({**EXCHANGE, "body": body} for body in (1, [], {}, "", "ab")),
)
RECORDS = (
    *((RecordKind.EXCHANGE, json.dumps(value).encode()) for value in NO_EXCHANGES),
    *((kind, text) for kind in (RecordKind.HEADER, RecordKind.EXCHANGE, RecordKind.END) for text in (b"", b"[]", b"1")),
    (RecordKind.EXCHANGE, b"[" * 100_000),
    (RecordKind.HEADER, b'{"a":' * 100_000),
    *((RecordKind.RUN, run) for run in (b"", b"x", b"x\x7f" + bytes(7), b"x" + bytes(5) + b"\1\0\1")),
)


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_a_record_that_says_something_else_is_a_damage(number: int, tmp_path: Path) -> None:
    """Recordings come from others; the checksums are right."""
    path = tmp_path / "one"
    path.write_bytes(MAGIC + pack_segment(pack_record(*RECORDS[number])))
    with pytest.raises(RecordingError, match=f"{path} is damaged at byte {len(MAGIC)}"):
        Recording(path)


def test_what_a_recording_says_of_its_requests_does_not_control_a_terminal() -> None:
    """U+009B begins a sequence of control, U+202E turns what follows."""
    strange = RecordedExchange("GET", "/patients/\x9b2J\u202e", status=200)
    text = Matcher([strange]).explain(key_of("GET", "/patients/\x9b31m", (), None))
    assert not set("\x9b\u202e") & set(text + str(strange))
    assert "GET /patients/\ufffd2J" in text


def test_a_segment_of_millions_of_records_is_a_damage(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(MAGIC + pack_segment(pack_record(RecordKind.DATA, b"") * 1_000_000))
    with pytest.raises(RecordingError, match="is damaged at byte"):
        Recording(path)


def test_a_file_that_is_cut_off_has_what_was_finished(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one"
    numbers = set()
    for length in range(len(MAGIC), len(file), 3):
        path.write_bytes(file[:length])
        with Recording(path) as recording:
            assert not recording.is_complete
            answers = [one.answer.read() for one in recording if one.answer]
            assert answers == [b'{"number": %d}' % number for number in range(len(recording))]
            numbers.add(len(recording))
    assert numbers == {0, 1, 2}


@pytest.fixture
def recorder(
    ours: orthanc_lab.EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    monkeypatch.setenv("ORTHANC_URL", ours.url)
    command = [sys.executable, "-m", "orthanc_lab", "record", "--port", str(port)]
    process = subprocess.Popen([*command, str(tmp_path / "story")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Recording what passes http://127.0.0.1:")
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.wait(20)
    process.stdout.close()


def test_what_a_client_has_got_is_in_the_file_after_a_kill(
    recorder: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, url = recorder
    for number in range(5):
        requests.post(f"{url}/tools/find", json={"Level": "Study", "Query": {}, "Limit": number}, timeout=30)
    process.kill()
    process.wait(20)
    with Recording(tmp_path / "story") as recording:
        assert len(recording) == 5
        assert not recording.is_complete


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_recording_properly(
    recorder: tuple[subprocess.Popen[str], str], tmp_path: Path, number: signal.Signals
) -> None:
    process, url = recorder
    requests.get(f"{url}/system", timeout=30)
    process.send_signal(number)
    assert process.wait(20) == 0
    with Recording(tmp_path / "story") as recording:
        assert recording.is_complete
        assert [str(one) for one in recording] == ["GET /system -> 200"]
    port = free_port()
    command = [sys.executable, "-m", "orthanc_lab", "replay", str(tmp_path / "story"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as replay:
        assert replay.stdout is not None
        assert replay.stdout.readline().startswith("1 exchanges of ")
        assert requests.get(f"http://127.0.0.1:{port}/system", timeout=30).json()["Version"] == "1.12.7"
        replay.send_signal(signal.SIGINT)
        assert replay.wait(20) == 0


def test_commands_say_what_is_wrong(
    ours: orthanc_lab.EmbeddedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    (tmp_path / "no").write_text("no recording")
    assert main(["replay", str(tmp_path / "no"), "--port", "0"]) == 255
    assert main(["replay", str(tmp_path / "none"), "--port", "0"]) == 255
    assert main(["record", "--upstream", "nowhere", str(tmp_path / "story")]) == 255
    assert main(["record", "--upstream", "http://a:bad/", str(tmp_path / "story")]) == 255
    assert main(["record", "--upstream", "http://127.0.0.1:9", "--port", "0", str(tmp_path / "no")]) == 255
    used = ["--port", str(ours.port)]
    assert main(["record", "--upstream", "http://127.0.0.1:9", *used, str(tmp_path / "story")]) == 255
    with RecordingWriter(tmp_path / "right"):
        pass
    assert main(["replay", str(tmp_path / "right"), *used]) == 255
    errors = capsys.readouterr().err.splitlines()
    assert [line.replace(str(tmp_path), "") for line in errors] == [
        "/no is not a recording",
        "There is no file /none",
        "'nowhere' is not the address of a server, such as http://localhost:8042",
        "'http://a:bad/' is not the address of a server, such as http://localhost:8042",
        "/no exists; a recording needs a new file",
        *[f"Port {ours.port} is in use, or not allowed. Choose another --port; 0 takes any free one"] * 2,
    ]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_disk_that_is_full_at_the_first_byte_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "story"
    with full_disk(len(MAGIC)), pytest.raises(OSError, match="File too large"):
        RecordingWriter(path)
    assert not path.exists()
    RecordingWriter(path).close()


def test_a_disk_that_is_full_ends_the_recording_with_what_was_written(
    ours: orthanc_lab.EmbeddedServer, tmp_path: Path
) -> None:
    ended = threading.Event()
    recorder = Recorder(ours.url, tmp_path / "story").start(ended.set)
    try:
        assert send(recorder.url, Exchange("GET", "/system")).status == 200
        with full_disk((tmp_path / "story").stat().st_size + 100):
            assert not send(recorder.url, Exchange("GET", "/statistics")).complete
            assert ended.wait(20)
    finally:
        recorder.stop()
    assert isinstance(recorder.failure, OSError)
    with Recording(tmp_path / "story") as recording:
        assert [str(one) for one in recording] == ["GET /system -> 200"]
