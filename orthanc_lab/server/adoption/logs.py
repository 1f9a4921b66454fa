"""The logs and properties of another server are taken over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from orthanc_lab.dimse.modality import read_modality
from orthanc_lab.peers.peer import read_peer
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.adoption.reached import ReachedStore
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.adoption.source_rows import LogSource
from orthanc_lab.storage.adopted import AdoptedLog
from orthanc_lab.storage.named_definitions import check_name
from orthanc_lab.storage.ports import Storage

__all__ = ["NODES", "import_logs", "import_nodes"]

_AT_ONCE = 1000


def import_logs(source: LogSource, store: ReachedStore, report: Report) -> None:
    """Import changes, exports and the order of recycling, from where the last import of this source ended."""
    while True:
        changes, last, strange = source.changes(store.reached.changes, _AT_ONCE)
        if last is None:
            break
        report.changes += store.note(AdoptedLog(changes=changes), changes=last)
        for _ in range(strange):
            report.lose("a change", "its type, level or date is unknown")
    while True:
        exports, last, strange = source.exports(store.reached.exports, _AT_ONCE)
        if last is None:
            break
        store.note(AdoptedLog(exports=exports), exports=last)
        report.exports += len(exports)
        for _ in range(strange):
            report.lose("an export", "its level or date is unknown")
    last_change, last_export = source.last_numbers()
    counters = {} if store.reached.finished else source.counters()
    recycling = source.recycling()
    store.note(
        AdoptedLog(last_change=last_change, last_export=last_export, recycling=recycling, counters=counters),
        finished=True,
    )


def _check_modality(name: str, definition: Any) -> None:
    check_name(name)
    read_modality(definition)


NODES: Mapping[str, Callable[[str, Any], object]] = {
    "DicomModalities": _check_modality,
    "OrthancPeers": lambda _, definition: read_peer(definition),
}
"""The properties that hold other nodes, with what refuses a definition that is none."""


def import_nodes(storage: Storage, name: str, nodes: Mapping[str, Any], report: Report) -> None:
    """Import the nodes that a property of the other database holds; those of the target stay."""
    present: dict[str, Any] = json.loads(storage.get_property(name) or "{}")
    merged = dict(present)
    for node, definition in nodes.items():
        try:
            NODES[name](node, definition)
        except OrthancError as error:
            report.lose(f"{name} {node}", error.details or error.text)
        else:
            merged.setdefault(node, definition)
    if merged != present:
        storage.set_property(name, json.dumps(merged))
