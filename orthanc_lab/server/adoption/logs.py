"""The logs and properties of a real Orthanc are taken over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from orthanc_lab.dimse.modality import check_name, read_modality
from orthanc_lab.peers.peer import read_peer
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.adoption.source_index import SourceIndex
from orthanc_lab.storage.adopted import AdoptedLog
from orthanc_lab.storage.ports import Storage

__all__ = ["import_logs", "import_nodes"]

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far the logs were taken over: a property of the target, written with each part of them."""

    changes: int = 0
    exports: int = 0
    finished: bool = False  # once: what was done at the end

    @classmethod
    def read(cls, text: str | None) -> _Reached:
        return cls(**json.loads(text)) if text else cls()

    def written(self) -> str:
        return json.dumps({"changes": self.changes, "exports": self.exports, "finished": self.finished})


def import_logs(index: SourceIndex, storage: Storage, report: Report) -> None:
    """Import changes, exports and the order of recycling, from where the last import of this index ended."""
    name = f"Imported:{index.identity}"
    reached = _Reached.read(storage.get_property(name))
    while True:
        changes, last, strange = index.changes(reached.changes, _AT_ONCE)
        if last is None:
            break
        reached = replace(reached, changes=last)
        taken = storage.adopt_log(AdoptedLog(name, reached.written(), changes=changes))
        report.changes += taken
        for _ in range(strange):
            report.lose("a change", "its type, level or date is unknown")
    while True:
        exports, last, strange = index.exports(reached.exports, _AT_ONCE)
        if last is None:
            break
        reached = replace(reached, exports=last)
        storage.adopt_log(AdoptedLog(name, reached.written(), exports=exports))
        report.exports += len(exports)
        for _ in range(strange):
            report.lose("an export", "its level or date is unknown")
    counters = {} if reached.finished or not index.anonymized() else {"AnonymizationSequence": index.anonymized()}
    reached = replace(reached, finished=True)
    storage.adopt_log(
        AdoptedLog(
            name,
            reached.written(),
            last_change=index.last_change(),
            recycling=index.recycling(),
            counters=counters,
        )
    )


def import_nodes(index: SourceIndex, storage: Storage, report: Report) -> None:
    """Import the DICOM nodes and peers that the database holds; those of the target stay."""

    def check_modality(name: str, definition: Any) -> None:
        check_name(name)
        read_modality(definition)

    _import_nodes(storage, "DicomModalities", index.modalities(), check_modality, report)
    _import_nodes(storage, "OrthancPeers", index.peers(), lambda _, definition: read_peer(definition), report)
    jobs = index.job_count()
    if jobs:
        report.notes.append(f"{jobs} jobs stay behind: each server has a form of its own for them")


def _import_nodes(
    storage: Storage,
    name: str,
    nodes: Mapping[str, Any],
    check: Callable[[str, Any], object],
    report: Report,
) -> None:
    present: dict[str, Any] = json.loads(storage.get_property(name) or "{}")
    merged = dict(present)
    for node, definition in nodes.items():
        try:
            check(node, definition)
        except OrthancError as error:
            report.lose(f"{name} {node}", error.details or error.text)
        else:
            merged.setdefault(node, definition)
    if merged != present:
        storage.set_property(name, json.dumps(merged))
