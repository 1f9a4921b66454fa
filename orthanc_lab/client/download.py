"""Saving a response to disk: completely, or not at all."""

from __future__ import annotations

import os
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

import requests
import urllib3

from orthanc_lab.client.errors import ConnectionLostError
from orthanc_lab.client.transport import Transport

__all__ = ["Bytes", "save_stream"]

Bytes: TypeAlias = Callable[[int, "int | None"], None]
"""Progress of a download: bytes so far, and the total (None if the server does not announce it)."""

_CHUNK = 1 << 18
_PATIENCE = 300.0  # seconds of silence: a streamed archive may have to queue behind other jobs


def save_stream(
    transport: Transport,
    method: str,
    path: str,
    target: Path,
    *,
    progress: Bytes | None = None,
    timeout: float = _PATIENCE,
    **options: Any,
) -> Path:
    """Save the response to a request; the file gets its final name only once it is complete.

    Parameters
    ----------
    target
        The file, or a folder, in which case the server's file name is used.
    progress
        Called with the bytes received so far and the total.
    timeout
        Seconds to wait for the next part of the response.

    Raises
    ------
    ConnectionLostError
        If the connection was lost before the end.
    FileNotFoundError
        If the folder of the file does not exist.
    """
    folder = target if target.is_dir() else target.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"The folder {folder} does not exist")
    headers = {"Accept-Encoding": "identity"}  # so that Content-Length counts what arrives
    with transport.stream(method, path, timeout=timeout, headers=headers, **options) as response:
        if target.is_dir():
            target = target / _name_of(response)
        with _appearing(target) as file:
            try:
                _copy(response, file, progress)
            except (requests.RequestException, urllib3.exceptions.HTTPError, EOFError) as error:
                raise ConnectionLostError(transport.url, f"{method} {path}", error) from error
    return target


@contextmanager
def _appearing(target: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write to; it becomes `target` at the end, and is removed after an error."""
    part = target.with_name(f".{target.name[:200]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("xb+") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _copy(response: requests.Response, file: IO[bytes], progress: Bytes | None) -> None:
    length = response.headers.get("Content-Length")
    total = int(length) if length else None
    done = 0
    for chunk in response.iter_content(_CHUNK):
        file.write(chunk)
        done += len(chunk)
        if progress is not None:
            progress(done, total)
    if total is not None and done != total:
        raise EOFError(f"{done} of {total} bytes received")
    if total is None and response.headers.get("Content-Type", "").startswith("application/zip"):
        _check_zip(file)


def _check_zip(file: IO[bytes]) -> None:
    # Orthanc streams a ZIP until it closes the connection: only the directory at its end shows that it is complete.
    file.flush()
    try:
        zipfile.ZipFile(file).close()
    except zipfile.BadZipFile as error:
        raise EOFError("the end of the ZIP archive is missing") from error


def _name_of(response: requests.Response) -> str:
    match = re.search(r'filename="([^"]*)"', response.headers.get("Content-Disposition", ""))
    name = Path(match[1].replace("\\", "/")).name if match else ""
    return name if name.strip(". ") else "download"
