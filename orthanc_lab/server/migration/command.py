"""``orthanc-lab migrate FROM TO``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.signals import exit_code_of
from orthanc_lab.server.adoption.errors import SourceError
from orthanc_lab.server.adoption.instances import InstanceImport
from orthanc_lab.server.adoption.logs import NODES, import_logs, import_nodes
from orthanc_lab.server.adoption.progress import Progress
from orthanc_lab.server.adoption.reached import ReachedStore
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.migration.ends import COPIES, check_apart, read_end
from orthanc_lab.server.migration.jobs import migrate_jobs
from orthanc_lab.server.migration.local_source import open_local_source
from orthanc_lab.server.migration.source import OpenSource
from orthanc_lab.server.migration.target import OpenTarget, open_target
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.ports import Storage

__all__ = ["main", "migrate"]

_INCOMPLETE, _FAILED = 1, 255


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
    except KeyboardInterrupt as interrupt:
        return _ended(report, "Interrupted", exit_code_of(interrupt))
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
    check_apart(source, target)
    with ExitStack() as opened:
        found = opened.enter_context(_open_source(source, Path(target["IndexDirectory"]) / COPIES))
        made = opened.enter_context(open_target(target))
        progress = Progress(found.data.count(), sys.stderr)
        store = ReachedStore(made.storage, f"Migrated:{found.name}")
        names = MetadataNames(target["UserMetadata"])
        instances = InstanceImport(found.data, found.data, made.storage, names=names, report=report, store=store)
        instances.run(progress.show)
        import_logs(found.data, store, report)
        _migrate_properties(made.storage, found.data.properties(), report)
        _migrate_jobs(found, made, report)
        progress.end()


def _open_source(settings: CheckedSettings, copies: Path) -> AbstractContextManager[OpenSource]:
    if settings["PostgreSQL"].get("EnableIndex"):
        from orthanc_lab.server.migration.shared_ends import open_shared_source  # noqa: PLC0415 - needs ``cluster``

        return open_shared_source(settings)
    return open_local_source(settings, copies)


def _migrate_properties(storage: Storage, properties: Mapping[str, str], report: Report) -> None:
    """Set the properties that the target lacks; nodes are added one by one."""
    for name, value in properties.items():
        if name in NODES:
            import_nodes(storage, name, json.loads(value), report)
        elif storage.get_property(name) is None:
            storage.set_property(name, value)


def _migrate_jobs(found: OpenSource, made: OpenTarget, report: Report) -> None:
    rows = found.jobs()
    if not rows:
        return
    if made.jobs is not None:
        migrate_jobs(rows, found.outputs(), made.jobs, made.outputs, report)
    else:
        report.notes.append(f"{len(rows)} jobs stay behind: the target has SaveJobs = false")


def _ended(report: Report, why: str, code: int, *, resumable: bool = True) -> int:
    if report.taken or report.present or report.lost:
        print(*report.lines(), sep="\n")
    again = ["The migration ended early; started again, it goes on"] if resumable else []
    print(why, *again, sep="\n", file=sys.stderr)
    return code
