"""Transcoding of uploads to one transfer syntax (``IngestTranscoding``)."""

from __future__ import annotations

from collections.abc import Callable

from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.protocol.ports import Identifiers
from orthanc_lab.protocol.transfer_syntaxes import find_transfer_syntax
from orthanc_lab.storage.options import StorageOptions

__all__ = ["ingest_transcoding"]


def ingest_transcoding(options: StorageOptions, identifiers: Identifiers) -> Callable[[bytes], bytes]:
    """Return the function that transcodes uploads; a file that cannot be transcoded stays as it is.

    A lossy transfer syntax gives the instance another SOP Instance UID, at each upload another.
    """
    target = options.ingest_transcoding
    if not target:
        return _unchanged
    # Imported only if it is needed: it is slow to import.
    from orthanc_lab.dicom.codecs.transcoding import transcode  # noqa: PLC0415

    def transcoded(dicom: bytes) -> bytes:
        syntax = find_transfer_syntax(scan(dicom, frozenset(), options.default_encoding).transfer_syntax)
        is_uncompressed = syntax is not None and syntax.is_native and not syntax.deflated
        wanted = (
            options.ingest_transcoding_of_uncompressed if is_uncompressed else options.ingest_transcoding_of_compressed
        )
        if not wanted:
            return dicom
        return (
            transcode(
                dicom,
                target,
                options.dictionary,
                quality=options.lossy_quality,
                identifiers=identifiers,
                turn=options.transcoding,
            )
            or dicom
        )

    return transcoded


def _unchanged(dicom: bytes) -> bytes:
    return dicom
