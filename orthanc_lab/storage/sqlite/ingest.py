"""The way of a DICOM file into the index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from orthanc_lab.dicom.identifiers import ResourceIdentifiers, identify
from orthanc_lab.dicom.main_tags import IDENTIFIER_TAGS, MainTags
from orthanc_lab.dicom.scan import DicomHeader, scan
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.storage.files.attachments import AttachmentFiles, PreparedFile
from orthanc_lab.storage.folding import folded_tags
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.records import AttachmentType, Origin, Stored, StoreStatus
from orthanc_lab.storage.sqlite.attaching import attach
from orthanc_lab.storage.sqlite.deletion import delete, recycle_one
from orthanc_lab.storage.sqlite.lineage import Lineage
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.writer import Transaction, Writer

__all__ = ["Ingest"]

_INSERT = (
    "INSERT INTO resources (key, id, level, parent, identifier, tags, folded, metadata, last_update, stable, rank)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TOUCH = "UPDATE resources SET last_update = ?, stable = 0 WHERE key IN (?, ?, ?)"
_PATIENT, _STUDY, _SERIES, _INSTANCE = LEVELS
_NEW = {
    _SERIES: ChangeType.NEW_SERIES,
    _STUDY: ChangeType.NEW_STUDY,
    _PATIENT: ChangeType.NEW_PATIENT,
}
_COUNTS = {_PATIENT: "patients", _STUDY: "studies", _SERIES: "series"}


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A DICOM file, read and ready for the index."""

    ids: ResourceIdentifiers
    header: DicomHeader
    files: tuple[PreparedFile, ...]
    metadata: dict[str, str]
    overwrite: bool

    def stored(self, status: StoreStatus) -> Stored:
        return Stored(status, self.ids.instance, self.ids.series, self.ids.study, self.ids.patient)


