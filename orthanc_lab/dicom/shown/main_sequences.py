"""The sequences among the main DICOM tags, as the metadata ``MainDicomSequences`` holds them."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.tags import SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.files.read import DicomFile, read_file
from orthanc_lab.dicom.shown.tags_json import TagsFormat, data_set_to_json

__all__ = ["main_sequences"]


def main_sequences(dicom: bytes, tags: Collection[str], dictionary: Dictionary, default_encoding: str) -> str:
    """Return the JSON document of some sequences of a DICOM file.

    Parameters
    ----------
    tags
        The sequences, ``gggg,eeee``.
    dictionary
        Names what stands in the sequences.
    default_encoding
        The option ``DefaultEncoding``.
    """
    file = read_file(dicom, dictionary, skip_pixel_data=True)
    wanted = {int(tag[:4] + tag[5:], 16) for tag in tags}
    part = {tag: element for tag, element in file.data_set.items() if tag in wanted or tag == SPECIFIC_CHARACTER_SET}
    full = data_set_to_json(
        DicomFile(file.meta, file.transfer_syntax, part),
        TagsFormat.FULL,
        dictionary,
        default_encoding=default_encoding,
    )
    document = {"Sequences": {tag: full[tag] for tag in sorted(tags) if tag in full}, "Version": 1}
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
