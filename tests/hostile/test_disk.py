"""A disk that is full, takes nothing or may only be read: refused in words, nothing lost, and it goes on by itself."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import orthanc_lab
from tests.hostile.asking import ask, refusal
from tests.rest.files import dicom_file
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts of Linux")
Acknowledged = dict[str, bytes]


def content_of(number: int, size: int = 1 << 20) -> bytes:
    return dicom_file("disk", "1.2", "1.2.3", f"1.2.3.{number}", EncapsulatedDocument=bytes([number % 256]) * size)


def upload(server: orthanc_lab.ChildServer, acknowledged: Acknowledged, number: int) -> requests.Response:
    content = content_of(number)
    answer = ask(server, "POST", "/instances", data=content)
    if answer.status_code == 200:
        acknowledged[answer.json()["ID"]] = content
    return answer


def check(server: orthanc_lab.ChildServer, acknowledged: Acknowledged) -> None:
    """What was acknowledged is there, and nothing else is."""
    assert set(ask(server, "GET", "/instances").json()) == set(acknowledged)
    for instance, content in acknowledged.items():
        assert ask(server, "GET", f"/instances/{instance}/file").content == content
    assert ask(server, "GET", "/statistics").json()["TotalDiskSize"] == str(sum(map(len, acknowledged.values())))


def files_on(folder: Path, least: int) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size >= least]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system of its own needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up(disk: Path) -> None:
    with orthanc_lab.serve(folder=disk, process=True) as server:
        acknowledged: Acknowledged = {}
        number = 0
        while (answer := upload(server, acknowledged, number)).status_code == 200:
            number += 1
            assert number < 16
        assert refusal(answer) == (507, 19)
        assert len(acknowledged) >= 8
        check(server, acknowledged)

        # Everything that writes is refused in words; everything that reads goes on.
        body = {"Tags": {}, "Content": "data:application/pdf;base64," + "JVBERi0x" * 300_000}
        assert refusal(ask(server, "POST", "/tools/create-dicom", json=body)) == (507, 19)
        (series,) = ask(server, "GET", "/series").json()
        archive = ask(server, "GET", f"/series/{series}/archive")
        assert archive.status_code == 200
        assert archive.content.startswith(b"PK")
        check(server, acknowledged)

        server.kill()
        server.restart()
        check(server, acknowledged)

        # Room by a deletion: no restart, no help.
        for instance in list(acknowledged)[:3]:
            del acknowledged[instance]
            assert ask(server, "DELETE", f"/instances/{instance}").status_code == 200
        check(server, acknowledged)
        assert upload(server, acknowledged, 100).status_code == 200
        check(server, acknowledged)
        assert len(files_on(disk, 1 << 20)) == len(acknowledged)


def test_a_disk_filled_by_others(disk: Path) -> None:
    """Not a byte is left: also the index cannot grow. When the other file goes, it goes on."""
    with orthanc_lab.serve(folder=disk, process=True) as server:
        acknowledged: Acknowledged = {}
        assert upload(server, acknowledged, 0).status_code == 200
        other = disk / "other"
        with other.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        refused = 0
        for number in range(1, 6):
            answer = ask(server, "POST", "/tools/create-dicom", json={"Tags": {"PatientID": f"{number}"}})
            refused += answer.status_code != 200
            assert answer.status_code == 200 or refusal(answer) in ((507, 19), (500, 14), (500, 11))
        assert refused
        assert refusal(upload(server, acknowledged, 7))[0] in (507, 500)
        assert ask(server, "GET", "/system").status_code == 200
        other.unlink()
        until(lambda: upload(server, acknowledged, 8).status_code == 200)
        for instance, content in acknowledged.items():
            assert ask(server, "GET", f"/instances/{instance}/file").content == content


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    """Every write of the process fails, of files, index, jobs and log alike; then none does."""
    with orthanc_lab.serve(folder=tmp_path, process=True) as server:
        acknowledged: Acknowledged = {}
        assert upload(server, acknowledged, 0).status_code == 200
        _, hard = limits = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, hard))
        refuses_to_write(server, acknowledged)
        refusal(ask(server, "DELETE", f"/instances/{next(iter(acknowledged))}"))
        check(server, acknowledged)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, limits)
        goes_on(server, acknowledged)


def test_a_folder_that_may_only_be_read(disk: Path) -> None:
    """A start on it is refused in words and harms nothing."""
    with orthanc_lab.serve(folder=disk, process=True) as server:
        acknowledged: Acknowledged = {}
        assert upload(server, acknowledged, 0).status_code == 200
        server.kill()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        start = [sys.executable, "-m", "orthanc_lab", str(disk / "configuration.json")]
        refused = subprocess.run(start, capture_output=True, text=True, timeout=60, check=False)
        assert refused.returncode == 255
        assert "Traceback" not in refused.stderr
        assert str(disk) in refused.stderr
        assert refused.stderr.splitlines()[-1].startswith("E"), refused.stderr
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        server.restart()
        goes_on(server, acknowledged)


def refuses_to_write(server: orthanc_lab.ChildServer, acknowledged: Acknowledged) -> None:
    for number in range(1, 4):
        assert refusal(upload(server, acknowledged, number))[0] in (500, 507)
    assert refusal(ask(server, "POST", "/tools/create-dicom", json={"Tags": {}}))[0] in (500, 507)
    check(server, acknowledged)


def goes_on(server: orthanc_lab.ChildServer, acknowledged: Acknowledged) -> None:
    until(lambda: upload(server, acknowledged, 9).status_code == 200)
    check(server, acknowledged)
    server.kill()
    server.restart()
    check(server, acknowledged)
