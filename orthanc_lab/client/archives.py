"""Archives and media for any mixture of resources: streamed to disk, or made by a job."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal

from orthanc_lab.client.download import save_stream
from orthanc_lab.client.jobs import Job, submit
from orthanc_lab.client.progress import Follow
from orthanc_lab.client.selection import Selection, identifiers_of
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.verifying import check_archive

__all__ = ["Kind", "archive_job", "save_archive", "save_zip"]

Kind = Literal["archive", "media"]


def save_archive(
    transport: Transport,
    kind: Kind,
    selection: Selection,
    path: str | Path,
    *,
    transcode: str | None = None,
    extended: bool = False,
    progress: Follow = None,
    timeout: float | None = None,
    verify: bool = False,
) -> Path:
    """Stream a ZIP of a selection to a file; see `Client.archive`."""
    body = _body(selection, transcode) | {"Synchronous": True}
    return save_zip(
        transport,
        "POST",
        _route(kind, extended),
        path,
        progress=progress,
        timeout=timeout,
        verify=verify,
        transcode=transcode,
        json=body,
    )


def save_zip(
    transport: Transport,
    method: str,
    path: str,
    target: str | Path,
    *,
    verify: bool,
    transcode: str | None = None,
    **options: Any,
) -> Path:
    """Save a response that is a ZIP, and compare its files with those of the server if that is wanted.

    Raises
    ------
    ValueError
        If files that are transcoded are to be compared.
    """
    if verify and transcode:
        raise ValueError("What is transcoded differs from what the server has: verify it without transcode")
    check = partial(check_archive, transport) if verify else None
    return save_stream(transport, method, path, Path(target), suffix=".zip", check=check, **options)


def archive_job(
    transport: Transport,
    kind: Kind,
    selection: Selection,
    *,
    transcode: str | None = None,
    extended: bool = False,
    priority: int = 0,
) -> Job:
    """Make a ZIP of a selection in a job; see `Client.archive_job`."""
    return submit(transport, _route(kind, extended), _body(selection, transcode), priority)


def _route(kind: Kind, extended: bool) -> str:
    return f"/tools/create-{kind}{'-extended' if extended and kind == 'media' else ''}"


def _body(selection: Selection, transcode: str | None) -> dict[str, Any]:
    identifiers = identifiers_of(selection)
    if not identifiers:
        raise ValueError("No resources to archive")
    return {"Resources": identifiers} | ({"Transcode": transcode} if transcode else {})
