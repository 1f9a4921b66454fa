"""Uploads: a file is read and written, then the index takes it over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.arrival import Arrival, ArrivalReader
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.instance_writer import InstanceWriter, VanishedError
from orthanc_lab.storage.records import AttachmentType, NewInstance, Origin, Stored, StoreStatus
from orthanc_lab.storage.transaction import Transaction
from orthanc_lab.storage.transactions import Transactions, Work

__all__ = ["Ingest"]

_FOREIGN = frozenset({ErrorCode.BAD_FILE_FORMAT, ErrorCode.INEXISTENT_TAG, ErrorCode.BAD_PARAMETER_TYPE})
_MOST_IN_MEMORY = 64 << 20
"""Bytes of small files that wait for their commit; beyond them, small files go to the storage area too."""


class Ingest:
    """Stores DICOM files.

    Parameters
    ----------
    compress
        Keep the files compressed.
    is_known
        Tells whether the index has an instance with this Orthanc identifier.
    transcode
        Returns the file to store for a file that is uploaded.
    """

    def __init__(
        self,
        transactions: Transactions,
        files: AttachmentFiles,
        reader: ArrivalReader,
        instances: InstanceWriter,
        *,
        compress: bool,
        is_known: Callable[[str], bool],
        transcode: Callable[[bytes], bytes],
    ) -> None:
        self._transactions = transactions
        self._files = files
        self._compress = compress
        self._reader = reader
        self._insert = instances.insert
        self._is_known = is_known
        self._transcode = transcode

    def store(self, dicom: bytes, origin: Origin, overwrite: bool | None, metadata: Mapping[str, str] | None) -> Stored:
        """Store one DICOM file; see `orthanc_lab.storage.ports.Ingest.store`."""
        dicom = self._transcode(dicom)
        arrival = self._reader.read(dicom, origin, overwrite, metadata)
        if not arrival.overwrite and self._files.is_large(dicom) and self._is_known(arrival.ids.instance):
            with contextlib.suppress(VanishedError):  # most likely nothing will be stored: spare the disk
                return self._take_over([arrival])[0]
        self.make_files(arrival, dicom)
        return self._take_over([arrival])[0]

    def store_each(self, files: Sequence[tuple[bytes, Origin]]) -> list[Stored | BaseException]:
        """Store files, each for itself; see `orthanc_lab.storage.ports.Ingest.store_each`."""
        outcomes: list[Stored | BaseException | None] = []
        arrivals: list[Arrival] = []
        for dicom, origin in files:
            try:
                outcomes.append(self._stored_or_arriving(dicom, origin, arrivals))
            except BaseException as error:
                outcomes.append(error)
        concluded = iter(self._take_over_each(arrivals))
        return [next(concluded) if outcome is None else outcome for outcome in outcomes]

    def _take_over_each(self, arrivals: Sequence[Arrival]) -> Iterator[Stored | BaseException]:
        results = self._transactions.run_each([self._work([arrival]) for arrival in arrivals])
        for arrival, result in zip(arrivals, results, strict=True):
            if isinstance(result, BaseException):
                self._abandon([arrival])
                yield result
            else:
                self._conclude([arrival], result)
                yield result[0]

    def _stored_or_arriving(self, dicom: bytes, origin: Origin, arrivals: list[Arrival]) -> Stored | None:
        """Prepare a small file for the index; another one is stored at once."""
        if self._files.is_large(dicom):
            return self.store(dicom, origin, None, None)
        dicom = self._transcode(dicom)
        arrival = self._reader.read(dicom, origin, None, None)
        self.make_files(arrival, dicom)
        arrivals.append(arrival)
        return None

    def store_all(self, files: Iterable[bytes], origin: Origin, *, skip_foreign: bool) -> list[Stored]:
        """Store many files as one; see `orthanc_lab.storage.ports.Ingest.store_all`."""
        return self._store_many(((file, None, "") for file in files), origin, skip_foreign=skip_foreign)

    def store_made(self, made: Sequence[NewInstance], origin: Origin, *, keep_labels: bool) -> list[Stored]:
        """Store files that were made of others; see `orthanc_lab.storage.ports.Ingest.store_made`."""
        files = ((new.dicom, new.metadata, new.md5) for new in made)
        return self._store_many(files, origin, skip_foreign=False, keep_labels=keep_labels)

    def _store_many(
        self,
        files: Iterable[tuple[bytes, Mapping[str, str] | None, str]],
        origin: Origin,
        *,
        skip_foreign: bool,
        keep_labels: bool = False,
    ) -> list[Stored]:
        arrivals: list[Arrival] = []
        syncing: list[Future[None]] = []
        in_memory = 0
        try:
            for file, metadata, md5 in files:
                try:
                    dicom = self._transcode(file)
                    arrival = self._reader.read(dicom, origin, None, metadata)
                except OrthancError as error:
                    if skip_foreign and error.code in _FOREIGN:
                        continue
                    raise
                arrival.keep_labels = keep_labels
                known = md5 if dicom is file else ""
                self.make_files(arrival, dicom, known, small=in_memory < _MOST_IN_MEMORY, syncing=syncing)
                arrivals.append(arrival)
                in_memory += sum(len(file.content or b"") for file in arrival.files)
            self._files.wait_for(syncing)
        except BaseException:
            self._abandon(arrivals)
            raise
        return self._take_over(arrivals) if arrivals else []

    def _take_over(self, arrivals: Sequence[Arrival]) -> list[Stored]:
        work = self._work(arrivals)
        try:
            results = self._transactions.run(work.operation, work.about, work.taken)
        except BaseException:
            self._abandon(arrivals)
            raise
        self._conclude(arrivals, results)
        return results

    def _work(self, arrivals: Sequence[Arrival]) -> Work[list[Stored]]:
        def operation(transaction: Transaction) -> list[Stored]:
            return [self._insert(transaction, arrival) for arrival in arrivals]

        def taken(results: list[Stored]) -> list[PreparedFile]:
            pairs = zip(arrivals, results, strict=True)
            return [file for arrival, result in pairs if _is_new(result) for file in arrival.files]

        return Work(operation, [item for arrival in arrivals for item in arrival.about], taken)

    def _conclude(self, arrivals: Sequence[Arrival], results: list[Stored]) -> None:
        for arrival, result in zip(arrivals, results, strict=True):
            if not _is_new(result):
                self._files.abandon(arrival.files)

    def _abandon(self, arrivals: Sequence[Arrival]) -> None:
        self._files.abandon([file for arrival in arrivals for file in arrival.files])

    def make_files(
        self,
        arrival: Arrival,
        dicom: bytes,
        md5: str = "",
        *,
        small: bool = True,
        syncing: list[Future[None]] | None = None,
    ) -> None:
        """Prepare the files of an arrival; see `AttachmentFiles.prepare`."""

        def prepare(type: int, content: bytes, md5: str = "") -> PreparedFile:
            return self._files.prepare(type, content, md5, compressed=self._compress, small=small, syncing=syncing)

        arrival.files = (prepare(AttachmentType.DICOM, dicom, md5),)
        offset = arrival.header.pixel_data_offset
        if not self._compress or offset is None:
            return
        try:
            head = prepare(AttachmentType.DICOM_UNTIL_PIXEL_DATA, dicom[:offset])
        except BaseException:
            self._abandon([arrival])
            raise
        arrival.files += (head,)


def _is_new(result: Stored) -> bool:
    return result.status is StoreStatus.SUCCESS
