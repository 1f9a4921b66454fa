"""The log of buckets on a disk that is full for a while."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.output_store import OutputWriter
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import SystemIdentifiers
from orthanc_lab.transfers.bucket_log import BucketLog


class Files(FileOutputs):
    """Files on a disk that is full while a test says so."""

    is_full = False

    def append(self, name: str, offset: int) -> tuple[OutputWriter, int]:
        self.check()
        writer, start = super().append(name, offset)
        return Writer(self, writer), start

    def check(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Writer:
    def __init__(self, files: Files, writer: OutputWriter) -> None:
        self._files = files
        self._writer = writer
        self._is_closed = False

    def write(self, data: bytes) -> None:
        assert not self._is_closed, "by now, its descriptor may be that of another file"
        self._writer.write(data[:1] if self._files.is_full else data)
        self._files.check()

    def close(self) -> None:
        assert not self._is_closed
        self._is_closed = True
        self._writer.close()


def test_a_disk_that_is_full_for_a_while(tmp_path: Path) -> None:
    files = Files(tmp_path, SystemIdentifiers())
    name = files.new_name(".push")
    log = BucketLog(files, name)
    log.add(1, b"one")
    files.is_full = True
    for _ in range(2):
        with pytest.raises(OrthancError) as caught:
            log.add(2, b"two")
        assert caught.value.code == ErrorCode.FULL_STORAGE
    files.is_full = False
    log.add(3, b"three")
    log.close()
    again = BucketLog(files, name)
    assert {number: again.read(number) for number in again} == {1: b"one", 3: b"three"}
    again.remove()
