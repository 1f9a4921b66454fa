"""Peers from the configuration and the database, over HTTPS, and across a restart."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.protocol.errors import OrthancError
from tests.programs import program
from tests.rest.test_peers import CT, CT_STUDY, Caller, Peer, refused, wait_for_end


@pytest.mark.parametrize(
    ("peers", "details"),
    [
        ({"a.b": ["http://a"]}, "Only alphanumeric, dash"),
        ({"a": []}, "Bad file format"),
        ({"a": 1}, "Bad file format"),
        ({"a": ["ftp://x"]}, "Bad URL: ftp://x"),
        ({"a": {"Url": "http://a", "Timeout": -1}}, "Unsigned integer value expected in field: Timeout"),
    ],
)
def test_bad_peers_refuse_the_start(peers: Any, details: str) -> None:
    with pytest.raises(OrthancError, match=details) as raised:
        orthanc_lab.serve(OrthancPeers=peers)
    assert raised.value.code == 15


def test_peers_in_the_database(tmp_path: Path) -> None:
    options: dict[str, Any] = {"OrthancPeers": {"ignored": ["http://a"]}, "OrthancPeersInDatabase": True}
    with orthanc_lab.serve(folder=tmp_path, **options) as server:
        call = Caller(server.url)
        assert call("GET", "/peers").json() == []
        call("PUT", "/peers/kept", {"Url": "http://a", "Username": "u", "Password": "p", "HttpHeaders": {"A": "b"}})
        call("PUT", "/peers/gone", ["http://b"])
        call("DELETE", "/peers/gone")
    with orthanc_lab.serve(folder=tmp_path, **options) as server:
        shown = Caller(server.url)("GET", "/peers?expand").json()
        assert list(shown) == ["kept"]
        assert (shown["kept"]["Username"], shown["kept"]["HttpHeaders"]) == ("u", ["A"])


def test_peers_in_memory_are_those_of_the_configuration_after_a_restart(tmp_path: Path) -> None:
    peers = {"a": ["http://a"]}
    for _ in range(2):
        with orthanc_lab.serve(folder=tmp_path, OrthancPeers=peers) as server:
            call = Caller(server.url)
            assert call("GET", "/peers").json() == ["a"]
            call("PUT", "/peers/b", ["http://b"])
            call("DELETE", "/peers/a")
            assert call("GET", "/peers").json() == ["b"]
    assert peers == {"a": ["http://a"]}


def test_a_job_goes_on_after_a_restart(tmp_path: Path) -> None:
    peer = Peer()
    with orthanc_lab.serve(folder=tmp_path) as server:
        call = Caller(server.url)
        call("PUT", "/peers/p", [peer.url, "u", "secret"])
        peer.gate.clear()
        body = {"Resources": [CT_STUDY] * 3, "Asynchronous": True, "Compress": True}
        job = call("POST", "/peers/p/store", body).json()["ID"]
        peer.arrived.acquire(timeout=20)
        call("POST", f"/jobs/{job}/pause")
        peer.gate.set()
        before = wait_for_end(call, job)
        assert (before["State"], before["Progress"]) == ("Paused", 33)
    with orthanc_lab.serve(folder=tmp_path) as server:
        call = Caller(server.url)
        after = call("GET", f"/jobs/{job}").json()
        assert after["Content"] == before["Content"]
        call("POST", f"/jobs/{job}/resume")
        assert wait_for_end(call, job)["State"] == "Success"
    assert len(peer.requests) == 3
    assert {headers["authorization"] for _, _, headers, _, _ in peer.requests} == {"Basic dTpzZWNyZXQ="}
    peer.close()


def test_the_log_of_exports(tmp_path: Path) -> None:
    peer = Peer()
    with orthanc_lab.serve(folder=tmp_path, LogExportedResources=True, OrthancPeers={"p": [peer.url]}) as server:
        call = Caller(server.url)
        call("POST", "/peers/p/store", [CT_STUDY, CT_STUDY])
        call("POST", "/peers/p/store-straight", CT)
        exports = call("GET", "/exports").json()["Exports"]
    assert [(line["ID"], line["RemoteModality"]) for line in exports] == [(CT_STUDY, "p")] * 2
    peer.close()


class Certificates:
    """A server's certificate that has signed itself, an authority, and a client's that the authority signed."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder, self._program = folder, program
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
        plain, locked = (*key, "-nodes"), (*key, "-passout", "pass:sesame")
        names = ("-addext", "subjectAltName=IP:127.0.0.1")
        self._openssl("req", "-x509", *plain, "-subj", "/CN=localhost", *names, "-keyout", "s.key", "-out", "s.pem")
        self._openssl("req", "-x509", *plain, "-subj", "/CN=authority", "-keyout", "a.key", "-out", "a.pem")
        self._openssl("req", *locked, "-subj", "/CN=client", "-keyout", "c.key", "-out", "c.request")
        self._openssl("x509", "-req", "-in", "c.request", "-CA", "a.pem", "-CAkey", "a.key", "-out", "c.pem")
        self.server = folder / "server.pem"
        self.server.write_bytes((folder / "s.key").read_bytes() + (folder / "s.pem").read_bytes())
        self.authority, self.client, self.client_key = folder / "a.pem", folder / "c.pem", folder / "c.key"

    def _openssl(self, *words: str) -> None:
        subprocess.run([self._program, *words], cwd=self._folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"), program("openssl"))


def test_https(certificates: Certificates) -> None:
    with orthanc_lab.serve(SslEnabled=True, SslCertificate=str(certificates.server)) as remote:
        peers = {"p": [remote.url]}
        details = (
            f"libCURL error: SSL peer certificate or SSH remote key was not OK while accessing {remote.url}/system"
        )
        with orthanc_lab.serve(OrthancPeers=peers) as server:
            assert refused(Caller(server.url)("GET", "/peers/p/system")) == (500, 9, details)
        for trusting in ({"HttpsVerifyPeers": False}, {"HttpsCACertificates": str(certificates.server)}):
            with orthanc_lab.serve(OrthancPeers=peers, **trusting) as server:
                call = Caller(server.url)
                assert call("GET", "/peers/p/system").json()["ApiVersion"]
                assert call("POST", "/peers/p/store", CT_STUDY).json()["InstancesCount"] == 1


def test_a_client_certificate(certificates: Certificates) -> None:
    tls = {"SslEnabled": True, "SslCertificate": str(certificates.server), "SslVerifyPeers": True}
    client = {
        "CertificateFile": str(certificates.client),
        "CertificateKeyFile": str(certificates.client_key),
        "CertificateKeyPassword": "sesame",
    }
    with orthanc_lab.serve(**tls, SslTrustedClientCertificates=str(certificates.authority)) as remote:
        for extra, works in (({}, False), (client, True)):
            peers = {"p": {"Url": remote.url, **extra}}
            with orthanc_lab.serve(OrthancPeers=peers, HttpsCACertificates=str(certificates.server)) as server:
                answer = Caller(server.url)("GET", "/peers/p/system")
                assert (answer.status_code == 200) is works, answer.text


def test_a_certificate_that_is_away_is_told_when_the_peer_is_called() -> None:
    peers = {"p": {"Url": "http://127.0.0.1:1/", "CertificateFile": "/nope"}}
    with orthanc_lab.serve(OrthancPeers=peers) as server:
        call = Caller(server.url)
        assert call("GET", "/peers").json() == ["p"]
        error = (404, 13, "Cannot open certificate file: /nope")
        assert refused(call("GET", "/peers/p/system")) == error
        assert refused(call("POST", "/peers/p/store", CT_STUDY)) == error


def test_calls_are_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    peer = Peer()
    definition = {"Url": peer.url, "Username": "u", "Password": "secret1", "HttpHeaders": {"X-Key": "secret2"}}
    with orthanc_lab.serve(OrthancPeers={"p": definition}, HttpVerbose=True) as server:
        assert Caller(server.url)("GET", "/peers/p/system").status_code == 200
    peer.close()
    lines = [record.getMessage() for record in caplog.records]
    assert f"> GET {peer.url}system" in lines
    assert {"> Authorization: ***", "> X-Key: ***", "< HTTP/1.1 200 OK"} <= set(lines)
    assert not {"secret1", "secret2", "dTpzZWNyZXQx"} & set(" ".join(lines).split())


def test_the_general_timeout() -> None:
    peer = Peer()
    peer.gate.clear()
    with orthanc_lab.serve(OrthancPeers={"p": [peer.url]}, HttpTimeout=1) as server:
        details = f"libCURL error: Timeout was reached while accessing {peer.url}system"
        assert refused(Caller(server.url)("GET", "/peers/p/system")) == (500, 9, details)
    peer.close()


def test_a_peer_without_a_name_as_orthanc_takes_it() -> None:
    with orthanc_lab.in_process(OrthancPeers={"": ["http://127.0.0.1:1/"]}) as server:
        assert server.session.get(f"{server.url}/peers").json() == [""]
