"""``orthanc-lab migrate FROM TO``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.server.adoption.errors import SourceError
from orthanc_lab.server.adoption.instances import InstanceImport
from orthanc_lab.server.adoption.logs import NODES, import_logs, import_nodes
from orthanc_lab.server.adoption.progress import Progress
from orthanc_lab.server.adoption.reached import ReachedStore
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.assembly import dictionary_of, storage_options
from orthanc_lab.server.back_ends.local import files_beside_index
from orthanc_lab.server.migration.ends import read_end
from orthanc_lab.server.migration.jobs import migrate_jobs
from orthanc_lab.server.migration.opening import OpenSource, open_source
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.opening import open_storage
from orthanc_lab.storage.ports import Storage

__all__ = ["main", "migrate"]

_INCOMPLETE, _FAILED, _INTERRUPTED = 1, 255, 130
_NEVER = 1e9  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Migrate from one back end to another; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="orthanc-lab migrate",
        description="Moves all that a server of orthanc-lab has to another back end: resources, files, metadata, "
        "labels, attachments, changes, exports, properties and jobs. The source is only read; stop its servers first. "
        "A migration that was interrupted goes on when it is started again. For the data of a real Orthanc: "
        "orthanc-lab import.",
        epilog="Exit code: 0 if all was taken, 1 if something could not be taken (it is listed with the reason), "
        "255 if the migration ended early.",
    )
    end = "configuration of the server, or the folder of one with SQLite and files"
    parser.add_argument("source", type=Path, metavar="FROM", help=end)
    parser.add_argument("target", type=Path, metavar="TO", help=f"{end}; it may be new")
    chosen = parser.parse_args(arguments)
    report = Report(verb="migrated")
    try:
        migrate(read_end(chosen.source, new=False), read_end(chosen.target, new=True), report)
    except SourceError as error:
        return _ended(report, str(error), _FAILED, resumable=False)
    except OrthancError as error:
        return _ended(report, error.text + (f": {error.details}" if error.details else ""), _FAILED)
    except OSError as error:
        return _ended(report, str(error), _FAILED)
    except KeyboardInterrupt:
        return _ended(report, "Interrupted", _INTERRUPTED)
    print(*report.lines(), sep="\n")
    return _INCOMPLETE if report.lost else 0


def migrate(source: CheckedSettings, target: CheckedSettings, report: Report) -> None:
    """Move what the server with the first settings has to the one with the second.

    Raises
    ------
    SourceError
        If there is nothing to migrate, a server runs on it, or the target is inside it.
    OrthancError
        If the target cannot be opened or written to: 11 if a server owns it, 19 if it is full.
    """
    if not target["StoreDicom"]:
        raise SourceError("The target has StoreDicom = false, and would keep no file")
    _check_apart(source, target)
    with ExitStack() as opened:
        copies = Path(target["IndexDirectory"]) / "migrated"
        found = opened.enter_context(open_source(source, copies))
        storage = _open_target(target)
        opened.callback(storage.close)
        progress = Progress(found.data.count(), sys.stderr)
        store = ReachedStore(storage, f"Migrated:{found.name}")
        names = MetadataNames(target["UserMetadata"])
        instances = InstanceImport(found.data, found.data, storage, names=names, report=report, store=store)
        instances.run(progress.show)
        import_logs(found.data, store, report)
        _migrate_properties(storage, found.data.properties(), report)
        _migrate_jobs(found, target, report)
        progress.end()


def _check_apart(source: CheckedSettings, target: CheckedSettings) -> None:
    for name in ("IndexDirectory", "StorageDirectory"):
        for other in ("IndexDirectory", "StorageDirectory"):
            if Path(target[name]).resolve().is_relative_to(Path(source[other]).resolve()):
                raise SourceError(f"{target[name]} is, or is inside, a folder of the source: the target needs its own")


def _open_target(settings: CheckedSettings) -> Storage:
    memory = MemoryBudget(settings["MaximumUnpackedSize"] << 20, SystemClock())
    options = storage_options(settings, dictionary_of(settings), memory)
    # What is not stable yet becomes so at the server; a change that is logged here would take a number of the source.
    return open_storage(Path(settings["StorageDirectory"]), options=replace(options, stable_age=_NEVER))


def _migrate_properties(storage: Storage, properties: Mapping[str, str], report: Report) -> None:
    """Set the properties that the target lacks; nodes are added one by one."""
    for name, value in properties.items():
        if name in NODES:
            import_nodes(storage, name, json.loads(value), report)
        elif storage.get_property(name) is None:
            storage.set_property(name, value)


def _migrate_jobs(found: OpenSource, target: CheckedSettings, report: Report) -> None:
    rows = found.jobs()
    if not target["SaveJobs"]:
        if rows:
            report.notes.append(f"{len(rows)} jobs stay behind: the target has SaveJobs = false")
        return
    folder = Path(target["IndexDirectory"])
    jobs = SqliteJobStore(folder / "jobs.sqlite")
    try:
        outputs = files_beside_index(target, SystemIdentifiers(), "jobs-outputs")
        migrate_jobs(rows, found.outputs, jobs, outputs, report)
    finally:
        jobs.close()


def _ended(report: Report, why: str, code: int, *, resumable: bool = True) -> int:
    if report.taken or report.present or report.lost:
        print(*report.lines(), sep="\n")
    again = ["The migration ended early; started again, it goes on"] if resumable else []
    print(why, *again, sep="\n", file=sys.stderr)
    return code
