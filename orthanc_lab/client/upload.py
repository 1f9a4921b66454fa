"""Uploading files, folders, archives, bytes and data sets: in parallel, with progress, resumable."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union, cast

from orthanc_lab.client.errors import ClientError, ResponseError, UnreachableError
from orthanc_lab.client.transport import Transport

if TYPE_CHECKING:
    import pydicom

__all__ = ["Source", "UploadInterruptedError", "UploadReport", "upload"]

Source: TypeAlias = Union[str, Path, bytes, "pydicom.Dataset"]
"""A file, a folder (read with all below it), the bytes of a file or of a ZIP, or a data set."""

_BATCH_BYTES = 4 << 20  # small files travel together: one request for about so many bytes
_BATCH_FILES = 128
_AHEAD = 2  # batches prepared for each connection


@dataclass
class UploadReport:
    """What became of an upload."""

    instances: list[str] = field(default_factory=list)  # Orthanc identifiers, in order
    stored: int = 0  # new ones
    already_stored: int = 0  # the server had them
    refused: dict[str, str] = field(default_factory=dict)  # name of a file -> why
    done: set[str] = field(default_factory=set)  # names of the files that need not be sent again

    def __repr__(self) -> str:
        return f"<Upload: {self.stored} stored, {self.already_stored} already there, {len(self.refused)} refused>"


class UploadInterruptedError(ClientError):
    """The server went away in the middle. `report` says how far it came."""

    def __init__(self, report: UploadReport, cause: BaseException) -> None:
        super().__init__(
            f"The upload was interrupted after {len(report.done)} files: {cause}\n"
            "Call upload(…, resume=error.report) to go on; what is stored is not sent again."
        )
        self.report = report


@dataclass(frozen=True)
class _Item:
    name: str
    content: bytes


def upload(
    transport: Transport,
    sources: Source | Iterable[Source],
    *,
    progress: Callable[[int, int], None] | None = None,
    parallel: int = 4,
    resume: UploadReport | None = None,
) -> UploadReport:
    """Upload everything that `sources` names; see `Client.upload`."""
    report = resume or UploadReport()
    names = list(_expand(sources))
    waiting = [(name, source) for name, source in names if name not in report.done]
    total, lost = len(names), None
    batches = _batches(waiting, report)
    with ThreadPoolExecutor(parallel) as pool:
        while group := list(islice(batches, parallel * _AHEAD)):
            for batch, result in zip(group, pool.map(lambda b: _send(transport, b), group), strict=True):
                if isinstance(result, UnreachableError):
                    lost = result
                    continue
                _note(report, batch, result)
                if progress is not None:
                    progress(len(report.done) + len(report.refused), total)
            if lost is not None:
                raise UploadInterruptedError(report, lost)
    return report


def _expand(sources: Source | Iterable[Source]) -> Iterator[tuple[str, Source]]:
    single = isinstance(sources, (str, Path, bytes)) or hasattr(sources, "save_as")
    items: Iterable[Any] = cast("Iterable[Any]", [sources] if single else sources)
    for number, item in enumerate(items):
        if isinstance(item, (str, Path)):
            path = Path(item)
            if path.is_dir():
                yield from ((str(child), child) for child in sorted(path.rglob("*")) if child.is_file())
            elif path.exists():
                yield str(path), path
            else:
                raise FileNotFoundError(f"{path} does not exist")
        else:
            yield f"item {number}", item


def _read(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, (str, Path)):
        return Path(source).read_bytes()
    out = io.BytesIO()
    source.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _batches(waiting: Sequence[tuple[str, Source]], report: UploadReport) -> Iterator[list[_Item]]:
    batch: list[_Item] = []
    size = 0
    for name, source in waiting:
        try:
            item = _Item(name, _read(source))
        except (OSError, ValueError, AttributeError) as error:
            report.refused[name] = f"cannot be read: {error}"
            continue
        alone = len(item.content) >= _BATCH_BYTES or item.content[:2] == b"PK"
        if batch and (alone or size + len(item.content) > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
            yield batch
            batch, size = [], 0
        if alone:
            yield [item]
        else:
            batch.append(item)
            size += len(item.content)
    if batch:
        yield batch


Answer: TypeAlias = dict[str, Any]
_Result = list[tuple[_Item, list[Answer] | ResponseError]]


def _send(transport: Transport, batch: list[_Item]) -> _Result | UnreachableError:
    try:
        if len(batch) > 1:
            answers = _send_zip(transport, batch)
            if answers is not None:
                return [(item, [answer]) for item, answer in zip(batch, answers, strict=True)]
        return [(item, _send_one(transport, item)) for item in batch]
    except UnreachableError as error:
        return error


def _send_zip(transport: Transport, batch: list[_Item]) -> list[Answer] | None:
    # A ZIP is answered in its order, but members that are no DICOM are left out silently: then each is sent alone.
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, item in enumerate(batch):
            archive.writestr(f"{number}.dcm", item.content)
    try:
        answers: list[Answer] = transport.json("POST", "/instances", data=out.getvalue(), again=True)
    except ResponseError:
        return None
    return answers if len(answers) == len(batch) else None


def _send_one(transport: Transport, item: _Item) -> list[Answer] | ResponseError:
    try:
        answer = transport.json("POST", "/instances", data=item.content, again=True)
    except ResponseError as error:
        return error
    return answer if isinstance(answer, list) else [answer]


def _note(report: UploadReport, batch: list[_Item], result: _Result) -> None:
    for item, answers in result:
        if isinstance(answers, ResponseError):
            report.refused[item.name] = f"{answers.text}: {answers.details}" if answers.details else answers.text
            continue
        report.done.add(item.name)
        for answer in answers:
            report.instances.append(answer["ID"])
            if answer["Status"] == "AlreadyStored":
                report.already_stored += 1
            else:
                report.stored += 1
