"""What the jobs of a server work with."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from orthanc_lab.dicom.codecs.transcoding import NO_TURN, Turn, transcode
from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.charsets import LATIN1, Charset, by_name
from orthanc_lab.dicom.files.values import JsonValues
from orthanc_lab.dimse.commitment_reports import CommitmentReports
from orthanc_lab.dimse.directory import ModalityDirectory
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.peers.http_options import HttpOptions
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.ports import Clock, Identifiers, Settings
from orthanc_lab.storage.ports import Storage
from orthanc_lab.transfers.options import TransferOptions

__all__ = ["JobTools"]


@dataclass(frozen=True, slots=True)
class JobTools:
    """The parts of a server that its jobs use; every kind of job takes them as its first argument."""

    storage: Storage
    clock: Clock
    identifiers: Identifiers
    executor: Executor
    outputs: OutputStore  # what jobs leave behind
    dictionary: Dictionary  # with the options Dictionary and DefaultPrivateCreator
    charset: Callable[[], Charset]  # of files that name none, ``DefaultEncoding``
    private_creator: str  # ``DefaultPrivateCreator``
    http: HttpOptions  # of calls to other servers
    dicom: DicomOptions  # of associations with DICOM nodes
    modalities: ModalityDirectory  # the DICOM nodes
    commitments: CommitmentReports  # that the nodes were asked for
    rewriting_threads: int  # how many instances a modification makes at a time, ``JobsEngineThreadsCount``
    transcoding: Turn | None  # held while pixels are transcoded, ``MaximumConcurrentDcmtkTranscoders``; None: never
    transfers: TransferOptions
    zip_threads: int  # how many members of an archive are prepared at a time, ``ZipLoaderThreads``; 0: processors

    @classmethod
    def of(
        cls,
        settings: Settings,
        storage: Storage,
        *,
        clock: Clock,
        identifiers: Identifiers,
        executor: Executor,
        outputs: OutputStore,
        dictionary: Dictionary,
        transcoding: Turn | None = NO_TURN,
    ) -> JobTools:
        """Return the tools that the settings of a server describe."""
        return cls(
            storage,
            clock,
            identifiers,
            executor,
            outputs,
            dictionary,
            charset=lambda: by_name(settings["DefaultEncoding"]) or LATIN1,
            private_creator=settings["DefaultPrivateCreator"],
            http=HttpOptions.of(settings),
            dicom=DicomOptions.of(settings),
            modalities=ModalityDirectory(settings, storage),
            commitments=CommitmentReports(storage, settings["StorageCommitmentReportsSize"]),
            rewriting_threads=settings["JobsEngineThreadsCount"].get("ResourceModification", 1) or os.cpu_count() or 1,
            transcoding=transcoding,
            transfers=TransferOptions.of(settings["Transfers"]),
            zip_threads=max(0, settings["ZipLoaderThreads"]),
        )

    def transcode(self, dicom: bytes, syntax: str) -> bytes | None:
        """Return a file in another transfer syntax, for a node that refuses its own; None if that cannot be done."""
        return transcode(
            dicom,
            syntax,
            self.dictionary,
            quality=self.dicom.lossy_quality,
            identifiers=self.identifiers,
            turn=self.transcoding,
        )

    def values(self, private_creator: str | None = None) -> JsonValues:
        """Return how JSON values become elements of files."""
        creator = self.private_creator if private_creator is None else private_creator
        return JsonValues(self.dictionary, self.charset(), creator)
