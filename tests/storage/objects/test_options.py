"""The sections of Orthanc's plug-ins for buckets: what they mean, what is refused, what is warned about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.files.hybrid import HybridArea
from orthanc_lab.storage.objects.keys import Keys
from orthanc_lab.storage.objects.opening import open_bucket
from orthanc_lab.storage.objects.options import NAMES, AzureOptions, GoogleOptions, S3Options, read_bucket_options

UUID = "0123abcd-0000-4000-8000-000000000000"
S3 = {"BucketName": "scans", "Region": "eu-west-1", "AccessKey": "an-access-key", "SecretKey": "a-secret-key"}
AZURE = {"ConnectionString": "AccountName=lab;AccountKey=c2VjcmV0;EndpointSuffix=example.org", "ContainerName": "scans"}
GOOGLE = {"ServiceAccountFile": "account.json", "BucketName": "scans"}
SECTIONS = {"AwsS3Storage": S3, "AzureBlobStorage": AZURE, "GoogleCloudStorage": GOOGLE}


def s3(**further: Any) -> S3Options:
    options = read_bucket_options({"AwsS3Storage": {**S3, **further}})
    assert isinstance(options, S3Options)
    return options


def test_defaults_are_those_of_the_plug_ins() -> None:
    options = s3()
    assert (options.connection_timeout, options.request_timeout) == (30, 1200)
    assert (options.max_connections, options.max_retries) == (25, 10)
    assert (options.in_parts, options.part_size, options.parts_at_once) == (False, 5, 10)
    assert (options.virtual_addressing, options.endpoint, options.storage_class) == (True, None, None)
    assert (options.keys, options.hybrid, options.warnings) == (Keys(), "Disabled", ())
    assert read_bucket_options({"AwsS3Storage": {}}) is None


@pytest.mark.parametrize(
    ("keys", "name", "key"),
    [
        (Keys(), f"{UUID}.dcm", f"{UUID}.dcm"),
        (Keys("root"), f"{UUID}.dcm.head", f"root/{UUID}.dcm.head"),
        (Keys("a/root/"), f"{UUID}.unk", f"a/root/{UUID}.unk"),
        (Keys("root", legacy=True), f"{UUID}.dcm", f"root/01/23/{UUID}"),
        (Keys(legacy=True), UUID, f"01/23/{UUID}"),
    ],
)
def test_keys(keys: Keys, name: str, key: str) -> None:
    assert keys.of(name) == key
    assert keys.all_of(name) == [key]


def test_heads_of_old_plug_ins() -> None:
    keys = s3(EnableLegacyUnknownFiles=True).keys
    assert keys.all_of(f"{UUID}.dcm.head") == [f"{UUID}.dcm.head", f"{UUID}.unk"]
    assert keys.all_of(f"{UUID}.dcm") == [f"{UUID}.dcm"]
    assert s3(EnableLegacyUnknownFiles=True, StorageStructure="legacy").keys.all_of(f"{UUID}.dcm.head") == [
        f"01/23/{UUID}"
    ]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(
    ("option", "value", "code", "words"),
    [
        ("RootPath", "/x", 3, "must not begin with a slash"),
        ("RootPath", 1, 5, "must be a string"),
        ("StorageStructure", "deep", 3, "should be one of flat, legacy"),
        ("HybridMode", "Both", 3, "should be one of Disabled, WriteToFileSystem, WriteToObjectStorage"),
        ("EnableLegacyUnknownFiles", "yes", 5, "must be a Boolean"),
        ("StorageEncryption", {"Enable": True, "MasterKey": [1, "key"]}, 3, "is not supported"),
        ("StorageEncryption", {"MasterKey": [1, "key"]}, 3, "is not supported"),
    ],
)
def test_what_all_refuse(section: str, option: str, value: object, code: int, words: str) -> None:
    with pytest.raises(OrthancError) as caught:
        CheckedSettings({section: {**SECTIONS[section], option: value}})
    assert caught.value.code == code
    assert f'"{section}.{option}" {words}' in caught.value.details


@pytest.mark.parametrize(
    ("section", "option"), [(section, option) for section, options in SECTIONS.items() for option in options]
)
def test_what_is_required(section: str, option: str) -> None:
    given = {name: value for name, value in SECTIONS[section].items() if name != option}
    with pytest.raises(OrthancError, match=rf'"{section}.{option}" is missing') as caught:
        read_bucket_options({section: given})
    assert caught.value.code == 3
    assert "secret" not in caught.value.details


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("MaxConnections", 0),
        ("MaxRetries", -1),
        ("TransferBufferSize", 0),
        ("RequestTimeout", 1 << 40),
        ("Tags", {"a": 1}),
    ],
)
def test_numbers_out_of_range(option: str, value: object) -> None:
    with pytest.raises(OrthancError, match=f'"AwsS3Storage.{option}"') as caught:
        s3(**{option: value})
    assert caught.value.code == 3


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("Endpoint", "http://127.0.0.1:99999"),
        ("Endpoint", "http://localhost:port"),
        ("Endpoint", "http://999.0.0.1"),
        ("Endpoint", "http://[nothing]:9000"),
        ("Endpoint", "http://one two"),
        ("Endpoint", "http://"),
        ("Endpoint", "ftp://localhost"),
        ("Endpoint", "http://alice:secret@localhost"),
        ("BucketName", "one two"),
        ("Region", "one two"),
    ],
)
def test_what_fits_into_no_address(option: str, value: str) -> None:
    with pytest.raises(OrthancError, match=f'"AwsS3Storage.{option}"') as caught:
        s3(**{option: value})
    assert caught.value.code == 3
    assert "secret" not in caught.value.details


@pytest.mark.parametrize(
    ("endpoint", "is_in_host"),
    [
        ("http://localhost:9000", True),
        ("s3.example.org", True),
        ("http://127.0.0.1:9000", False),
        ("https://[::1]:9000/below", False),
    ],
)
def test_the_bucket_is_in_the_path_where_the_host_is_an_ip_address(endpoint: str, is_in_host: bool) -> None:
    options = s3(Endpoint=endpoint)
    assert (options.endpoint, options.virtual_addressing) == (endpoint, is_in_host)
    assert not s3(Endpoint=endpoint, VirtualAddressing=False).virtual_addressing


def test_two_places_are_one_too_many() -> None:
    with pytest.raises(OrthancError) as caught, orthanc_lab.serve(AwsS3Storage=S3, AzureBlobStorage=AZURE):
        pass
    assert caught.value.code == 2036
    assert caught.value.text == "Another plugin has already registered a custom storage area"


def test_warnings() -> None:
    options = s3(MigrationFromFileSystemEnabled=True, EnableAwsSdkLogs=True, StorageEncryption={"Enable": False})
    assert options.hybrid == "WriteToObjectStorage"
    assert [warning.partition('" ')[0].rpartition(".")[2] for warning in options.warnings] == [
        "EnableAwsSdkLogs",
        "MigrationFromFileSystemEnabled",
    ]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_names_of_a_section_are_those_that_are_read(section: str) -> None:
    read: set[str] = set()

    class Values(dict[str, Any]):
        def get(self, name: str, default: Any = None) -> Any:
            read.add(name)
            return super().get(name, default)

    options = read_bucket_options({section: Values(SECTIONS[section])})
    assert options is not None
    assert read == set(NAMES[section])


@pytest.mark.parametrize("value", [None, False, True])
def test_a_container_is_not_made(value: bool | None) -> None:
    given = {} if value is None else {"CreateContainerIfNotExists": value}
    options = read_bucket_options({"AzureBlobStorage": {**AZURE, **given}})
    assert options is not None
    words = '"AzureBlobStorage.CreateContainerIfNotExists" has no effect'
    assert [words in warning for warning in options.warnings] == ([True] if value else [])


def test_no_representation_tells_a_secret() -> None:
    for section, values in SECTIONS.items():
        options = read_bucket_options({section: values})
        assert "a-secret-key" not in repr(options)
        assert "c2VjcmV0" not in repr(options)


@pytest.mark.parametrize(
    ("text", "name", "endpoint"),
    [
        (
            "DefaultEndpointsProtocol=http;AccountName=lab;AccountKey=a2V5PQ==",
            "lab",
            "http://lab.blob.core.windows.net",
        ),
        (
            "BlobEndpoint=http://127.0.0.1:10000/lab/;AccountName=lab;AccountKey=a2V5",
            "lab",
            "http://127.0.0.1:10000/lab",
        ),
        (
            "BlobEndpoint=https://lab.blob.example.org;SharedAccessSignature=?sv=1&sig=x%3D",
            "lab",
            "https://lab.blob.example.org",
        ),
    ],
)
def test_connection_strings(text: str, name: str, endpoint: str) -> None:
    options = read_bucket_options({"AzureBlobStorage": {**AZURE, "ConnectionString": text, "AccessTier": "Cool"}})
    assert isinstance(options, AzureOptions)
    assert (options.account.name, options.account.endpoint, options.storage_class) == (name, endpoint, "Cool")
    assert open_bucket(options)


@pytest.mark.parametrize("text", ["", ";;", "AccountName=lab", "AccountKey=c2VjcmV0", "nonsense"])
def test_connection_strings_that_cannot_be_read(text: str) -> None:
    with pytest.raises(OrthancError, match=r'"AzureBlobStorage\.ConnectionString"') as caught:
        read_bucket_options({"AzureBlobStorage": {**AZURE, "ConnectionString": text}})
    assert "c2VjcmV0" not in caught.value.details


def test_a_key_that_is_none_is_refused_without_telling_it() -> None:
    text = "AccountName=lab;AccountKey=this-is-no-base64"
    options = read_bucket_options({"AzureBlobStorage": {**AZURE, "ConnectionString": text}})
    assert options is not None
    with pytest.raises(OrthancError, match="AzureBlobStorage") as caught:
        open_bucket(options)
    assert "this-is" not in caught.value.details


def test_the_account_of_google_is_beside_the_configuration(tmp_path: Path) -> None:
    settings = CheckedSettings({"GoogleCloudStorage": GOOGLE}, tmp_path)
    options = read_bucket_options({"GoogleCloudStorage": settings["GoogleCloudStorage"]})
    assert isinstance(options, GoogleOptions)
    assert options.account_file == tmp_path / "account.json"
    with pytest.raises(OrthancError, match="names no file"):
        open_bucket(options)
    account = {"gcs_base_url": "http://127.0.0.1:1", "disable_oauth": True, "client_email": "", "private_key": ""}
    (tmp_path / "account.json").write_text(json.dumps({**account, "private_key_id": ""}))
    assert open_bucket(options)


def test_a_hybrid_area_reads_both_and_removes_both(tmp_path: Path) -> None:
    target, other = DiskArea(tmp_path / "target"), DiskArea(tmp_path / "other")
    area = HybridArea(target, other)
    old, new = UUID, UUID.replace("0", "1")
    other.write(old, b"old", sync=False)
    area.write(new, b"new", sync=True)
    assert (area.read(old), area.read(new), target.read(new)) == (b"old", b"new", b"new")
    assert area.read(old, 1, 1) == b"l"
    for name in (old, new):
        area.remove(name)
        with pytest.raises(FileNotFoundError):
            area.read(name)