class Ingest:
    """Stores DICOM files."""

    def __init__(
        self,
        writer: Writer,
        files: AttachmentFiles,
        options: StorageOptions,
        main_tags: MainTags,
        names: MetadataNames,
        clock: Clock,
        is_known: Any,
        touched: Any,
    ) -> None:
        self._writer = writer
        self._files = files
        self._options = options
        self._main_tags = main_tags
        self._names = names
        self._clock = clock
        self._is_known = is_known
        self._touched = touched
        self._wanted = main_tags.all
        self._signatures = {level: main_tags.signature(level) for level in LEVELS}

    def store(self, dicom: bytes, origin: Origin, overwrite: bool | None, metadata: Mapping[str, str] | None) -> Stored:
        """Store one DICOM file; see `orthanc_lab.storage.ports.Storage.store`."""
        arrival = self._receive(dicom, origin, overwrite, metadata)
        return self._enter([arrival])[0]

    def store_all(self, files: Iterable[bytes], origin: Origin) -> list[Stored]:
        """Store many files as one; see `orthanc_lab.storage.ports.Storage.store_all`."""
        arrivals: list[_Arrival] = []
        try:
            for dicom in files:
                arrivals.append(self._receive(dicom, origin, None, None))
        except BaseException:
            for arrival in arrivals:
                self._files.abandon(arrival.files)
            raise
        return self._enter(arrivals) if arrivals else []

    def _receive(
        self, dicom: bytes, origin: Origin, overwrite: bool | None, metadata: Mapping[str, str] | None
    ) -> _Arrival:
        header = scan(dicom, self._wanted)
        ids = identify(header.tags)
        replaces = self._options.overwrite_instances if overwrite is None else overwrite
        own = self._metadata(header, origin, metadata)
        files: tuple[PreparedFile, ...] = ()
        if self._options.store_dicom and (replaces or not self._is_known(ids.instance)):
            files = self._prepare(dicom, header)
        return _Arrival(ids, header, files, own, replaces)

    def _prepare(self, dicom: bytes, header: DicomHeader) -> tuple[PreparedFile, ...]:
        compressed = self._options.storage_compression
        files = [self._files.prepare(AttachmentType.DICOM, dicom, compressed=compressed)]
        if compressed and header.pixel_data_offset is not None:
            try:
                files.append(
                    self._files.prepare(
                        AttachmentType.DICOM_UNTIL_PIXEL_DATA, dicom[: header.pixel_data_offset], compressed=True
                    )
                )
            except BaseException:
                self._files.abandon(files)
                raise
        return tuple(files)

    def _metadata(self, header: DicomHeader, origin: Origin, further: Mapping[str, str] | None) -> dict[str, str]:
        metadata = {
            "Origin": origin.request_origin,
            "ReceptionDate": iso_seconds(self._clock.now()),
            "RemoteAET": origin.remote_aet,
            "MainDicomTagsSignature": self._signatures[_INSTANCE],
            "SopClassUid": header.sop_class,
        }
        if origin.request_origin == "RestApi":
            metadata["HttpUsername"] = origin.http_username
        if origin.remote_ip:
            metadata["RemoteIP"] = origin.remote_ip
        if origin.called_aet:
            metadata["CalledAET"] = origin.called_aet
        if header.transfer_syntax:
            metadata["TransferSyntax"] = header.transfer_syntax
        if header.pixel_data_offset is not None:
            metadata["PixelDataOffset"] = str(header.pixel_data_offset)
        number = header.tags.get("0020,0013")
        if number is not None:
            metadata["IndexInSeries"] = number.strip()
        if further:
            metadata.update((self._names.stored(name), value) for name, value in further.items())
        return metadata

    def _enter(self, arrivals: list[_Arrival]) -> list[Stored]:
        taken: list[bool] = []

        def operation(transaction: Transaction) -> list[Stored]:
            taken.clear()
            results = []
            for arrival in arrivals:
                result = self._index(transaction, arrival)
                taken.append(result.status is StoreStatus.SUCCESS)
                results.append(result)
            return results

        try:
            results = self._writer.run(operation)
        except BaseException:
            for arrival in arrivals:
                self._files.abandon(arrival.files)
            raise
        for arrival, used in zip(arrivals, taken, strict=True):
            (self._files.settle if used else self._files.abandon)(arrival.files)
        return results

    # -- inside the transaction ----------------------------------------------------

    def _index(self, transaction: Transaction, arrival: _Arrival) -> Stored:
        ids = arrival.ids
        known = transaction.execute("SELECT 1 FROM resources WHERE id = ?", (ids.instance,)).fetchone()
        if known:
            if not arrival.overwrite:
                return arrival.stored(StoreStatus.ALREADY_STORED)
            delete(transaction, ids.instance, _INSTANCE)
        self._make_room(transaction, arrival)
        date = arrival.metadata["ReceptionDate"]
        lineage = transaction.lineages.get(ids.series)
        created: list[tuple[Level, int]] = []
        if lineage is None:
            lineage = self._parents(transaction, arrival, date, created)
        key = self._insert(transaction, arrival, _INSTANCE, ids.instance, lineage.series, arrival.metadata, None)
        transaction.totals.instances += 1
        for file in arrival.files:
            attach(transaction, key, file)
        log_change(transaction, ChangeType.NEW_INSTANCE, key, date)
        for level, parent in reversed(created):
            log_change(transaction, _NEW[level], parent, date)
        self._touch(transaction, lineage, date)
        keys = (lineage.patient, lineage.study, lineage.series)
        transaction.afterwards.append(lambda: self._touched(keys))
        return arrival.stored(StoreStatus.SUCCESS)

    def _parents(
        self, transaction: Transaction, arrival: _Arrival, date: str, created: list[tuple[Level, int]]
    ) -> Lineage:
        keys: list[int] = []
        rank: int | None = None
        ids = arrival.ids
        for level, id in ((_PATIENT, ids.patient), (_STUDY, ids.study), (_SERIES, ids.series)):
            row = transaction.execute("SELECT key, rank FROM resources WHERE id = ?", (id,)).fetchone()
            if row is not None:
                keys.append(row[0])
                rank = row[1] if level is _PATIENT else rank
                continue
            metadata = {"MainDicomTagsSignature": self._signatures[level]}
            if level is _SERIES:
                metadata["RemoteAET"] = arrival.metadata["RemoteAET"]
            if level is _PATIENT:
                transaction.totals.last_rank += 1
                rank = transaction.totals.last_rank
            parent = keys[-1] if keys else None
            key = self._insert(
                transaction, arrival, level, id, parent, metadata, date, rank if level is _PATIENT else None
            )
            setattr(transaction.totals, _COUNTS[level], getattr(transaction.totals, _COUNTS[level]) + 1)
            keys.append(key)
            created.append((level, key))
        patient, study, series = keys
        lineage = Lineage(series, study, patient, "", rank)
        transaction.lineages.put(ids.series, lineage)
        return lineage

    def _insert(
        self,
        transaction: Transaction,
        arrival: _Arrival,
        level: Level,
        id: str,
        parent: int | None,
        metadata: dict[str, str],
        last_update: str | None,
        rank: int | None = None,
    ) -> int:
        source = arrival.header.tags
        tags = {tag: source[tag] for tag in self._main_tags.of(level) if tag in source}
        folded = folded_tags(tags)
        transaction.totals.last_resource += 1
        key = transaction.totals.last_resource
        transaction.execute(
            _INSERT,
            (
                key,
                id,
                level.depth,
                parent,
                source.get(IDENTIFIER_TAGS[level], ""),
                orjson.dumps(tags).decode(),
                orjson.dumps(folded).decode() if folded else None,
                orjson.dumps(metadata).decode(),
                last_update,
                1 if level is _INSTANCE else 0,
                rank,
            ),
        )
        return key

    def _touch(self, transaction: Transaction, lineage: Lineage, date: str) -> None:
        totals = transaction.totals
        if lineage.last_update != date:
            transaction.execute(_TOUCH, (date, lineage.series, lineage.study, lineage.patient))
            lineage.last_update = date
        if lineage.rank is not None and lineage.rank != totals.last_rank:
            totals.last_rank += 1
            lineage.rank = totals.last_rank
            transaction.execute("UPDATE resources SET rank = ? WHERE key = ?", (lineage.rank, lineage.patient))

    def _make_room(self, transaction: Transaction, arrival: _Arrival) -> None:
        options, totals = self._options, transaction.totals
        if not options.maximum_storage_size and not options.maximum_patient_count:
            return
        row = transaction.execute("SELECT key FROM resources WHERE id = ?", (arrival.ids.patient,)).fetchone()
        patient = row[0] if row else None
        arriving = sum(file.attachment.compressed_size for file in arrival.files)
        size, count = options.maximum_storage_size << 20, options.maximum_patient_count
        while (size and totals.disk_size + arriving > size) or (count and totals.patients + (patient is None) > count):
            if options.maximum_storage_mode == "Reject" or not recycle_one(transaction, patient):
                raise OrthancError(ErrorCode.FULL_STORAGE)
