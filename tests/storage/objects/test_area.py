"""Each file area fulfils the contract: a folder, and buckets of all kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore

from orthanc_lab.storage.files.area import DiskArea, FileArea
from orthanc_lab.storage.objects.area import ObjectArea
from orthanc_lab.storage.objects.keys import Keys
from orthanc_lab.storage.objects.opening import open_bucket
from orthanc_lab.storage.objects.options import read_bucket_options
from orthanc_lab.testing.contracts.file_area import FileAreaContract
from orthanc_lab.testing.seaweed import Bucket


class TestFolder(FileAreaContract):
    @pytest.fixture
    def area(self, tmp_path: Path) -> FileArea:
        return DiskArea(tmp_path)


class TestMemory(FileAreaContract):
    @pytest.fixture(params=["flat", "legacy"])
    def area(self, request: pytest.FixtureRequest) -> FileArea:
        return ObjectArea(MemoryStore(), Keys("some/root", legacy=request.param == "legacy"))


class TestLocalStore(FileAreaContract):
    @pytest.fixture
    def area(self, tmp_path: Path) -> FileArea:
        return ObjectArea(LocalStore(tmp_path))


class TestS3(FileAreaContract):
    @pytest.fixture(params=["in one piece", "in parts"])
    def area(self, request: pytest.FixtureRequest, bucket: Bucket) -> FileArea:
        section = bucket.options(UseTransferManager=request.param == "in parts")
        options = read_bucket_options({"AwsS3Storage": section})
        assert options is not None
        return open_bucket(options)
