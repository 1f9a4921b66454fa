"""Opening the storage area of a configuration: from its options to a bucket that answers."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Clock, SystemClock
from orthanc_lab.storage.files.area import AreaError
from orthanc_lab.storage.objects.area import ObjectArea, Parts, Writing
from orthanc_lab.storage.objects.errors import words_of
from orthanc_lab.storage.objects.options import AzureOptions, BucketOptions, GoogleOptions, S3Options
from orthanc_lab.storage.objects.retrying import Retries

__all__ = ["check_bucket", "open_bucket"]

_log = logging.getLogger("orthanc_lab")
_SMALLEST_PART = 5 << 20  # bytes, of S3
_START_SECONDS = 30.0  # for which the first answer of a bucket is waited for
_FOLDER_OF_OUTPUTS = "job-outputs"


def open_bucket(options: BucketOptions, clock: Clock | None = None, *, folder: str = "") -> ObjectArea:
    """Return the file area of a bucket; nothing is asked of it yet.

    Parameters
    ----------
    folder
        Below the root of the files of the storage, for files of other uses.

    Raises
    ------
    OrthancError
        3 if the options cannot be used.
    """
    keys = options.keys
    if folder:
        keys = replace(keys, root="/".join(filter(None, (keys.root.rstrip("/"), folder))))
    tags: dict[str, str] = {}
    parts = None
    if isinstance(options, S3Options):
        tags = dict(options.tags)
        if options.in_parts:
            parts = Parts(max(options.part_size << 20, _SMALLEST_PART), options.parts_at_once)
    attributes = {"Storage-Class": options.storage_class} if options.storage_class else {}
    try:
        store = large = _store(options)
        if options.longest_silence is not None:
            store = _store(options, {"read_timeout": f"{options.longest_silence}s"})
    except BaseError as error:
        text = f'The section "{options.section}" cannot be used: {words_of(error, options.secrets)}'
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, text) from None  # the original may tell secrets
    return ObjectArea(
        store,
        keys,
        writing=Writing(attributes, tags, parts),
        retries=Retries(clock or SystemClock(), options.max_retries),
        most_at_once=options.max_connections,
        secrets=options.secrets,
        large=large,
    )


def check_bucket(options: BucketOptions, clock: Clock | None = None, *, is_written: bool = True) -> None:
    """Write a file, read it and remove it, so that a server does not start whose uploads would all fail.

    Parameters
    ----------
    is_written
        False looks for a file only.

    Raises
    ------
    OrthancError
        36 if the bucket does not answer for half a minute, 32 if it refuses.
    """
    area = open_bucket(options, clock)
    name, data = f"{uuid.uuid4()}.unk", b"orthanc-lab: this file can be removed\n"
    clock = clock or SystemClock()

    def attempt() -> None:
        try:
            if is_written:
                area.write(name, data, sync=True)
                area.read(name)
                area.remove(name)
            else:
                with contextlib.suppress(FileNotFoundError):
                    area.read(name)
        except AreaError as error:
            if error.is_away:
                _log.warning("The storage area (%s) is away, trying again: %s", options.section, error)
            raise

    try:
        Retries(clock, options.max_retries, _START_SECONDS).run(attempt)
    except OSError as error:
        is_away = isinstance(error, AreaError) and error.is_away
        code = ErrorCode.DATABASE_UNAVAILABLE if is_away else ErrorCode.STORAGE_AREA_PLUGIN
        raise OrthancError(code, f"The storage area ({options.section}) cannot be used: {error}") from None


def _store(options: BucketOptions, further: Mapping[str, str] = MappingProxyType({})) -> ObjectStore:
    common: dict[str, Any] = {
        "client_options": {
            "connect_timeout": f"{options.connection_timeout}s",
            "timeout": f"{options.request_timeout}s",
            "allow_http": True,  # whoever gives an end point of HTTP wants it
            "pool_max_idle_per_host": str(options.max_connections),
            **further,
        },
        "retry_config": {"max_retries": 0},
    }
    if isinstance(options, S3Options):
        return S3Store(options.bucket, **_of_s3(options), **common)
    if isinstance(options, AzureOptions):
        return AzureStore(options.container, **_of_azure(options), **common)
    assert isinstance(options, GoogleOptions)
    if not options.account_file.is_file():
        text = f'The configuration option "GoogleCloudStorage.ServiceAccountFile" names no file: {options.account_file}'
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, text)
    return GCSStore(options.bucket, service_account=str(options.account_file), **common)


def _of_s3(options: S3Options) -> dict[str, Any]:
    values: dict[str, Any] = {
        "region": options.region,
        "virtual_hosted_style_request": options.virtual_addressing,
        "disable_bulk_delete": True,  # not all servers know it, and files are removed one by one
    }
    if options.endpoint:
        scheme, _, host = options.endpoint.rpartition("://")
        host = f"{options.bucket}.{host}" if options.virtual_addressing else host
        values["endpoint"] = f"{scheme or 'https'}://{host}"
    if options.access_key:
        credential = {
            "access_key_id": options.access_key,
            "secret_access_key": options.secret_key,
            "token": None,  # that of the environment belongs to another key
            "expires_at": None,
        }
        values["credential_provider"] = lambda: credential
    return values


def _of_azure(options: AzureOptions) -> dict[str, Any]:
    account = options.account
    if account.is_emulator:
        return {"use_emulator": True}
    values = {
        "account_name": account.name,
        "endpoint": account.endpoint,
        "account_key": account.key,
        "sas_key": account.signature,
    }
    return {name: value for name, value in values.items() if value}
