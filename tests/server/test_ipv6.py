"""IPv6: started from Python, in a process of its own, and by a configuration file."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

import orthanc_lab
from orthanc_lab.client import Client
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.loopback import free_port
from tests.waiting import until

pytestmark = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize("process", [False, True])
def test_started_from_python(process: bool) -> None:
    with orthanc_lab.serve(process=process, HttpBindAddresses=["::1"]) as server:
        assert server.url == f"http://[::1]:{server.port}"
        assert server.session.get(f"{server.url}/system").status_code == 200
        made = server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}}).json()
        metadata = server.session.get(f"{server.url}{made['Path']}/metadata?expand").json()
        assert metadata["RemoteIP"] == "::1"
        assert len(Client(server.url).instances) == 1
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{server.port}/system", timeout=30)


def test_by_a_configuration_file(tmp_path: Path) -> None:
    port = free_port()
    options = {"HttpPort": port, "HttpBindAddresses": ["127.0.0.1", "::1"], "StorageDirectory": "storage"}
    options["DicomServerEnabled"] = False
    file = tmp_path / "configuration.json"
    file.write_text(json.dumps(options))
    with subprocess.Popen([sys.executable, "-m", "orthanc_lab", str(file)], stderr=subprocess.DEVNULL) as process:
        try:
            for host in ("127.0.0.1", "[::1]", "localhost"):
                until(lambda host=host: answers(f"http://{host}:{port}/system"))
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize(
    ("addresses", "host"),
    [([], "127.0.0.1"), (["0.0.0.0"], "127.0.0.1"), (["::"], "[::1]"), (["::1", "127.0.0.1"], "127.0.0.1")],
)
def test_the_url_is_one_that_works(addresses: list[str], host: str) -> None:
    with orthanc_lab.serve(HttpBindAddresses=addresses) as server:
        assert server.url == f"http://{host}:{server.port}"
        assert server.session.get(f"{server.url}/system").status_code == 200


@pytest.mark.parametrize("address", ["localhost", "192.0.2.1"])  # a name; an address that no machine has
def test_an_address_that_is_not_of_this_machine(address: str) -> None:
    with pytest.raises(OrthancError) as refused:
        orthanc_lab.serve(HttpBindAddresses=[address])
    assert refused.value.code == 2003
    assert f"{address} is not an IP address of this machine" in str(refused.value)
