"""What the server writes is for its user alone, whatever the umask; what exists keeps its mode."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import JobFailedError
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.protocol.ports import SystemIdentifiers
from orthanc_lab.server.loopback import free_port

SECRETS = ("Peer$ecret1", "Header$ecret2", "Url$ecret3", "UserSecret4")


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """Return the files and folders below `folder`, itself included, that other users can use."""
    found = [folder, *folder.rglob("*")]
    return [f"{path}: {path.stat().st_mode:o}" for path in found if path.stat().st_mode & 0o077]


def run_through(client: Client) -> None:
    """Let the server write all that it writes: files, jobs, outputs, peers with their passwords."""
    client.upload(samples.path("ct"))
    big = client.create_dicom(bytes(bytearray(b"%PDF-")) + os.urandom(100_000), {"PatientName": "Large"})
    nobody = f"http://127.0.0.1:{free_port()}"
    peer = {"Url": nobody, "Username": "u", "Password": SECRETS[0], "HttpHeaders": {"X-Key": SECRETS[1]}}
    client.transport.send("PUT", "/peers/closed", json=peer)
    client.transport.send("PUT", "/peers/plain", json=[nobody.replace("//", f"//u:{SECRETS[2]}@")])
    for name in ("closed", "plain"):
        body = {"Resources": [big.id], "Asynchronous": True}
        job = client.jobs[client.transport.json("POST", f"/peers/{name}/store", json=body)["ID"]]
        with pytest.raises(JobFailedError):
            job.wait(60)
    client.archive_job([study.id for study in client.studies]).wait(60)


@pytest.mark.parametrize("mask", [0, 0o022])
def test_nothing_that_the_server_creates_is_for_others(tmp_path: Path, mask: int) -> None:
    storage, index, temporary = (tmp_path / name for name in ("a/b/storage", "index", "temporary"))
    temporary.mkdir()
    options = {
        "StorageDirectory": str(storage), "IndexDirectory": str(index), "TemporaryDirectory": str(temporary),
        "OrthancPeersInDatabase": True, "AuthenticationEnabled": True, "RegisteredUsers": {"alice": SECRETS[3]},
    }  # fmt: skip
    with umask(mask), orthanc_lab.serve(options, process=True) as server:
        client = Client.from_server(server)
        run_through(client)
        places = [tmp_path / "a", index, *temporary.iterdir()]
        assert [path.name for place in places for path in place.rglob("*") if path.name.endswith("-wal")]
        assert list(temporary.rglob("job-*"))
        assert [open_to_others(place) for place in places] == [[], [], []]
        told = server.log.read_text("utf-8") + json.dumps(client.transport.get("/jobs?expand"))
        peers = json.dumps(client.transport.get("/peers?expand"))
    assert [secret for secret in SECRETS if secret in told] == []
    assert [secret for secret in SECRETS[:2] if secret in peers] == []  # an address is shown as it was given


def test_the_command_line_writes_its_log_for_its_user_alone(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    configuration = tmp_path / "orthanc.json"
    configuration.write_text('{"HttpPort": -1}')
    command = [sys.executable, "-m", "orthanc_lab", f"--logdir={tmp_path / 'logs'}", str(configuration)]
    with umask(0):
        assert subprocess.run(command, timeout=60, check=False).returncode == 255
    (log,) = [path for path in (tmp_path / "logs").iterdir() if not path.is_symlink()]
    assert "HttpPort" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o2750)
    with orthanc_lab.serve(folder=folder) as server:
        Client.from_server(server).upload(samples.path("ct/localizer"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2750


def test_a_planted_folder_in_a_shared_one_is_not_used(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "job-1.zip").write_bytes(b"of somebody")
    link, writable = tmp_path / "link", tmp_path / "writable"
    link.symlink_to(elsewhere)
    writable.mkdir()
    writable.chmod(0o777)
    for planted in (link, writable):
        outputs = FileOutputs(planted, SystemIdentifiers(), shared=True)
        assert outputs.names() == []
        with pytest.raises(PermissionError):
            outputs.new_name(".zip")
        with pytest.raises(PermissionError):
            outputs.append("job-1.zip", 0)
        with pytest.raises(PermissionError):
            outputs.open("job-1.zip")
    assert [path.name for path in elsewhere.iterdir()] == ["job-1.zip"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    outputs = FileOutputs(tmp_path / "outputs", SystemIdentifiers())
    name = outputs.new_name(".zip")
    (tmp_path / "outputs" / name).symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        outputs.append(name, 0)
    assert target.read_bytes() == b"precious"
