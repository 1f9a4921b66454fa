"""Large files are written past the system's cache, where the file system and the disk offer that."""

from __future__ import annotations

import errno
import fcntl
import os
import uuid
from pathlib import Path

import pytest

from orthanc_lab.storage.files import direct_write
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.files.direct_write import PIECE

BLOCK = 4096
CONTENT = os.urandom(3 * PIECE + 2 * BLOCK + 123)


class Disk:
    """Takes note of all that is written, and of what goes past the cache; can go wrong at a write past it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.direct: list[int] = []
        self.cached: list[int] = []
        self.fault_at = -1
        self.fault: int | str = ""
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, descriptor: int, data: memoryview) -> int:
        if not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            self.cached.append(len(data))
            return self._write(descriptor, data)
        if len(self.direct) == self.fault_at:
            if self.fault == "short":
                data = data[: len(data) // 2 + 17]
                fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~os.O_DIRECT)
            else:
                assert isinstance(self.fault, int)
                raise OSError(self.fault, os.strerror(self.fault))
        self.direct.append(len(data))
        return self._write(descriptor, data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Disk:
    with (tmp_path / "probe").open("wb") as probe:
        flags = fcntl.fcntl(probe, fcntl.F_GETFL)
        try:
            fcntl.fcntl(probe, fcntl.F_SETFL, flags | os.O_DIRECT)
        except OSError:
            pytest.skip("the folder of temporary files is on a file system without O_DIRECT: set TMPDIR")
    return Disk(monkeypatch)


def written(folder: Path, content: bytes) -> bytes:
    area, name = DiskArea(folder), f"{uuid.uuid4()}.dcm"
    area.write(name, content, sync=True)
    return area.read(name)


@pytest.mark.parametrize("more", [-1, 0, 1, BLOCK - 1, BLOCK, BLOCK + 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 77])
def test_every_size(disk: Disk, tmp_path: Path, more: int) -> None:
    content = CONTENT[: PIECE + more]
    assert written(tmp_path, content) == content
    assert sum(disk.direct) == (len(content) // BLOCK * BLOCK if more >= 0 else 0)
    assert sum(disk.direct) + sum(disk.cached) == len(content)
    assert max(disk.direct, default=0) <= PIECE


def test_a_file_that_nobody_waits_for_is_left_to_the_system(disk: Disk, tmp_path: Path) -> None:
    DiskArea(tmp_path).write(str(uuid.uuid4()), CONTENT, sync=False)
    assert disk.direct == []


def test_a_file_system_without_it(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fcntl.fcntl

    def refusing(descriptor: int, command: int, argument: int = 0) -> int:
        if command == fcntl.F_SETFL and argument & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real(descriptor, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", refusing)
    assert written(tmp_path, CONTENT) == CONTENT
    assert disk.direct == []


def test_a_system_without_it(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_write, "_DIRECT", 0)
    assert written(tmp_path, CONTENT) == CONTENT
    assert disk.direct == []


@pytest.mark.parametrize("fault", [errno.EINVAL, "short"])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_the_rest_goes_the_usual_way(disk: Disk, tmp_path: Path, fault: int | str, at: int) -> None:
    """A disk of larger blocks refuses; a write that ends early leaves a place where no block begins."""
    disk.fault, disk.fault_at = fault, at
    assert written(tmp_path, CONTENT) == CONTENT
    assert len(disk.direct) == at + (fault == "short")


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("at", [0, 2])
def test_a_disk_that_fails(disk: Disk, tmp_path: Path, fault: int, at: int) -> None:
    disk.fault, disk.fault_at = fault, at
    with pytest.raises(OSError, match=os.strerror(fault)):
        written(tmp_path, CONTENT)
    assert [path for path in tmp_path.rglob("*") if path.name != "probe"] == []
