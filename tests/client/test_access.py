"""Passwords and certificates."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import UnauthorizedError, UnreachableError
from orthanc_lab.testing.real import RealOrthanc
from tests.programs import program

BOTH = ["ours", pytest.param("real", marks=pytest.mark.real)]


@pytest.fixture(scope="module", params=BOTH)
def locked(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a server with a password listens."""
    if request.param == "real":
        request.getfixturevalue("real_program")
    serve = RealOrthanc if request.param == "real" else orthanc_lab.serve
    with serve(AuthenticationEnabled=True, RegisteredUsers={"alice": "se:cret"}) as server:
        yield server.url


@pytest.mark.parametrize("auth", [None, ("alice", "wrong"), ("bob", "se:cret")])
def test_wrong_credentials(locked: str, auth: tuple[str, str] | None) -> None:
    client = Client(locked, auth)
    with pytest.raises(UnauthorizedError, match=r"\(HTTP 401\)\nPOST .*/tools/find\nPass the right credentials"):
        client.studies.find()
    with pytest.raises(UnauthorizedError):
        client.upload(samples.path("ct"))
    assert repr(client) == f"<Orthanc at {locked} (UnauthorizedError)>"
    assert 'role="alert"' in client._repr_html_()


def test_right_credentials(locked: str) -> None:
    assert list(Client(locked, ("alice", "se:cret")).studies) == []
    assert list(Client(locked.replace("://", "://alice:se%3Acret@")).studies) == []


@pytest.mark.parametrize("auth", ["orthanc", ("orthanc",), ("orthanc", 5), 5])
def test_what_are_no_credentials(auth: object) -> None:
    with pytest.raises(TypeError, match=r"auth=\('user', 'password'\)"):
        Client("http://127.0.0.1:1", auth=auth)  # type: ignore[arg-type]  # the wrong type is the point


def test_a_timeout_that_is_no_number() -> None:
    with pytest.raises(TypeError, match="timeout is a number of seconds, such as 60, not '30'"):
        Client("http://127.0.0.1:1", timeout="30")  # type: ignore[arg-type]


@pytest.mark.parametrize("url", [8042, None, b"http://localhost:8042"])
def test_what_is_no_address(url: object) -> None:
    with pytest.raises(TypeError, match="should look like 'http://localhost:8042'"):
        Client(url)  # type: ignore[arg-type]  # the wrong type is the point


def test_a_server_is_no_address() -> None:
    with (
        orthanc_lab.in_process() as server,
        pytest.raises(TypeError, match=r"; of a server: Client.from_server\(server\)"),
    ):
        Client(server)  # type: ignore[arg-type]  # the wrong type is the point


def test_an_address_is_no_server() -> None:
    with pytest.raises(
        TypeError, match=r"'http://localhost:8042' is not a server that this program started; .*Client\(url\)$"
    ):
        Client.from_server("http://localhost:8042")  # type: ignore[arg-type]  # the wrong type is the point


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an own CA, ``ca.pem``, and of a server's key and certificate signed by it, ``server.pem``."""
    openssl = program("openssl")
    folder = tmp_path_factory.mktemp("certificates")

    def run(words: str) -> None:
        key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        subprocess.run([openssl, *words.replace("NEW_KEY", key).split()], cwd=folder, check=True, capture_output=True)

    run("req -x509 NEW_KEY -days 2 -subj /CN=authority -addext keyUsage=keyCertSign -keyout ca.key -out ca.pem")
    run("req NEW_KEY -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out request.pem")
    run("x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 2 -copy_extensions copy -out signed.pem")
    (folder / "server.pem").write_bytes((folder / "key.pem").read_bytes() + (folder / "signed.pem").read_bytes())
    return folder


# Only ours: Debian's Orthanc 1.12.7 ends with signal 11 at its first HTTPS request.
def test_https_with_an_own_authority(certificates: Path) -> None:
    with orthanc_lab.serve(SslEnabled=True, SslCertificate=str(certificates / "server.pem")) as server:
        with Client(server.url, verify=certificates / "ca.pem") as client:
            assert client.upload(samples.path("ct/soft_tissue")).stored == 20
        with pytest.raises(UnreachableError, match=r"verify='ca\.pem'"):
            Client(server.url).studies.find()
        with pytest.raises(UnreachableError):
            Client(server.url.replace("https", "http"), retries=0).studies.find()


def test_a_server_of_this_program_brings_its_certificate(certificates: Path) -> None:
    with orthanc_lab.serve(SslEnabled=True, SslCertificate=str(certificates / "server.pem")) as server:
        server.session.verify = str(certificates / "ca.pem")
        with Client.from_server(server) as client:
            assert list(client.studies) == []


def test_a_server_of_this_program_brings_its_password() -> None:
    options = {"AuthenticationEnabled": True, "RegisteredUsers": {"alice": "secret"}}
    with orthanc_lab.serve(options) as server, Client.from_server(server) as client:
        assert list(client.studies) == []
    with orthanc_lab.in_process(options) as inside:
        assert list(Client.from_server(inside).studies) == []
