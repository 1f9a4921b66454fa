"""Uploading files, folders, archives, bytes and data sets: parallel, with progress, resumable."""

from __future__ import annotations

import io
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from orthanc_lab.client.errors import ResponseError, UnauthorizedError, UnreachableError, reading
from orthanc_lab.client.progress import following
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.upload_report import UploadInterruptedError, UploadReport
from orthanc_lab.client.upload_source import LARGE, Item, Source, batches, items_of
from orthanc_lab.client.verifying import missing_instances

__all__ = ["upload"]

_AHEAD = 2  # batches prepared for each connection
_FORBIDDEN = (401, 403, 405)  # statuses that every file would get
_LATER = (429, 502, 503, 504, 507)  # statuses that may change if the upload is tried again later
_TAKEN = ("Success", "AlreadyStored")


@dataclass
class _Outcome:
    """The result for one item."""

    item: Item
    answers: list[dict[str, Any]] = field(default_factory=list)
    refusal: str = ""


@dataclass
class _Sent:
    """The results for a batch, up to the error if there was one."""

    outcomes: list[_Outcome]
    error: UnreachableError | ResponseError | None = None


def upload(
    transport: Transport,
    sources: Source | Iterable[Source],
    *,
    progress: Callable[[int, int], None] | Literal[False] | None = None,
    parallel: int = 4,
    resume: UploadReport | None = None,
    skip_stored: bool = False,
    verify: bool = False,
) -> UploadReport:
    """Upload all `sources`; see `Client.upload`."""
    report = resume or UploadReport()
    items = items_of(sources)
    waiting = [item for item in items if item.name not in report.files]
    check = skip_stored or resume is not None
    interruption = None
    dealt = len(items) - len(waiting)
    pool = ThreadPoolExecutor(max(1, parallel), "orthanc-upload")
    answers = _in_order(pool, lambda batch: _send(transport, batch, check), batches(waiting), parallel * _AHEAD)
    try:
        with following(progress, "Uploading", "Uploaded", "files") as tell:
            for sent in answers:
                for outcome in sent.outcomes:
                    _note(report, outcome)
                dealt += len(sent.outcomes)
                tell(dealt, len(items))
                if sent.error is not None and interruption is None:
                    interruption = sent.error
                    pool.shutdown(wait=False, cancel_futures=True)
    except KeyboardInterrupt as stop:
        stop.add_note(
            f"The upload was stopped after {dealt} of {len(items)} files. "
            "To continue, call client.upload(…, skip_stored=True); stored files are not sent again."
        )
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        places = {item.name: place for place, item in enumerate(items)}
        report.files = dict(sorted(report.files.items(), key=lambda file: places.get(file[0], -1)))
    if isinstance(interruption, ResponseError) and interruption.status in _FORBIDDEN:
        raise interruption
    if interruption is not None:
        raise UploadInterruptedError(report, interruption) from interruption
    if verify:
        _refuse_the_missing(transport, report)
    return report


def _refuse_the_missing(transport: Transport, report: UploadReport) -> None:
    """Move what the server accepted, and does not have, to what it refused."""
    try:
        missing = missing_instances(transport, report.instances)
    except (UnreachableError, ResponseError) as error:
        raise UploadInterruptedError(report, error) from error
    for name, identifiers in list(report.files.items()):
        lost = missing.intersection(identifiers)
        if lost:
            del report.files[name]
            report.refused[name] = "accepted by the server, but not there any more"
            report.stored -= min(report.stored, len(lost))


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[list[Item]], _Sent], batches: Iterator[list[Item]], ahead: int
) -> Iterator[_Sent]:
    # Only a few batches are read ahead, so that even a large folder needs little memory.
    running: deque[Future[_Sent]] = deque()
    stopped = False
    while True:
        while not stopped and len(running) < max(1, ahead) and (batch := next(batches, None)) is not None:
            running.append(pool.submit(work, batch))
        if not running:
            return
        future = running.popleft()
        if future.cancelled():
            continue
        sent = future.result()
        stopped = stopped or sent.error is not None
        yield sent


def _send(transport: Transport, batch: list[Item], check: bool) -> _Sent:
    outcomes: list[_Outcome] = []
    try:
        stored = _stored(transport, batch) if check else {}
        outcomes += [_Outcome(item, [{"ID": stored[item.name], "Status": "AlreadyStored"}])
                     for item in batch if item.name in stored]  # fmt: skip
        for outcome in _sent(transport, [item for item in batch if item.name not in stored]):
            outcomes.append(outcome)
    except (UnreachableError, ResponseError) as error:
        return _Sent(outcomes, error)
    return _Sent(outcomes)


