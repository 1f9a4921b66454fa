"""HTTPS: certificates, the oldest version, certificates of clients."""

import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests

import orthanc_lab
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.http.server import HttpServer, Tls
from orthanc_lab.server.http.wire import Wire
from tests.programs import program
from tests.server.wire import answer, connect
from tests.waiting import until

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@pytest.fixture(scope="module")
def openssl(tmp_path_factory):
    path = program("openssl")
    folder = tmp_path_factory.mktemp("tls")
    return lambda *words: subprocess.run([path, *words], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def certificate(openssl, tmp_path_factory):
    """One file with a private key and a certificate for 127.0.0.1, as Orthanc wants it."""
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    run = openssl("req", "-x509", *NEW_KEY, "-days", "2", *names, "-keyout", "-")
    both = tmp_path_factory.mktemp("server") / "certificate.pem"
    both.write_bytes(run.stdout)
    return both


@pytest.fixture(scope="module")
def client(openssl, tmp_path_factory):
    """The certificate of an authority, and one file with a key and a certificate that it signed."""
    folder = tmp_path_factory.mktemp("client")
    authority, key, request, signed = (folder / name for name in ("ca.pem", "key.pem", "request.pem", "signed.pem"))
    openssl("req", "-x509", *NEW_KEY, "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", authority)
    openssl("req", *NEW_KEY, "-subj", "/CN=client", "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", "ca.key", "-days", "2", "-out", signed)
    both = folder / "client.pem"
    both.write_bytes(key.read_bytes() + signed.read_bytes())
    return authority, both


def test_https(certificate):
    with orthanc_lab.serve(SslEnabled=True, SslCertificate=str(certificate)) as server:
        assert server.url.startswith("https://")
        assert server.session.get(f"{server.url}/system").json()["IsHttpServerSecure"] is True
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{server.url}/system", timeout=30)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{server.port}/system", timeout=30)
        assert server.session.get(f"{server.url}/studies").json() == []


def test_ciphers(certificate):
    chosen, other = "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"
    options = {"SslEnabled": True, "SslCertificate": str(certificate)}
    with orthanc_lab.serve(options, SslCiphersAccepted=[chosen, "ECDHE-RSA-AES256-GCM-SHA384"]) as server:
        for offered, works in ((chosen, True), (other, False), (f"{other}:{chosen}", True)):
            context = ssl.create_default_context(cafile=str(certificate))
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(offered)
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain:
                if works:
                    with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                        assert secure.cipher()[0] == chosen
                else:
                    with pytest.raises(ssl.SSLError):
                        context.wrap_socket(plain, server_hostname="127.0.0.1")
    with pytest.raises(OrthancError, match="No cipher"):
        orthanc_lab.serve(options, SslCiphersAccepted=["NO-SUCH-CIPHER"])
    with pytest.raises(OrthancError, match="list of strings"):
        orthanc_lab.serve(options, SslCiphersAccepted=chosen)


@pytest.mark.parametrize(
    ("oldest", "offered", "works"),
    [
        (4, ssl.TLSVersion.TLSv1_2, True),
        (4, ssl.TLSVersion.TLSv1_3, True),
        (5, ssl.TLSVersion.TLSv1_2, False),
        (5, ssl.TLSVersion.TLSv1_3, True),
    ],
)
def test_the_oldest_version(certificate, oldest, offered, works):
    options = {"SslEnabled": True, "SslCertificate": str(certificate), "SslMinimumProtocolVersion": oldest}
    with orthanc_lab.serve(options) as server:
        context = ssl.create_default_context(cafile=str(certificate))
        context.minimum_version = context.maximum_version = offered
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain:
            if works:
                with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                    assert secure.version() == {ssl.TLSVersion.TLSv1_2: "TLSv1.2"}.get(offered, "TLSv1.3")
            else:
                with pytest.raises(ssl.SSLError):
                    context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_clients_must_be_trusted(certificate, client):
    authority, both = client
    options = {
        "SslEnabled": True,
        "SslCertificate": str(certificate),
        "SslVerifyPeers": True,
        "SslTrustedClientCertificates": str(authority),
    }
    with orthanc_lab.serve(options) as server:
        with pytest.raises(requests.ConnectionError):
            server.session.get(f"{server.url}/system")
        server.session.cert = str(both)
        assert server.session.get(f"{server.url}/system").status_code == 200


def test_a_stalled_client_over_tls(certificate):
    options = {"SslEnabled": True, "SslCertificate": str(certificate), "HttpRequestTimeout": 1}
    with orthanc_lab.serve(options) as server:
        context = ssl.create_default_context(cafile=str(certificate))
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            secure.sendall(b"POST /instances HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            assert secure.recv(100).startswith(b"HTTP/1.1 408")


def test_a_child_process_over_tls(certificate):
    with orthanc_lab.serve(process=True, SslEnabled=True, SslCertificate=str(certificate)) as server:
        assert server.session.get(f"{server.url}/studies").json() == []


@pytest.mark.parametrize("text", [None, "", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_certificate_that_is_none(tmp_path, text):
    file = tmp_path / "certificate.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(OrthancError) as refused:
        orthanc_lab.serve(SslEnabled=True, SslCertificate=str(file))
    assert refused.value.code == 39
    assert f'"SslCertificate" cannot be used ({file}): ' in str(refused.value)


def test_trusted_certificates_that_are_missing(certificate, tmp_path):
    options = {"SslEnabled": True, "SslCertificate": str(certificate), "SslVerifyPeers": True}
    with pytest.raises(OrthancError) as refused:
        orthanc_lab.serve(options, SslTrustedClientCertificates=str(tmp_path / "none.pem"))
    assert refused.value.code == 39
    assert f'"SslTrustedClientCertificates" cannot be used ({tmp_path}/none.pem): No such' in str(refused.value)
    with pytest.raises(OrthancError, match=r'"SslCiphersAccepted" cannot be used \(NOPE\): '):
        orthanc_lab.serve(SslEnabled=True, SslCertificate=str(certificate), SslCiphersAccepted=["NOPE"])


def test_a_handshake_that_says_nothing_does_not_hold_up_a_stop(certificate):
    server = HttpServer(lambda environ, start_response: [], tls=Tls(certificate))
    server.start()
    with connect(server.port) as silent:
        silent.sendall(b"\x16\x03\x01")
        server.stop(timeout=600)  # the test would run into its time-out
        assert answer(silent)[0] == 0


def test_a_handshake_has_one_deadline(certificate):
    server = HttpServer(lambda environ, start_response: [], tls=Tls(certificate), request_timeout=0.5)
    server.start()
    try:
        with connect(server.port, timeout=20) as slow:
            assert answer(slow)[0] == 0
    finally:
        server.stop()


def test_a_client_owes_nothing_for_what_it_had_to_wait(certificate):
    """A place that was long in coming is not taken away again while the handshake begins."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server, client = socket.socketpair()
    with server, client:
        wire = Wire(server, 30, 5)
        wire.waits_since = time.monotonic() - 10
        handshake = threading.Thread(target=_fail_to_encrypt, args=(wire, context))
        handshake.start()
        until(lambda: 0 <= wire.lateness(time.monotonic()) < 5)
        wire.cut()
        handshake.join(10)
        assert not handshake.is_alive()
        wire.close()


def _fail_to_encrypt(wire, context):
    with pytest.raises(ssl.SSLError):
        wire.encrypt(context)
