"""Azure and Google: the contract, as far as it can be tried without them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.objects.opening import open_bucket
from orthanc_lab.storage.objects.options import read_bucket_options
from orthanc_lab.testing.contracts.file_area import FileAreaContract
from tests.storage.objects.cloud import Cloud


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    cloud.stop()


def azure(cloud: Cloud) -> FileArea:
    text = f"BlobEndpoint={cloud.url}/lab;AccountName=lab;AccountKey=c2VjcmV0"
    section = {"ConnectionString": text, "ContainerName": "scans", "RootPath": "some/root", "AccessTier": "Cool"}
    options = read_bucket_options({"AzureBlobStorage": section})
    assert options is not None
    return open_bucket(options)


def google(cloud: Cloud, folder: Path) -> FileArea:
    account = {"gcs_base_url": cloud.url, "disable_oauth": True, "client_email": "", "private_key": ""}
    (folder / "account.json").write_text(json.dumps({**account, "private_key_id": ""}))
    section = {"ServiceAccountFile": str(folder / "account.json"), "BucketName": "scans", "RootPath": "some/root"}
    options = read_bucket_options({"GoogleCloudStorage": section})
    assert options is not None
    return open_bucket(options)


class TestAzure(FileAreaContract):
    @pytest.fixture
    def area(self, cloud: Cloud) -> FileArea:
        return azure(cloud)


class TestGoogle(FileAreaContract):
    @pytest.fixture
    def area(self, cloud: Cloud, tmp_path: Path) -> FileArea:
        return google(cloud, tmp_path)


def test_where_a_file_is(cloud: Cloud, tmp_path: Path) -> None:
    uuid = "0123abcd-0000-4000-8000-000000000000"
    azure(cloud).write(f"{uuid}.dcm", b"one", sync=True)
    assert cloud.headers[-1]["x-ms-access-tier"] == "Cool"
    google(cloud, tmp_path).write(f"{uuid}.unk", b"other", sync=True)
    kept = {path: data for path, data in cloud.blobs.items() if uuid in path}
    assert kept == {f"/lab/scans/some/root/{uuid}.dcm": b"one", f"/scans/some/root/{uuid}.unk": b"other"}
