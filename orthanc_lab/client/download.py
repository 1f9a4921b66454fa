"""Saving a response to disk: completely, or not at all."""

from __future__ import annotations

import itertools
import os
import re
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import requests
import urllib3

from orthanc_lab.client.errors import ConnectionLostError, UnreachableError
from orthanc_lab.client.progress import Follow, following
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.target_file import check_target_folder

__all__ = ["Bytes", "place_beside", "safe_name", "save_stream"]

Bytes: TypeAlias = Callable[[int, "int | None"], None]
"""Progress of a download: bytes so far, and the total (None if the server does not announce it)."""

_CHUNK = 1 << 18
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069]')
_RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{n}" for port in ("COM", "LPT") for n in range(10)
}
_PROGRAM = re.compile(
    r".*\.(bat|cmd|com|dll|dylib|exe|ipynb|ps1|pth|py|pyc|pyd|pyw|sh|so|vbs)", re.IGNORECASE | re.DOTALL
)
_LENGTH = re.compile("[0-9]{1,18}")
_LONGEST = 200  # bytes
_PATIENCE = 300.0  # seconds of silence: a streamed archive may have to queue behind other jobs


def save_stream(
    transport: Transport,
    method: str,
    path: str,
    target: Path,
    *,
    suffix: str = "",
    progress: Follow = None,
    timeout: float | None = None,
    check: Callable[[Path], None] | None = None,
    **options: Any,
) -> Path:
    """Save the response to a request; the file gets its final name only once it is complete.

    A response that breaks off is asked for again, as often as the client sends requests again.

    Parameters
    ----------
    target
        The file, which is replaced if it exists; or a folder, where the file gets the server's name without what could
        do harm there (see `safe_name`), and never takes the place of another one.
    suffix
        What the server's name has to end in; it is added if it does not.
    progress
        Called with the bytes received so far and the total; False shows nothing, None a bar where there is a place.
    timeout
        Seconds to wait for the next part of the response; None for five minutes.
    check
        Called with the complete file, before it gets its name; what it raises is raised, and nothing is kept.

    Raises
    ------
    ConnectionLostError
        If the connection was lost before the end.
    FileNotFoundError, NotADirectoryError, PermissionError
        If the folder of the file does not exist, is a file, or cannot be written to.
    """
    folder = target if target.is_dir() else target.parent
    check_target_folder(folder)
    options["timeout"] = _PATIENCE if timeout is None else timeout
    options["headers"] = {"Accept-Encoding": "identity"}  # so that Content-Length counts what arrives
    part = folder / f".orthanc-lab.{uuid.uuid4().hex[:8]}.part"
    try:
        name = _fetched(transport, _Request(method, path, options), part, progress)
        if check is not None:
            check(part)
        if target.is_dir():
            return place_beside(part, target, safe_name(name, suffix))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    options: Mapping[str, Any]


def _fetched(transport: Transport, request: _Request, part: Path, progress: Follow) -> str:
    """Write the whole response to a file, at another attempt if need be; return the name that the server gave it."""
    pauses = transport.pauses()
    lost: ConnectionLostError | None = None
    while True:
        try:
            return _fetch(transport, request, part, progress)
        except ConnectionLostError as error:
            lost = error
            pause = None if error.was_silent else next(pauses, None)
            if pause is None:
                raise
            time.sleep(pause)
        except UnreachableError:
            if lost is None:
                raise
            raise lost from None  # that a part of it came is what the caller needs to know


def _fetch(transport: Transport, request: _Request, part: Path, progress: Follow) -> str:
    """Write the whole response to a file, and return the name that the server gave it."""
    with (
        transport.stream(request.method, request.path, again=True, **request.options) as response,
        part.open("wb+") as file,
    ):
        try:
            with following(progress, "Downloading", "Downloaded", "bytes") as tell:
                _copy(response, file, tell)
        except (requests.RequestException, urllib3.exceptions.HTTPError, EOFError) as error:
            what = f"{request.method} {request.path}"
            raise ConnectionLostError(transport.url, what, error, was_silent=_is_silence(error)) from None
        file.flush()
        os.fsync(file.fileno())
        return _name_of(response)


def _is_silence(error: Exception) -> bool:
    """Whether the server sent nothing for too long; asking again would take as long again."""
    inner = error.args[0] if error.args else None
    return isinstance(error, requests.Timeout) or isinstance(inner, urllib3.exceptions.ReadTimeoutError)


def _copy(response: requests.Response, file: IO[bytes], progress: Bytes) -> None:
    length = response.headers.get("Content-Length", "")
    total = int(length) if _LENGTH.fullmatch(length) else None
    done = 0
    for chunk in response.iter_content(_CHUNK):
        file.write(chunk)
        done += len(chunk)
        progress(done, total)
    if total is not None and done != total:
        raise EOFError(f"{done} of {total} bytes received")
    if response.headers.get("Content-Type", "").startswith("application/zip"):
        _check_zip(file)


def _check_zip(file: IO[bytes]) -> None:
    # Orthanc streams a ZIP until it closes the connection, and a proxy may have cut it before it counted the bytes:
    # only the directory at its end shows that it is complete.
    file.flush()
    try:
        zipfile.ZipFile(file).close()
    except zipfile.BadZipFile as error:
        raise EOFError("the end of the ZIP archive is missing") from error
    except (NotImplementedError, ValueError) as error:  # of a later version, or with names in no character set
        raise EOFError(f"the ZIP archive cannot be read: {error}") from error


def _name_of(response: requests.Response) -> str:
    match = re.search(r'filename="([^"]*)"', response.headers.get("Content-Disposition", ""))
    return match[1] if match else ""


def safe_name(name: str, suffix: str = "") -> str:
    """Return a file name chosen by someone else, without what could do harm.

    It has no folder, does not begin with a dot (hidden files configure programs), has no characters or words that
    Windows reserves, and ends in `suffix`.

    Parameters
    ----------
    suffix
        ``.zip``, for example: so nothing becomes a program or a module that runs later. Without one, the usual endings
        of those are followed by ``.data``.

    Examples
    --------
    >>> safe_name("../.bashrc", ".zip"), safe_name("Doe John.ZIP", ".zip"), safe_name("con.txt")
    ('bashrc.zip', 'Doe John.ZIP', '_con.txt')
    """
    last = _FORBIDDEN.sub("_", name.replace("\\", "/").rpartition("/")[2]).lstrip(". ").rstrip(". ")
    last = last.encode()[:_LONGEST].decode(errors="ignore")
    if not last or (suffix and last.lower() == suffix.lower().lstrip(".")):
        last = "download"
    if last.partition(".")[0].rstrip().upper() in _RESERVED:
        last = f"_{last}"
    if not suffix and _PROGRAM.fullmatch(last):
        suffix = ".data"
    return last if last.lower().endswith(suffix.lower()) else last + suffix


def place_beside(part: Path, folder: Path, name: str) -> Path:
    """Give a complete file this name in its folder, or one with a number after it if there is one; return its path."""
    path = Path(name)
    for number in itertools.count():
        target = folder / (f"{path.stem}-{number}{path.suffix}" if number else name)
        with suppress(FileExistsError):
            target.touch(exist_ok=False)
            try:
                part.replace(target)
            except BaseException:
                target.unlink()
                raise
            return target
    raise AssertionError("unreachable: count() does not end")
