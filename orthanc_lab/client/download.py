"""Saving an answer to disk: whole, or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import urllib3

from orthanc_lab.client.errors import UnreachableError
from orthanc_lab.client.transport import Transport

__all__ = ["save_stream"]

_CHUNK = 1 << 20


def save_stream(
    transport: Transport,
    method: str,
    path: str,
    target: Path,
    *,
    progress: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> Path:
    """Save the answer of a request; the file gets its final name only when it is whole.

    Parameters
    ----------
    target
        The file, or a folder: then the name that the server gives is used.
    progress
        Called with the bytes so far and in all (None if the server does not say).

    Raises
    ------
    UnreachableError
        If the connection was lost before the end.
    """
    with transport.stream(method, path, **options) as response:
        if target.is_dir():
            target = target / _name_of(response)
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                done = 0
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(done, total)
            if total is not None and done != total:
                raise UnreachableError(transport.url, EOFError(f"the answer ended after {done} of {total} bytes"))
            Path(temporary).replace(target)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise UnreachableError(transport.url, error) from error
        finally:
            Path(temporary).unlink(missing_ok=True)
    return target


def _name_of(response: requests.Response) -> str:
    match = re.search(r'filename="([^"]*)"', response.headers.get("Content-Disposition", ""))
    name = Path(match[1]).name if match else ""
    return name or "download"
