"""``orthanc-lab import FOLDER [CONFIGURATION]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.protocol.ports import SystemClock
from orthanc_lab.protocol.signals import exit_code_of
from orthanc_lab.server.adoption.errors import SourceError
from orthanc_lab.server.adoption.instances import InstanceImport
from orthanc_lab.server.adoption.logs import import_logs, import_nodes
from orthanc_lab.server.adoption.progress import Progress
from orthanc_lab.server.adoption.reached import ReachedStore
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.adoption.source_files import SourceFiles
from orthanc_lab.server.adoption.source_index import SourceIndex
from orthanc_lab.server.adoption.source_lock import open_untouched
from orthanc_lab.server.assembly import dictionary_of, storage_options
from orthanc_lab.server.file_words import words_of
from orthanc_lab.server.options.configuration_files import read_configuration
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.opening import open_storage

__all__ = ["import_orthanc", "main"]

_INCOMPLETE, _FAILED = 1, 255


def main(arguments: Sequence[str] | None = None) -> int:
    """Import the storage of a real Orthanc; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="orthanc-lab import",
        description="Takes over what a real Orthanc 1.12 has stored: files, metadata, labels, attachments, changes and "
        "exports. Its folder is only read. Stop the real server first; one that was killed will do. An import that "
        "was interrupted goes on when it is started again.",
        epilog="Exit code: 0 if all was taken, 1 if something could not be taken (it is listed with the reason), "
        "255 if the import ended early.",
    )
    parser.add_argument("folder", type=Path, help="StorageDirectory of the real Orthanc")
    parser.add_argument("configuration", type=Path, nargs="?", help="configuration of the server to import into")
    parser.add_argument("--index", type=Path, metavar="FOLDER", help="IndexDirectory of the real Orthanc")
    parser.add_argument("--storage", type=Path, metavar="FOLDER", help="StorageDirectory of the server to import into")
    chosen = parser.parse_args(arguments)
    if (chosen.configuration is None) == (chosen.storage is None):
        parser.error("say where to: either CONFIGURATION or --storage FOLDER")
    report = Report()
    try:
        settings = _settings(chosen.configuration, chosen.storage)
    except OrthancError as error:
        return _ended(report, _words(error), _FAILED, resumable=False)
    try:
        import_orthanc(chosen.folder, chosen.index or chosen.folder, settings, report)
    except SourceError as error:
        return _ended(report, str(error), _FAILED, resumable=False)
    except OrthancError as error:
        return _ended(report, _words(error), _FAILED)
    except OSError as error:
        return _ended(report, words_of(error), _FAILED)
    except KeyboardInterrupt as interrupt:
        return _ended(report, "Interrupted", exit_code_of(interrupt))
    print(*report.lines(), sep="\n")
    return _INCOMPLETE if report.lost else 0


def _words(error: OrthancError) -> str:
    return "\n".join(
        [f"{error.text}: {error.details}" if error.details else error.text, *getattr(error, "__notes__", ())]
    )


def import_orthanc(folder: Path, index_folder: Path, settings: CheckedSettings, report: Report) -> None:
    """Import the storage and index in these folders into the folder of the settings.

    Raises
    ------
    SourceError
        If they are not those of a real Orthanc 1.12 that has stopped.
    OrthancError
        If the target cannot be opened or written to: 11 if a server owns it, 19 if it is full.
    """
    index_path = index_folder / "index"
    if not index_path.is_file():
        raise SourceError(f"{index_path} does not exist: {index_folder} is not the folder of an Orthanc with SQLite")
    if not settings["StoreDicom"]:
        raise SourceError("The target has StoreDicom = false, and would keep no file")
    target = Path(settings["IndexDirectory"])
    for ours in (target, Path(settings["StorageDirectory"])):
        for theirs in (folder, index_folder):
            if ours.resolve().is_relative_to(theirs.resolve()):
                raise SourceError(f"{ours} is, or is inside, the folder to import: the target needs one of its own")
    memory = MemoryBudget(settings["MaximumUnpackedSize"] << 20, SystemClock())
    storage = open_storage(
        Path(settings["StorageDirectory"]), options=storage_options(settings, dictionary_of(settings), memory)
    )
    try:
        with open_untouched(index_path, target / "imported-index") as connection:
            index = SourceIndex(connection, index_path)
            progress = Progress(index.count(), sys.stderr)
            names = MetadataNames(settings["UserMetadata"])
            store = ReachedStore(storage, f"Imported:{index.identity}")
            instances = InstanceImport(index, SourceFiles(folder), storage, names=names, report=report, store=store)
            instances.run(progress.show)
            import_logs(index, store, report)
            import_nodes(storage, "DicomModalities", index.modalities(), report)
            import_nodes(storage, "OrthancPeers", index.peers(), report)
            if jobs := index.job_count():
                report.notes.append(f"{jobs} jobs stay behind: each server has a form of its own for them")
            progress.end()
    finally:
        storage.close()


def _settings(configuration: Path | None, storage: Path | None) -> CheckedSettings:
    if configuration is None:
        return CheckedSettings({"StorageDirectory": str(storage)})
    read = read_configuration(configuration)
    return CheckedSettings(read.values, read.folder)


def _ended(report: Report, why: str, code: int, *, resumable: bool = True) -> int:
    if report.taken or report.present or report.lost:
        print(*report.lines(), sep="\n")
    print(why, *(["The import ended early; started again, it goes on"] if resumable else ()), sep="\n", file=sys.stderr)
    return code
