"""The rules of the storage over an index without SQL: they pass the same contract."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from hypothesis import settings

from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.metrics import NoMetrics
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from orthanc_lab.storage import StorageOptions
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.journal import LogJournal
from orthanc_lab.storage.files.log_file import DiskLog
from orthanc_lab.storage.indexed_storage import IndexedStorage
from orthanc_lab.storage.ports import Storage
from orthanc_lab.testing.contracts.storage import StorageContract, storage_machine
from tests.examples import examples
from tests.storage.memory_index import Content, MemoryIndex


class Memory:
    """Opens storages; what an index has held is kept by folder."""

    def __init__(self) -> None:
        self._contents: dict[Path, Content] = {}
        self.executor: InlineExecutor

    def open(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        folder.mkdir(parents=True, exist_ok=True)
        self.executor = InlineExecutor(clock)
        identifiers, metrics = SystemIdentifiers(), NoMetrics()
        opened = ExitStack()
        journal = LogJournal(DiskLog(folder / "files.journal"))
        opened.callback(journal.close)
        index = MemoryIndex(self._contents.get(folder))

        def close() -> None:
            self._contents[folder] = index.content
            index.close()

        opened.callback(close)
        files = AttachmentFiles(
            DiskArea(folder),
            journal,
            options=options,
            clock=clock,
            executor=self.executor,
            identifiers=identifiers,
            metrics=metrics,
            read_small=index.small_file,
        )
        return IndexedStorage(
            index,
            files,
            opened,
            options=options,
            clock=clock,
            executor=self.executor,
            identifiers=identifiers,
            metrics=metrics,
        )


class TestMemoryIndex(StorageContract):
    """The contract, on dictionaries and files."""

    memory = Memory()

    def open_storage(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        return self.memory.open(folder, options, clock)

    def pause(self) -> None:
        self.memory.executor.run()


TestModel = storage_machine(Memory().open).TestCase
TestModel.settings = settings(examples(10), stateful_step_count=25, deadline=None)
