"""Instances and logs of another server are taken over, with what its index knew of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.adopted import AdoptedInstance, AdoptedLog, AdoptedResource
from orthanc_lab.storage.arrival import Arrival, ArrivalReader
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.records import Origin, StoreStatus
from orthanc_lab.storage.transaction import Key, NewResource, Transaction
from orthanc_lab.storage.transactions import Transactions

__all__ = ["Adopting"]

_OURS = frozenset(
    {
        "ExpectedNumberOfInstances",
        "IndexInSeries",
        "MainDicomSequences",
        "MainDicomTagsSignature",
        "PixelDataOffset",
        "PixelDataVR",
        "SopClassUid",
        "TransferSyntax",
    }
)
"""Metadata that follow from the file: they are read from it, whatever the other index says."""

_FULL = "MaximumStorageSize or MaximumPatientCount is reached"


@dataclass(slots=True)
class _Candidate:
    """An instance that is about to be taken over, with its files."""

    arrival: Arrival
    lineage: Sequence[AdoptedResource]
    attachments: dict[Level, list[PreparedFile]] = field(default_factory=dict)

    @property
    def files(self) -> list[PreparedFile]:
        return [*self.arrival.files, *(file for files in self.attachments.values() for file in files)]


class Adopting:
    """Takes over what another server stored.

    Parameters
    ----------
    make_files
        Prepares the files of an arrival.
    """

    def __init__(
        self,
        transactions: Transactions,
        files: AttachmentFiles,
        reader: ArrivalReader,
        options: StorageOptions,
        make_files: Callable[..., None],
    ) -> None:
        self._transactions = transactions
        self._files = files
        self._reader = reader
        self._compress = options.storage_compression
        self._largest = options.maximum_storage_size << 20
        self._most_patients = options.maximum_patient_count
        self._make_files = make_files

    def adopt(self, instances: Sequence[AdoptedInstance]) -> list[StoreStatus | OrthancError]:
        """Take over instances; see `orthanc_lab.storage.ports.Adoption.adopt`."""
        read = [self._read(instance) for instance in instances]
        candidates: list[_Candidate] = []
        syncing: list[Future[None]] = []
        try:
            for instance, arrival in zip(instances, read, strict=True):
                if isinstance(arrival, Arrival):
                    candidate = _Candidate(arrival, instance.lineage)
                    candidates.append(candidate)
                    self._prepare(candidate, instance.dicom, syncing)
            self._files.wait_for(syncing)
            statuses = iter(self._take_over(candidates))
        except BaseException:
            self._files.abandon([file for candidate in candidates for file in candidate.files])
            raise
        return [next(statuses) if isinstance(one, Arrival) else one for one in read]

    def adopt_log(self, log: AdoptedLog) -> int:
        """Take over a part of the logs; see `orthanc_lab.storage.ports.Adoption.adopt_log`."""
        return self._transactions.run(lambda transaction: _write_log(transaction, log))

    def _read(self, instance: AdoptedInstance) -> Arrival | OrthancError:
        try:
            arrival = self._reader.read(instance.dicom, Origin(), False, None)
        except OrthancError as error:
            return error
        ids = arrival.ids
        if [one.id for one in instance.lineage] != [ids.patient, ids.study, ids.series, ids.instance]:
            return OrthancError(ErrorCode.CORRUPTED_FILE, f"its tags are those of the instance {ids.instance}")
        return arrival

    def _prepare(self, candidate: _Candidate, dicom: bytes, syncing: list[Future[None]]) -> None:
        self._make_files(candidate.arrival, dicom, syncing=syncing)
        for resource in candidate.lineage:
            prepared = candidate.attachments.setdefault(resource.level, [])
            for type, content in resource.attachments.items():
                prepared.append(self._files.prepare(type, content, compressed=self._compress, syncing=syncing))

    def _take_over(self, candidates: Sequence[_Candidate]) -> list[StoreStatus]:
        used: set[str] = set()

        def operation(transaction: Transaction) -> list[StoreStatus]:
            used.clear()  # it may run again
            return [self._insert(transaction, candidate, used) for candidate in candidates]

        about = {item for candidate in candidates for item in candidate.arrival.about}
        files = [file for candidate in candidates for file in candidate.files]

        def taken(_: object) -> list[PreparedFile]:
            return [file for file in files if file.attachment.uuid in used]

        statuses = self._transactions.run(operation, about, taken)
        self._files.abandon([file for file in files if file.attachment.uuid not in used])
        return statuses

    def _insert(self, transaction: Transaction, candidate: _Candidate, used: set[str]) -> StoreStatus:
        self._check_room(transaction, candidate)
        parent: Key | None = None
        status = StoreStatus.ALREADY_STORED
        for resource in candidate.lineage:
            key = transaction.find(resource.level, resource.id)
            if key is None:
                key = _insert_new(transaction, candidate.arrival, resource, parent)
                if resource.level is Level.INSTANCE:
                    status = StoreStatus.SUCCESS
                    used.update(file.attachment.uuid for file in candidate.arrival.files)
            else:
                _complete(transaction, key, resource)
            _annotate(transaction, key, resource, candidate.attachments.get(resource.level, ()), used)
            parent = key
        return status

    def _check_room(self, transaction: Transaction, candidate: _Candidate) -> None:
        """Refuse what is too much: nothing is recycled for what is taken over."""
        if not self._largest and not self._most_patients:
            return
        totals = transaction.totals()
        patient = candidate.lineage[0]
        is_new = transaction.find(Level.PATIENT, patient.id) is None
        arriving = sum(file.attachment.compressed_size for file in candidate.files)
        if self._largest and totals.disk_size + arriving > self._largest:
            raise OrthancError(ErrorCode.FULL_STORAGE, _FULL)
        if self._most_patients and totals.patients + is_new > self._most_patients:
            raise OrthancError(ErrorCode.FULL_STORAGE, _FULL)


def _insert_new(transaction: Transaction, arrival: Arrival, resource: AdoptedResource, parent: Key | None) -> Key:
    level = resource.level
    metadata = _history(resource.metadata)
    if level is Level.INSTANCE:
        tags, read, files = arrival.tags, arrival.metadata, arrival.files
    else:
        (tags, read), files = arrival.parent(level), ()
        # The other index has them from the first instance ever stored, which may be gone.
        tags = arrival.reader.indexed({**tags.tags, **resource.tags}, level)
    metadata.update((name, value) for name, value in read.items() if name in _OURS)
    last_update = None if level is Level.INSTANCE else resource.metadata.get("LastUpdate", arrival.date)
    key = transaction.insert_resource(NewResource(level, resource.id, parent, tags, metadata, files, last_update))
    assert key is not None, "it was not there a moment ago, in this transaction"
    if level is not Level.INSTANCE and resource.is_stable:
        transaction.settle({key: 0})
    return key


def _history(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata that no file tells."""
    return {name: value for name, value in metadata.items() if name not in _OURS and name != "LastUpdate"}


