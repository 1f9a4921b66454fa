"""A server whose files are in a bucket."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
import requests
from obstore.store import S3Store

import orthanc_lab
from orthanc_lab import EmbeddedServer, samples
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.seaweed import Bucket
from tests.storage.conftest import files_in

Factory = Callable[..., EmbeddedServer]


def store_of(bucket: Bucket) -> S3Store:
    return S3Store(
        bucket.name,
        endpoint=bucket.endpoint,
        access_key_id=bucket.access_key,
        secret_access_key=bucket.secret_key,
        region=bucket.region,
        client_options={"allow_http": True},
    )


def keys_in(bucket: Bucket) -> list[str]:
    return sorted(item["path"] for item in obstore.list(store_of(bucket)).collect())


def large_file() -> Path:
    return max(samples.dicom_files("ct"), key=lambda path: path.stat().st_size)


def test_files_are_in_the_bucket(bucket: Bucket, orthanc_factory: Factory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    section = bucket.options(RootPath="some/root", EnableAwsSdkLogs=True, Bucket="x", VirtualAddressing=True)
    server = orthanc_factory(AwsS3Storage=section)
    client = orthanc_lab.Client.from_server(server)
    file = large_file()
    assert file.stat().st_size > 32 << 10
    client.upload(file)
    (instance,) = client.instances
    get = server.session.get
    attachment = get(f"{server.url}/instances/{instance.id}/attachments/dicom/info").json()
    assert keys_in(bucket) == [f"some/root/{attachment['Uuid']}.dcm"]
    assert get(f"{server.url}/instances/{instance.id}/file").content == file.read_bytes()
    part = get(f"{server.url}/instances/{instance.id}/attachments/dicom/data", headers={"Range": "bytes=132-999"})
    assert (part.status_code, part.content) == (206, file.read_bytes()[132:1000])
    verified = server.session.post(f"{server.url}/instances/{instance.id}/attachments/dicom/verify-md5")
    assert verified.json() == {}
    system = get(f"{server.url}/system")
    assert system.json()["StorageAreaPlugin"].endswith("libOrthancAwsS3Storage.so")
    for secret in (bucket.access_key, bucket.secret_key):
        assert secret not in caplog.text + system.text
    assert '"AwsS3Storage.EnableAwsSdkLogs" has no effect' in caplog.text
    assert '"AwsS3Storage.Bucket" is unknown' in caplog.text
    instance.delete()
    assert keys_in(bucket) == []


def test_files_in_two_places(bucket: Bucket, orthanc_factory: Factory, tmp_path: Path) -> None:
    """From the folder to the bucket, and back again."""
    modes: dict[str, str] = {}
    for mode in ("", "WriteToObjectStorage", "WriteToFileSystem"):
        sections = {"AwsS3Storage": bucket.options(HybridMode=mode)} if mode else {}
        with orthanc_lab.serve(folder=tmp_path, MaximumStorageCacheSize=0, **sections) as server:
            data = dicom(pixels=LARGE)
            modes[server.session.post(f"{server.url}/instances", data=data).json()["ID"]] = mode
            for id in modes:
                assert server.session.get(f"{server.url}/instances/{id}/file").status_code == 200
    assert (len(files_in(tmp_path)), len(keys_in(bucket))) == (2, 1)
    server = orthanc_factory(folder=tmp_path, AwsS3Storage=bucket.options(HybridMode="WriteToFileSystem"))
    for id in modes:
        assert server.session.delete(f"{server.url}/instances/{id}").status_code == 200
    assert (files_in(tmp_path), keys_in(bucket)) == ([], [])


def test_a_large_file_goes_in_parts(bucket: Bucket, orthanc_factory: Factory) -> None:
    section = bucket.options(UseTransferManager=True, StorageClass="STANDARD_IA", Tags={"use": "a test"})
    server = orthanc_factory(AwsS3Storage=section, MaximumStorageCacheSize=0)
    data = dicom(pixels=LARGE * 100)
    assert len(data) > 5 << 20
    id = server.session.post(f"{server.url}/instances", data=data).json()["ID"]
    assert server.session.get(f"{server.url}/instances/{id}/file").content == data
    (key,) = keys_in(bucket)
    signed = obstore.sign(store_of(bucket), "GET", key, timedelta(minutes=1))
    headers = requests.get(signed, timeout=20).headers
    assert (headers["X-Amz-Storage-Class"], headers["X-Amz-Tagging-Count"]) == ("STANDARD_IA", "1")
    assert headers["Etag"].endswith('-2"')  # of how many parts it was made
