"""Conversion of instances to another transfer syntax (Orthanc Book, "Transcoding of DICOM files")."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.tags import BITS_STORED, PIXEL_DATA
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import DicomFile, read_file
from orthanc_lab.dicom.files.write import write_file
from orthanc_lab.dicom.images.image_description import number_of
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Identifiers
from orthanc_lab.protocol.transfer_syntaxes import TransferSyntax, find_transfer_syntax

__all__ = ["NO_TURN", "Turn", "transcode"]

Turn = AbstractContextManager[object]
NO_TURN: Turn = nullcontext()


def transcode(
    dicom: bytes,
    target_uid: str,
    dictionary: Dictionary,
    *,
    quality: int = 90,
    identifiers: Identifiers,
    turn: Turn | None = NO_TURN,
) -> bytes | None:
    """Return an instance in another transfer syntax.

    Parameters
    ----------
    dicom
        The file (Part 10); one that has the transfer syntax already is returned as it is.
    dictionary
        Gives the VR of each tag of a file in an implicit transfer syntax.
    quality
        Of lossy JPEG, 1 to 100.
    identifiers
        Source of the new SOP Instance UID that a lossy transfer syntax needs.
    turn
        Held while pixels are converted: it limits how many are at a time. None for a server that transcodes nothing.

    Returns
    -------
    bytes or None
        None if the transfer syntax cannot be produced from this instance.
    """
    if turn is None:
        return None
    target = find_transfer_syntax(target_uid)
    try:
        file = read_file(dicom, dictionary)
        if file.transfer_syntax == target_uid:
            return dicom
        if _has_compressed_items(file.data_set):
            from orthanc_lab.dicom.codecs.pixel_transcoding import decompress_items  # noqa: PLC0415

            with turn:
                file = replace(file, data_set=decompress_items(file))
        data_set = None if target is None else _converted(file, target, quality, identifiers, turn)
        return None if data_set is None else write_file(data_set, target_uid)
    except OrthancError as error:
        if error.code in (ErrorCode.INEXISTENT_FILE, ErrorCode.UNKNOWN_RESOURCE):
            raise
        return None


def _has_compressed_items(data_set: DataSet) -> bool:
    """Tell whether there are compressed pixel data in sequences: icons, mostly."""
    items = (item for element in data_set.values() if isinstance(element.value, list) for item in element.value)
    return any(
        (PIXEL_DATA in item and isinstance(item[PIXEL_DATA].value, tuple)) or _has_compressed_items(item)
        for item in items
    )


def _converted(
    file: DicomFile, target: TransferSyntax, quality: int, identifiers: Identifiers, turn: Turn
) -> DataSet | None:
    element = file.data_set.get(PIXEL_DATA)
    is_compressed = element is not None and isinstance(element.value, tuple)
    stored = number_of(file.data_set, BITS_STORED)
    if stored is not None and not is_compressed and stored not in target.bits_stored:
        return None
    if element is None:
        return file.data_set if target.without_pixels else None
    if not is_compressed and target.is_native:
        return file.data_set
    # numpy and the codecs are imported for pixels alone: most files are rewritten without them.
    from orthanc_lab.dicom.codecs.pixel_transcoding import compress, decompress  # noqa: PLC0415

    with turn:
        return decompress(file) if target.is_native else compress(file, target.uid, quality, identifiers)