def _complete(transaction: Transaction, key: Key, resource: AdoptedResource) -> None:
    """Add the metadata that a resource lacks."""
    current = transaction.metadata(key)
    merged = {**_history(resource.metadata), **current}
    if len(merged) > len(current):
        transaction.set_metadata(key, merged)


def _annotate(
    transaction: Transaction, key: Key, resource: AdoptedResource, files: Sequence[PreparedFile], used: set[str]
) -> None:
    for label in resource.labels:
        transaction.set_label(key, label, True)
    if files:
        present = transaction.attachments(key)
        for file in files:
            if file.attachment.type not in present:
                transaction.put_attachment(key, file)
                used.add(file.attachment.uuid)
    if resource.is_protected and not transaction.is_protected(key):
        transaction.set_protected(key, True)


def _write_log(transaction: Transaction, log: AdoptedLog) -> int:
    taken = 0
    for change in log.changes:
        key = transaction.find(change.level, change.id)
        if key is not None:
            transaction.skip_changes(change.seq - 1)
            transaction.log_change(change.type, key, change.date)
            taken += 1
    transaction.skip_changes(log.last_change)
    for export in log.exports:
        transaction.skip_exports(export.seq - 1)
        transaction.log_export(export.line)
    transaction.skip_exports(log.last_export)
    for patient in log.recycling:
        key = transaction.find(Level.PATIENT, patient)
        if key is not None and not transaction.is_protected(key):
            transaction.set_protected(key, False)  # the last one to be recycled so far
    for name, reached in log.counters.items():
        while transaction.next_number(name) < reached:
            pass
    if log.progress:
        transaction.set_property(log.progress, log.reached)
    return taken