def _stored(transport: Transport, batch: list[Item]) -> dict[str, str]:
    """Return the names of the items that the server already has, with their identifiers."""
    names = {item.name: identifier for item in batch if (identifier := item.identifier()) is not None}
    if not names:
        return {}
    body = {"Resources": list(names.values()), "Level": "Instance", "Short": True, "Metadata": False}
    answers = transport.json("POST", "/tools/bulk-content", json=body, again=True)
    there = {answer["ID"] for answer in answers}
    return {name: identifier for name, identifier in names.items() if identifier in there}


def _sent(transport: Transport, batch: list[Item]) -> Iterator[_Outcome]:
    """Send the items of a batch; those that look like DICOM files share a request."""
    together: list[tuple[Item, bytes]] = []
    for item in batch:
        if isinstance(item.source, Path) and item.is_large():
            yield _stream_one(transport, item, item.source)
            continue
        try:
            content = item.read()
        except ValueError as error:
            yield _Outcome(item, refusal=str(error))
            continue
        if content[128:132] == b"DICM" and len(content) < LARGE:
            together.append((item, content))
        else:
            yield _send_one(transport, item, content)
    if len(together) > 1:
        yield from _send_together(transport, together)
    else:
        yield from (_send_one(transport, item, content) for item, content in together)


def _send_together(transport: Transport, files: list[tuple[Item, bytes]]) -> Iterator[_Outcome]:
    # The answers for a ZIP follow its order, but files that the server cannot read are silently left out:
    # each file missing from the answers is then sent alone, to learn why.
    answers = _send_zip(transport, [content for _, content in files])
    if len(answers) == len(files):
        yield from (_outcome(item, [answer]) for (item, _), answer in zip(files, answers, strict=True))
        return
    known = {answer["ID"]: answer for answer in answers}
    for item, content in files:
        answer = known.get(item.identifier() or "")
        yield _send_one(transport, item, content) if answer is None else _outcome(item, [answer])


def _send_zip(transport: Transport, contents: list[bytes]) -> list[dict[str, Any]]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, content in enumerate(contents):
            archive.writestr(zipfile.ZipInfo(f"{number}.dcm"), content)
    try:
        return _answers(transport, transport.json("POST", "/instances", data=out.getvalue(), again=True))
    except ResponseError as error:
        if error.status in _FORBIDDEN + _LATER:
            raise
        return []


def _answers(transport: Transport, answers: Any) -> list[dict[str, Any]]:
    with reading(transport.url, "an answer to an upload"):
        return [{**answer, "ID": str(answer["ID"]), "Status": str(answer["Status"])} for answer in answers]


def _stream_one(transport: Transport, item: Item, path: Path) -> _Outcome:
    try:
        file = path.open("rb")
    except OSError as error:
        return _Outcome(item, refusal=f"cannot be read: {error}")
    with file:
        return _send_one(transport, item, file)


def _send_one(transport: Transport, item: Item, content: Any) -> _Outcome:
    try:
        answer = transport.json("POST", "/instances", data=content, again=True)
    except ResponseError as error:
        if isinstance(error, UnauthorizedError) or error.status in _FORBIDDEN + _LATER:
            raise
        return _Outcome(item, refusal=f"{error.text}: {error.details}" if error.details else error.text)
    if not isinstance(answer, list):
        return _outcome(item, _answers(transport, [answer]))
    answers = _answers(transport, answer)
    missing = _members(content) - len(answers)
    words = f"not DICOM files in this archive: {missing}" if missing > 0 else ""
    return _Outcome(item, answers, words) if words else _outcome(item, answers)


def _members(content: Any) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as archive:
            return sum(not member.is_dir() for member in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile):  # the server read it, so nothing is known to be missing
        return 0


def _outcome(item: Item, answers: list[dict[str, Any]]) -> _Outcome:
    strange = sorted({answer["Status"] for answer in answers} - set(_TAKEN))
    return _Outcome(item, answers, refusal=f"not stored by the server: {', '.join(strange)}" if strange else "")


def _note(report: UploadReport, outcome: _Outcome) -> None:
    report.refused.pop(outcome.item.name, None)
    if outcome.refusal:
        report.refused[outcome.item.name] = outcome.refusal
    if outcome.answers:
        report.files[outcome.item.name] = [answer["ID"] for answer in outcome.answers if answer["Status"] in _TAKEN]
    for answer in outcome.answers:
        report.stored += answer["Status"] == "Success"
        report.already_stored += answer["Status"] == "AlreadyStored"
