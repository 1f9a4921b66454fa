"""DICOM over TLS: with and without certificates of clients, and what is refused at the start."""

from __future__ import annotations

import resource
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.protocol.errors import OrthancError
from tests.network.raw_client import association_request
from tests.programs import program
from tests.waiting import until


@dataclass(frozen=True)
class Certificates:
    """Two identities; each trusts what it signed itself."""

    folder: Path

    def options(self, **options: Any) -> dict[str, Any]:
        """Return the options of a server that is `server` and trusts `client`."""
        return {
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(self.folder / "server.crt"),
            "DicomTlsPrivateKey": str(self.folder / "server.key"),
            "DicomTlsTrustedCertificates": str(self.folder / "client.crt"),
            **options,
        }

    def context(self, name: str | None = "client") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "server.crt"))
        context.check_hostname = False
        if name:
            context.load_cert_chain(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("server", "client"):
        command = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9"]
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt"), "-subj", f"/CN={name}"]
        subprocess.run([*command, *files], check=True, capture_output=True, timeout=60)
    return Certificates(folder)


def is_accepted(server: orthanc_lab.EmbeddedServer | orthanc_lab.ChildServer, context: ssl.SSLContext | None) -> bool:
    """Whether an association comes about."""
    try:
        connection = socket.create_connection(("127.0.0.1", server.dicom_port), 10)
        with connection if context is None else context.wrap_socket(connection) as connection:
            connection.sendall(association_request())
            return connection.recv(1) == b"\2"
    except OSError:
        return False


def test_with_certificates_of_clients(certificates: Certificates):
    with orthanc_lab.serve(certificates.options()) as server:
        assert is_accepted(server, certificates.context())
        assert not is_accepted(server, certificates.context(None))
        assert not is_accepted(server, certificates.context("server"))
        assert not is_accepted(server, None)
        assert server.errors == []


def test_without_certificates_of_clients(certificates: Certificates):
    options = certificates.options(DicomTlsRemoteCertificateRequired=False, DicomTlsTrustedCertificates="")
    with orthanc_lab.serve(options, DicomTlsMinimumProtocolVersion=5) as server:
        assert is_accepted(server, certificates.context(None))
        old = certificates.context(None)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert not is_accepted(server, old)


def test_dcmtk(certificates: Certificates):
    with orthanc_lab.serve(certificates.options()) as server:
        files = [str(certificates.folder / name) for name in ("client.key", "client.crt", "server.crt")]
        call = [program("echoscu"), "+tls", *files[:2], "+cf", files[2], "127.0.0.1", str(server.dicom_port)]
        subprocess.run(call, check=True, timeout=60)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"DicomTlsCertificate": ""}, 3),
        ({"DicomTlsPrivateKey": ""}, 3),
        ({"DicomTlsTrustedCertificates": ""}, 13),
        ({"DicomTlsCertificate": "/nonexistent"}, 13),
        ({"DicomTlsEnabled": False, "DicomTlsTrustedCertificates": "/nonexistent"}, 13),
        ({"DicomTlsCertificate": __file__}, 15),
        ({"DicomTlsTrustedCertificates": __file__}, 15),
        ({"DicomTlsCiphersAccepted": ["ECDHE-RSA-AES256-GCM-SHA384"]}, 15),
        ({"DicomTlsCiphersAccepted": ["x"], "DicomTlsMinimumProtocolVersion": 4}, 15),
    ],
)
def test_refused_at_the_start(certificates: Certificates, changed: dict[str, Any], code: int):
    with pytest.raises(OrthancError) as caught:
        orthanc_lab.serve(certificates.options(**changed))
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["DicomTlsCertificate", "DicomTlsTrustedCertificates"])
def test_a_file_that_cannot_be_used_is_named(certificates: Certificates, name: str):
    with pytest.raises(OrthancError) as caught:
        orthanc_lab.serve(certificates.options(**{name: __file__}))
    assert f'"{name}" cannot be used ({__file__}' in str(caught.value)


def test_who_makes_no_handshake_loses_its_place(certificates: Certificates):
    with orthanc_lab.serve(certificates.options(DicomScpTimeout=0), process=True) as server:
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (256, limits[1]))
        server.session.post(f"{server.url}/tools/reset", data="")
        until(lambda: sum("has started" in line for line in server.tail()) == 2, what="the reset is not done")
        silent = [socket.create_connection(("127.0.0.1", server.dicom_port), 10) for _ in range(70)]
        assert is_accepted(server, certificates.context())
        for one in silent:
            one.close()
