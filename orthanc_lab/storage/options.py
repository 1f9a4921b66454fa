"""The options of the storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from orthanc_lab.dicom.dictionary.dictionary import STANDARD, Dictionary
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget

__all__ = ["StorageOptions"]


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """Options of the storage; the names in Orthanc's configuration stand beside them."""

    index_directory: Path | None = None  # IndexDirectory; None = the folder of the files
    overwrite_instances: bool = False  # OverwriteInstances
    maximum_storage_size: int = 0  # MaximumStorageSize, MB; 0 = no limit
    maximum_patient_count: int = 0  # MaximumPatientCount; 0 = no limit
    maximum_storage_mode: str = "Recycle"  # MaximumStorageMode: Recycle or Reject
    storage_compression: bool = False  # StorageCompression
    store_dicom: bool = (
        True  # StoreDicom; False: DICOM files are indexed, and kept in memory alone, as long as it lasts
    )
    store_md5: bool = True  # StoreMD5ForAttachments
    sync_storage_area: bool = True  # SyncStorageArea: files are on the disk before an upload is answered
    maximum_cache_size: int = 128  # MaximumStorageCacheSize, MB; 0 = off
    stable_age: float = 60.0  # StableAge, seconds
    log_exported_resources: bool = False  # LogExportedResources
    dictionary: Dictionary = STANDARD  # Dictionary, DefaultPrivateCreator
    default_encoding: str = "Latin1"  # DefaultEncoding
    ingest_transcoding: str | None = None  # IngestTranscoding, UID of a transfer syntax; None = files stay as they come
    ingest_transcoding_of_uncompressed: bool = True  # IngestTranscodingOfUncompressed
    ingest_transcoding_of_compressed: bool = True  # IngestTranscodingOfCompressed
    lossy_quality: int = 90  # DicomLossyTranscodingQuality, 1 to 100
    extra_main_dicom_tags: Mapping[Level, Sequence[str]] = field(default_factory=dict)  # ExtraMainDicomTags, gggg,eeee
    user_metadata: Mapping[str, int] = field(default_factory=dict)  # UserMetadata
    transcoding: AbstractContextManager[object] | None = field(default_factory=nullcontext)  # see JobTools
    memory: MemoryBudget = UNLIMITED  # MaximumUnpackedSize: what deflated files reserve while they are read
