"""The sections ``AwsS3Storage``, ``AzureBlobStorage`` and ``GoogleCloudStorage``, as Orthanc's plug-ins name them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.objects.connection_string import AzureAccount, read_connection_string
from orthanc_lab.storage.objects.keys import Keys

__all__ = ["NAMES", "SECTIONS", "AzureOptions", "BucketOptions", "GoogleOptions", "S3Options", "read_bucket_options"]

T = TypeVar("T")

_LARGEST = 2**31 - 1
_LONGEST_SILENCE = 60
_HYBRID = ("Disabled", "WriteToFileSystem", "WriteToObjectStorage")
_STRUCTURES = ("flat", "legacy")
_WORD = re.compile(r"[\w.-]+", re.ASCII)
_ADDRESS = re.compile(r"(?:https?://)?(?P<host>[\w.-]+|\[[^\]]*\])(?::(?P<port>\d{1,5}))?(?:/[!-~]*)?", re.ASCII | re.I)
_NUMERIC = re.compile(r"(?:^|\.)\d+\.?$|\]$")  # hosts that can only be IP addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketOptions:
    """What the sections have in common."""

    section: str
    keys: Keys
    hybrid: str = "Disabled"  # HybridMode: where new files go, while older ones are in the other place
    connection_timeout: int = 30  # seconds
    request_timeout: int = 1200  # seconds
    longest_silence: int | None = _LONGEST_SILENCE  # seconds; None: that of a request
    max_connections: int = 25
    max_retries: int = 10
    storage_class: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def secrets(self) -> Collection[str]:
        """What no message may contain."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Options(BucketOptions):
    """``AwsS3Storage``; the names of the options stand beside those of other spelling."""

    bucket: str  # BucketName
    region: str
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    virtual_addressing: bool = True  # the bucket is named in the host, not in the path
    tags: Mapping[str, str] = field(default_factory=dict)
    in_parts: bool = False  # UseTransferManager
    part_size: int = 5  # TransferBufferSize, MB
    parts_at_once: int = 10  # TransferPoolSize

    @property
    def secrets(self) -> Collection[str]:
        """What no message may contain."""
        return [key for key in (self.access_key, self.secret_key) if key]


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureOptions(BucketOptions):
    """``AzureBlobStorage``."""

    account: AzureAccount = field(repr=False)  # ConnectionString
    container: str  # ContainerName

    @property
    def secrets(self) -> Collection[str]:
        """What no message may contain."""
        return [key for key in (self.account.key, self.account.signature) if key]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleOptions(BucketOptions):
    """``GoogleCloudStorage``."""

    account_file: Path  # ServiceAccountFile
    bucket: str  # BucketName


def read_bucket_options(settings: Mapping[str, Mapping[str, Any]]) -> BucketOptions | None:
    """Return the options of the one section that a configuration has, None if it has none.

    Parameters
    ----------
    settings
        Sections by name; those of others are passed over.

    Raises
    ------
    OrthancError
        3 or 5 for a section that cannot be, 2036 if there are two.
    """
    given = [name for name in SECTIONS if settings.get(name)]
    if len(given) > 1:
        raise OrthancError(ErrorCode.STORAGE_AREA_TAKEN, f"The configuration has the sections {' and '.join(given)}")
    return SECTIONS[given[0]](settings[given[0]]) if given else None


