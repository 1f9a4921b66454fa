"""A DICOM file on its way in: read and identified, its attachments prepared, not yet in the index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.main_tags import IDENTIFIER_TAGS, MainTags
from orthanc_lab.dicom.files.scan import DicomHeader, scan
from orthanc_lab.dicom.identifiers import ResourceIdentifiers, identify
from orthanc_lab.dicom.series_size import expected_instances, instance_index
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.folding import fold, folded_tags
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.records import Origin, Stored, StoreStatus
from orthanc_lab.storage.transaction import IndexedTags

__all__ = ["Arrival", "ArrivalReader"]


@dataclass(slots=True)
class Arrival:
    """A DICOM file that is about to be an instance."""

    reader: ArrivalReader
    header: DicomHeader
    sequences: dict[Level, str]  # metadata MainDicomSequences of the levels that have some
    ids: ResourceIdentifiers
    tags: IndexedTags  # of the instance
    metadata: dict[str, str]  # of the instance
    date: str  # ReceptionDate
    remote_aet: str
    overwrite: bool
    files: tuple[PreparedFile, ...] = ()  # once they are prepared
    keep_labels: bool = False  # of the instance that it replaces, and of those above it

    @property
    def about(self) -> tuple[tuple[Level, str], ...]:
        """Levels and identifiers of the instance and of what is above it."""
        ids = self.ids
        return (
            (Level.PATIENT, ids.patient),
            (Level.STUDY, ids.study),
            (Level.SERIES, ids.series),
            (Level.INSTANCE, ids.instance),
        )

    def stored(self, status: StoreStatus) -> Stored:
        """Return the answer to the upload."""
        return Stored(status, self.ids.instance, self.ids.series, self.ids.study, self.ids.patient)

    def parent(self, level: Level) -> tuple[IndexedTags, dict[str, str]]:
        """Return the tags and the metadata of a new resource above the instance."""
        return self.reader.parent(self, level)


class ArrivalReader:
    """Reads the DICOM files that are uploaded."""

    def __init__(self, options: StorageOptions, main_tags: MainTags, names: MetadataNames, clock: Clock) -> None:
        self._dictionary = options.dictionary
        self.encoding = options.default_encoding  # of files that name none
        self._overwrite = options.overwrite_instances
        self._names = names
        self._clock = clock
        self._memory = options.memory
        self._wanted = main_tags.all
        self._tags = {level: main_tags.of(level) for level in LEVELS}
        # A study keeps the tags of the patient as they stand in its first file, too, as in Orthanc.
        self._kept = {**self._tags, Level.STUDY: (*self._tags[Level.PATIENT], *self._tags[Level.STUDY])}
        self._signatures = {level: main_tags.signature(level) for level in LEVELS}

    def read(self, dicom: bytes, origin: Origin, overwrite: bool | None, metadata: Mapping[str, str] | None) -> Arrival:
        """Read a DICOM file; see `orthanc_lab.storage.ports.Ingest.store`."""
        header = scan(dicom, self._wanted, self.encoding, self._memory)
        ids = identify(header)
        date = iso_seconds(self._clock.now())
        sequences = self._sequences(dicom, header.sequences) if header.sequences else {}
        own = self._instance_metadata(header, origin, date)
        if metadata:
            own.update((self._names.stored(name), value) for name, value in metadata.items())
        tags = self._indexed(header, Level.INSTANCE, own, sequences)
        replaces = self._overwrite if overwrite is None else overwrite
        return Arrival(self, header, sequences, ids, tags, own, date, origin.remote_aet, replaces)

    def parent(self, arrival: Arrival, level: Level) -> tuple[IndexedTags, dict[str, str]]:
        """Return the tags and the metadata of a new resource above the instance."""
        metadata: dict[str, str] = {}
        if level is Level.SERIES:
            metadata["RemoteAET"] = arrival.remote_aet
            expected = expected_instances(arrival.header.tags)
            if expected is not None:
                metadata["ExpectedNumberOfInstances"] = str(expected)
        return self._indexed(arrival.header, level, metadata, arrival.sequences), metadata

    def indexed(self, tags: Mapping[str, str], level: Level) -> IndexedTags:
        """Return those of the tags that the index keeps for a level."""
        return _with_forms(self._of_level(tags, level), level)

    def _instance_metadata(self, header: DicomHeader, origin: Origin, date: str) -> dict[str, str]:
        metadata = {"Origin": origin.request_origin, "ReceptionDate": date, "RemoteAET": origin.remote_aet}
        if header.sop_class is not None:
            metadata["SopClassUid"] = header.sop_class
        if header.transfer_syntax:
            metadata["TransferSyntax"] = header.transfer_syntax
        if header.pixel_data_offset is not None:
            metadata["PixelDataOffset"] = str(header.pixel_data_offset)
        if header.pixel_data_vr:
            metadata["PixelDataVR"] = header.pixel_data_vr
        index = instance_index(header.tags)
        if index is not None:
            metadata["IndexInSeries"] = index
        if origin.request_origin == "RestApi":
            metadata["HttpUsername"] = origin.http_username
        if origin.remote_ip:
            metadata["RemoteIP"] = origin.remote_ip
        if origin.called_aet:
            metadata["CalledAET"] = origin.called_aet
        return metadata

    def _indexed(
        self, header: DicomHeader, level: Level, metadata: dict[str, str], sequences: dict[Level, str]
    ) -> IndexedTags:
        """Return the tags of a level; what is known of them becomes metadata."""
        tags = self._of_level(header.tags, level)
        metadata["MainDicomTagsSignature"] = self._signatures[level]
        if level in sequences:
            metadata["MainDicomSequences"] = sequences[level]
        return _with_forms(tags, level)

    def _of_level(self, tags: Mapping[str, str], level: Level) -> dict[str, str]:
        return {tag: tags[tag] for tag in self._kept[level] if tag in tags}

    def _sequences(self, dicom: bytes, present: tuple[str, ...]) -> dict[Level, str]:
        # Rarely needed, and the only one that reads a whole data set: kept out of the server's start.
        from orthanc_lab.dicom.shown.main_sequences import main_sequences  # noqa: PLC0415

        by_level = {level: [tag for tag in present if tag in self._tags[level]] for level in LEVELS}
        names = self._dictionary
        return {level: main_sequences(dicom, tags, names, self.encoding) for level, tags in by_level.items() if tags}


def _with_forms(tags: dict[str, str], level: Level) -> IndexedTags:
    return IndexedTags(fold(tags.get(IDENTIFIER_TAGS[level], "")).strip(), tags, folded_tags(tags))
