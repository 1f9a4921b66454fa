"""Servers that misbehave: each ends in a clear error, or in success after a retry; never in half a file."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from pathlib import Path

import pytest

from orthanc_lab import samples
from orthanc_lab.client import (
    Client,
    ClientError,
    ConnectionLostError,
    DamagedDownloadError,
    JobForgottenError,
    JobPausedError,
    JobRetryError,
    JobTimeoutError,
    NotFoundError,
    NotOrthancError,
    ResponseError,
    UnauthorizedError,
    UnreachableError,
    UploadInterruptedError,
)
from orthanc_lab.client.download import save_stream
from orthanc_lab.client.jobs import Job
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.faults import Faults
from tests.client.scripted import Act, Scripted, answer, drop, send
from tests.waiting import until

BUSY = answer(b"", "503 Service Unavailable")
SYSTEM = answer(b'{"Name": "scripted"}')


def job_document(state: str, **fields: object) -> dict[str, object]:
    return {"ID": "a-job", "Type": "Archive", "State": state, "Progress": 40, "Priority": 0, **fields}


def job(state: str, **fields: object) -> Act:
    return answer(json.dumps(job_document(state, **fields)).encode())


def zip_bytes() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one.dcm", bytes(100_000))
    return out.getvalue()


def test_nobody_listens() -> None:
    words = r"No Orthanc answers at http://127\.0\.0\.1:\d+ \(Failed [^()]*\)\.\n.*running"
    with pytest.raises(UnreachableError, match=words):
        Client(f"http://127.0.0.1:{free_port()}", retries=1).studies.find()


@pytest.mark.parametrize("url", ["localhost:8042", "", "ftp://host", "http://", "http://host:port", "http://h:99999"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="not a valid server address; it should look like http://localhost:8042"):
        Client(url)


def test_an_address_of_another_service() -> None:
    with Scripted(answer(b"<html>Welcome</html>", "200 OK", "Content-Type: text/html")) as server:
        with pytest.raises(NotOrthancError, match=r"POST .*/tools/find was answered with text/html, not with JSON"):
            Client(server.url).studies.find()
        server.play(answer(b"<html>Nothing</html>", "404 Not Found"))
        with pytest.raises(NotFoundError, match="The address or identifier is wrong") as caught:
            Client(server.url).studies.find()
        assert "html" not in str(caught.value)


def test_a_service_that_speaks_no_http() -> None:
    with (
        Scripted(send(b"220 mail.example ESMTP\r\n")) as server,
        pytest.raises(UnreachableError, match="No Orthanc answers"),
    ):
        Client(server.url, retries=1).studies.find()


def test_credentials_in_the_address_are_used_and_not_shown() -> None:
    with Scripted(SYSTEM) as server:
        client = Client(server.url.replace("http://", "http://us%40er:pass@") + "/")
        assert client.system["Name"] == "scripted"
        assert client.url == server.url
        assert "Authorization: Basic dXNAZXI6cGFzcw==" in server.requests[0]


def test_a_burst_of_503_is_survived_by_every_method() -> None:
    with Scripted(BUSY, BUSY, SYSTEM) as server:
        assert Client(server.url).system["Name"] == "scripted"
        assert len(server.requests) == 3
        server.play(BUSY, answer(b'{"ID": "x", "Path": "/instances/x"}'))
        assert Client(server.url).create_dicom(None).id == "x"


def test_503_without_an_end_is_an_error() -> None:
    with Scripted(BUSY) as server, pytest.raises(ResponseError, match=r"Service Unavailable \(HTTP 503") as caught:
        Client(server.url, retries=2).studies.find()
    assert caught.value.status == 503
    assert len(server.requests) == 3


def test_a_connection_that_is_dropped_is_tried_again_where_that_does_no_harm() -> None:
    with Scripted(drop, SYSTEM) as server:
        assert Client(server.url).system["Name"] == "scripted"
        server.play(drop, answer(b'{"ID": "x", "Path": "/instances/x"}'))
        with pytest.raises(UnreachableError):
            Client(server.url).create_dicom(None)  # it may have been made: a second one is no business of ours
        assert sum(request.startswith("POST") for request in server.requests) == 1


def test_a_silent_server_is_not_waited_for_without_end() -> None:
    with Scripted(drop) as server:
        server.play(server.silence)
        with pytest.raises(UnreachableError, match=r"silent; raise the limit: Client\(url, timeout="):
            Client(server.url, timeout=0.5).studies.find()
        until(lambda: len(server.requests) == 1)


def test_a_truncated_body_is_asked_for_again() -> None:
    cut = send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"Name":')
    with Scripted(cut, SYSTEM) as server:
        assert Client(server.url).system["Name"] == "scripted"
        server.play(cut)
        with pytest.raises(UnreachableError):
            Client(server.url, retries=1).studies.find()


def test_an_error_that_is_cut_still_tells_its_status(tmp_path: Path) -> None:
    cut = send(b'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 500\r\n\r\n{"Orth')
    with Scripted(cut) as server, pytest.raises(ResponseError, match="HTTP 500"):
        Client(server.url, retries=0).archive("x", tmp_path / "never.zip")
    assert list(tmp_path.iterdir()) == []


CUT_BODIES = {
    "known length": send(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + zip_bytes()),
    "chunked": send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + bytes(500)),
    "until closed": send(b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\n\r\n" + zip_bytes()[:-30]),
    "empty": send(b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\n\r\n"),
}


@pytest.mark.parametrize("kind", CUT_BODIES)
def test_half_a_download_leaves_nothing(kind: str, tmp_path: Path) -> None:
    (tmp_path / "study.zip").write_bytes(b"an older archive")
    with Scripted(CUT_BODIES[kind]) as server, pytest.raises(ConnectionLostError, match="is incomplete"):
        Client(server.url, retries=0).archive(["a", "b"], tmp_path / "study.zip")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"study.zip": b"an older archive"}


def test_a_silent_download_leaves_nothing(tmp_path: Path) -> None:
    with Scripted(drop) as server:

        def stop_in_the_middle(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nabc")
            server.silence(connection)

        server.play(stop_in_the_middle)
        with pytest.raises(ConnectionLostError):
            save_stream(Client(server.url).transport, "GET", "/x", tmp_path / "x", timeout=0.2)
    assert list(tmp_path.iterdir()) == []


def test_what_the_caller_raises_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with Scripted(answer(zip_bytes())) as server, pytest.raises(KeyboardInterrupt):
        Client(server.url).archive("a", tmp_path / "a.zip", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    with Scripted(drop) as server, pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        Client(server.url).archive("a", tmp_path / "nowhere" / "a.zip")
    assert server.requests == []


def test_a_folder_that_is_a_file_or_closed_is_named_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with Scripted(drop) as server, Client(server.url) as client:
        with pytest.raises(NotADirectoryError, match=r"file is a file, not a folder$"):
            client.archive("a", tmp_path / "file" / "a.zip")
        monkeypatch.setattr("os.access", lambda *arguments: False)  # root may write everywhere
        with pytest.raises(PermissionError, match=rf"^The folder {tmp_path} cannot be written to: you have no"):
            client.archive("a", tmp_path / "a.zip")
    assert server.requests == []


@pytest.mark.parametrize("name", ["../../evil.zip", "/etc/evil.zip", "..\\evil.zip", "..", "", "."])
def test_a_name_from_the_server_stays_in_the_folder(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    head = f'Content-Disposition: filename="{name}"'
    with Scripted(answer(zip_bytes(), "200 OK", head)) as server:
        saved = Client(server.url).archive("a", folder)
    assert saved.parent == folder
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [saved.name]


@pytest.mark.parametrize(("choice", "outcome"), [("wait", None), ("raise", JobRetryError)])
def test_a_job_that_will_be_tried_again(choice: str, outcome: type[Exception] | None) -> None:
    retry = job("Retry", ErrorCode=9, ErrorDescription="Error in the network protocol", ErrorDetails="refused")
    with Scripted(retry, job("Running"), job("Success")) as server:
        waiting = Job(Client(server.url).transport, {"ID": "a-job"})
        if outcome is None:
            assert waiting.wait(30, retry=choice).state.value == "Success"
        else:
            with pytest.raises(outcome, match="network protocol: refused"):
                waiting.wait(30, retry=choice)


def test_a_paused_job_is_an_error_or_is_waited_for() -> None:
    with Scripted(job("Paused"), job("Paused"), job("Success")) as server:
        waiting = Job(Client(server.url).transport, {"ID": "a-job"})
        with pytest.raises(JobPausedError, match=r"job\.resume\(\)"):
            waiting.wait(30)
        seen: list[str] = []
        waiting.wait(30, paused="wait", progress=lambda job: seen.append(job.state.value))
        assert seen == ["Paused", "Success"]


def test_a_job_that_does_not_end_in_time() -> None:
    with Scripted(job("Running")) as server, pytest.raises(JobTimeoutError, match=r"still Running \(40 %\) after 0.05"):
        Job(Client(server.url).transport, {"ID": "a-job"}).wait(0.05)


def test_a_job_that_the_server_forgot() -> None:
    with Scripted(job("Running"), answer(b"", "404 Not Found")) as server, pytest.raises(JobForgottenError):
        Job(Client(server.url).transport, {"ID": "a-job"}).wait(30)


def test_a_wait_survives_an_outage() -> None:
    with Scripted(job("Running"), drop, BUSY, drop, job("Success")) as server:
        assert Job(Client(server.url).transport, {"ID": "a-job"}).wait(30).state.value == "Success"


def test_a_wait_ends_if_the_server_stays_away() -> None:
    waiting = Job(Client(f"http://127.0.0.1:{free_port()}").transport, {"ID": "a-job"})
    with pytest.raises(UnreachableError):
        waiting.wait(30, outage=0.1)
    with pytest.raises(JobTimeoutError):
        waiting.wait(0.1, outage=30)


def test_credentials_that_expire_end_a_wait() -> None:
    with Scripted(job("Running"), answer(b"", "401 Unauthorized")) as server, pytest.raises(UnauthorizedError):
        Job(Client(server.url).transport, {"ID": "a-job"}).wait(30)


STORED = b'{"ID": "i", "Path": "/instances/i", "Status": "Success"}'


def test_an_upload_is_sent_again_after_a_lost_connection() -> None:
    with Scripted(drop, BUSY, answer(STORED)) as server:
        assert Client(server.url).upload(b"some bytes").stored == 1


def test_a_large_file_is_rewound_before_it_is_sent_again(tmp_path: Path) -> None:
    (tmp_path / "large.dcm").write_bytes(bytes(3 << 20))
    with Scripted(BUSY, answer(STORED)) as server:
        assert Client(server.url).upload(tmp_path).stored == 1
        assert [f"Content-Length: {3 << 20}" in request for request in server.requests] == [True, True]


def test_a_full_storage_interrupts_an_upload_and_it_can_go_on() -> None:
    error = b'{"HttpStatus": 507, "OrthancError": "The file storage is full", "OrthancStatus": 19}'
    with Scripted(answer(STORED), answer(error, "507 Insufficient Storage")) as server:
        with pytest.raises(UploadInterruptedError, match=r"after 1 file: The file storage is full .*\n") as caught:
            Client(server.url).upload([b"first", b"second", b"third"], parallel=1)
        report = caught.value.report
        assert list(report.files) == ["item 0"]
        server.play(answer(STORED), answer(STORED))
        done = Client(server.url).upload([b"first", b"second", b"third"], resume=report)
        assert (done.stored, list(done.files)) == (3, ["item 0", "item 1", "item 2"])


def test_an_upload_without_permission_ends_at_once() -> None:
    with Scripted(answer(b"", "401 Unauthorized")) as server, pytest.raises(UnauthorizedError, match="auth="):
        Client(server.url).upload([b"first", b"second"], parallel=1)
    assert len(server.requests) == 1


def test_a_route_that_makes_no_job_is_said() -> None:
    with Scripted(answer(b"[]")) as server, pytest.raises(ClientError, match="POST /tools/find succeeded, but"):
        Client(server.url).jobs.submit("/tools/find", {"Level": "Study", "Query": {}})


def whole(status: str = "200 OK", *headers: str) -> Act:
    return answer(zip_bytes(), status, "Content-Type: application/zip", *headers)


def test_a_download_that_breaks_off_is_asked_for_again(tmp_path: Path) -> None:
    with Scripted(CUT_BODIES["known length"], CUT_BODIES["until closed"], whole()) as server:
        Client(server.url).archive("a", tmp_path / "a.zip")
        assert zipfile.is_zipfile(tmp_path / "a.zip")
        assert len(server.requests) == 3


def test_a_zip_without_its_end_is_no_download_even_if_its_length_is_right(tmp_path: Path) -> None:
    cut = answer(zip_bytes()[:-30], "200 OK", "Content-Type: application/zip")
    with Scripted(cut) as server, pytest.raises(ConnectionLostError, match="the end of the ZIP archive is missing"):
        Job(Client(server.url, retries=1).transport, {"ID": "x"}).download(tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_post_that_is_not_sent_twice_says_that_it_may_have_been_carried_out() -> None:
    with Scripted(drop) as server, pytest.raises(UnreachableError, match="It may have carried out the request"):
        Client(server.url).create_dicom(None)


def test_a_file_that_is_damaged_is_noticed(orthanc: EmbeddedServer, orthanc_faults: Faults, tmp_path: Path) -> None:
    client = Client.from_server(orthanc)
    client.upload(samples.dicom_files("ct/sharp")[:2])
    study = client.studies.find()[0]
    assert study.media(tmp_path, verify=True).exists()
    job = study.archive_job().wait()
    assert job.download(tmp_path, verify=True).exists()
    with (
        orthanc_faults.on("corrupted attachment"),
        pytest.raises(DamagedDownloadError, match="2 of 2 files in the archive are damaged: ") as caught,
    ):
        study.archive(tmp_path / "damaged.zip", verify=True)
    assert len(caught.value.files) == 2
    assert not (tmp_path / "damaged.zip").exists()
    with pytest.raises(ValueError, match="verify it without transcode"):
        client.archive(study, tmp_path, transcode="1.2.840.10008.1.2.1", verify=True)


def test_an_upload_that_was_accepted_and_lost_is_noticed(orthanc: EmbeddedServer, orthanc_faults: Faults) -> None:
    client = Client.from_server(orthanc)
    with orthanc_faults.on("peer that accepts and loses"):
        report = client.upload(samples.dicom_files("ct/sharp")[:3], verify=True)
    assert (report.stored, len(report.refused), report.files) == (0, 3, {})
    assert set(report.refused.values()) == {"accepted by the server, but not there any more"}
    assert client.upload(samples.dicom_files("ct/sharp")[:3], verify=True, resume=report).stored == 3