class _Section:
    """The options of a section, read one by one."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self._name = name
        self._values = values
        self.warnings: list[str] = []

    def text(self, option: str, default: T) -> str | T:
        value: str | T = self._value(option, default, str, "a string")
        return value

    def required(self, option: str) -> str:
        text: str = self.text(option, "")
        if not text:
            raise self.refused(option, "is missing")
        return text

    def word(self, option: str) -> str:
        """Return a text that fits into the name of a host; it is required."""
        text = self.required(option)
        if not _WORD.fullmatch(text):
            raise self.refused(option, f'must consist of letters, digits, ".", "-" and "_": "{text}"')
        return text

    def address(self, option: str) -> tuple[str, bool] | None:
        """Return the address of a server, and whether its host is an IP address; None for none."""
        text = self.text(option, "")
        if not text:
            return None
        found = _ADDRESS.fullmatch(text)
        if not found or not 0 < int(found["port"] or 1) < 1 << 16:
            raise self.refused(option, 'must be an address such as "http://localhost:9000"')
        host = found["host"]
        if not _NUMERIC.search(host):
            return text, False
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            raise self.refused(option, f"has no IP address for a host: {host}") from None
        return text, True

    def one_of(self, option: str, *allowed: str) -> str:
        """Return one of some texts; the first one is the default."""
        text: str = self.text(option, allowed[0])
        if text not in allowed:
            raise self.refused(option, f'should be one of {", ".join(allowed)}: "{text}"')
        return text

    def boolean(self, option: str, default: bool) -> bool:
        return bool(self._value(option, default, bool, "a Boolean (true or false)"))

    def number(self, option: str, default: int, smallest: int = 0) -> int:
        number: int = self._value(option, default, int, "an integer")
        if not smallest <= number <= _LARGEST:
            raise self.refused(option, f"must be between {smallest} and {_LARGEST}")
        return number

    def object(self, option: str) -> dict[str, Any]:
        return dict(self._value(option, {}, dict, "an object"))

    def _value(self, option: str, default: Any, kind: type, words: str) -> Any:
        value = self._values.get(option, default)
        if option in self._values and type(value) is not kind:
            raise OrthancError(
                ErrorCode.BAD_PARAMETER_TYPE, f'The configuration option "{self._name}.{option}" must be {words}'
            )
        return value

    def refused(self, option: str, why: str) -> OrthancError:
        return OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f'The configuration option "{self._name}.{option}" {why}')

    def warn(self, option: str, why: str) -> None:
        self.warnings.append(f'The configuration option "{self._name}.{option}" {why}')

    def common(self) -> dict[str, Any]:
        """Return the fields of `BucketOptions`."""
        root = self.text("RootPath", "")
        if root.startswith("/"):
            raise self.refused("RootPath", "must not begin with a slash")
        legacy = self.one_of("StorageStructure", *_STRUCTURES) == "legacy"
        unknown_heads = self.boolean("EnableLegacyUnknownFiles", False)
        hybrid = self.one_of("HybridMode", *_HYBRID)
        if self.boolean("MigrationFromFileSystemEnabled", False):
            self.warn("MigrationFromFileSystemEnabled", 'is deprecated: use "HybridMode": "WriteToObjectStorage"')
            hybrid = "WriteToObjectStorage"
        self._refuse_encryption()
        return {
            "section": self._name,
            "keys": Keys(root, legacy=legacy, unknown_heads=unknown_heads),
            "hybrid": hybrid,
            "warnings": tuple(self.warnings),
        }

    def _refuse_encryption(self) -> None:
        encryption = self.object("StorageEncryption")
        if encryption and encryption.get("Enable") is not False:
            raise self.refused(
                "StorageEncryption",
                "is not supported: this server neither encrypts files nor reads encrypted ones. "
                "Let the bucket encrypt them (server-side encryption)",
            )


def _read_s3(values: Mapping[str, Any]) -> S3Options:
    section = _Section("AwsS3Storage", values)
    access_key, secret_key = section.text("AccessKey", None), section.text("SecretKey", None)
    if bool(access_key) != bool(secret_key):
        raise section.refused("SecretKey" if access_key else "AccessKey", "is missing")
    if section.boolean("EnableAwsSdkLogs", False):
        section.warn("EnableAwsSdkLogs", "has no effect: the library that reaches the bucket (obstore) writes no log")
    tags = section.object("Tags")
    if not all(isinstance(value, str) for value in tags.values()):
        raise section.refused("Tags", "must contain strings alone")
    endpoint, is_numeric = section.address("Endpoint") or (None, False)
    in_host = section.boolean("VirtualAddressing", True) and not is_numeric  # bucket.127.0.0.1 is no host
    options: dict[str, Any] = {
        "bucket": section.word("BucketName"),
        "region": section.word("Region"),
        "access_key": access_key or None,
        "secret_key": secret_key or None,
        "endpoint": endpoint,
        "virtual_addressing": in_host,
        "tags": tags,
        "in_parts": section.boolean("UseTransferManager", False),
        "part_size": section.number("TransferBufferSize", 5, 1),
        "parts_at_once": section.number("TransferPoolSize", 10, 1),
        "connection_timeout": section.number("ConnectionTimeout", 30, 1),
        "request_timeout": section.number("RequestTimeout", 1200, 1),
        "longest_silence": None if "RequestTimeout" in values else _LONGEST_SILENCE,
        "max_connections": section.number("MaxConnections", 25, 1),
        "max_retries": section.number("MaxRetries", 10),
        "storage_class": section.text("StorageClass", None) or None,
    }
    return S3Options(**options, **section.common())


def _read_azure(values: Mapping[str, Any]) -> AzureOptions:
    section = _Section("AzureBlobStorage", values)
    try:
        account = read_connection_string(section.required("ConnectionString"))
    except ValueError as error:
        raise section.refused("ConnectionString", f"cannot be read: {error}") from None
    if section.boolean("CreateContainerIfNotExists", False):
        section.warn(
            "CreateContainerIfNotExists",
            "has no effect: the library that reaches the container (obstore) cannot make one",
        )
    options: dict[str, Any] = {
        "account": account,
        "container": section.required("ContainerName"),
        "storage_class": section.text("AccessTier", None) or None,
    }
    return AzureOptions(**options, **section.common())


def _read_google(values: Mapping[str, Any]) -> GoogleOptions:
    section = _Section("GoogleCloudStorage", values)
    options: dict[str, Any] = {
        "account_file": Path(section.required("ServiceAccountFile")),
        "bucket": section.required("BucketName"),
    }
    return GoogleOptions(**options, **section.common())


SECTIONS: Mapping[str, Callable[[Mapping[str, Any]], BucketOptions]] = {
    "AwsS3Storage": _read_s3,
    "AzureBlobStorage": _read_azure,
    "GoogleCloudStorage": _read_google,
}
"""What reads each section."""

_COMMON = (
    "EnableLegacyUnknownFiles",
    "HybridMode",
    "MigrationFromFileSystemEnabled",
    "RootPath",
    "StorageEncryption",
    "StorageStructure",
)
NAMES: Mapping[str, Collection[str]] = {
    "AwsS3Storage": (
        *_COMMON,
        "AccessKey",
        "BucketName",
        "ConnectionTimeout",
        "EnableAwsSdkLogs",
        "Endpoint",
        "MaxConnections",
        "MaxRetries",
        "Region",
        "RequestTimeout",
        "SecretKey",
        "StorageClass",
        "Tags",
        "TransferBufferSize",
        "TransferPoolSize",
        "UseTransferManager",
        "VirtualAddressing",
    ),
    "AzureBlobStorage": (
        *_COMMON,
        "AccessTier",
        "ConnectionString",
        "ContainerName",
        "CreateContainerIfNotExists",
    ),
    "GoogleCloudStorage": (*_COMMON, "BucketName", "ServiceAccountFile"),
}
"""The names in each section that are read."""
