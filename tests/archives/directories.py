"""DICOMDIR files taken apart, to compare two of them record by record."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pydicom

LINKS = (0x00041400, 0x00041420)
Record = dict[str, str]


def records(directory: bytes) -> list[Record]:
    """Return the records in their order, without the offsets."""
    data_set = pydicom.dcmread(io.BytesIO(directory))
    return [
        {element.keyword: str(element.value) for element in item if element.tag not in LINKS}
        for item in data_set.DirectoryRecordSequence
    ]


def tree(directory: bytes) -> list[Any]:
    """Return (record, records below) from the root on, following the offsets and nothing else."""
    data_set = pydicom.dcmread(io.BytesIO(directory))
    by_offset = {item.seq_item_tell: item for item in data_set.DirectoryRecordSequence}

    def level(offset: int) -> Iterator[Any]:
        while offset:
            item = by_offset[offset]
            below = list(level(item.OffsetOfReferencedLowerLevelDirectoryEntity))
            assert item.RecordInUseFlag == 0xFFFF
            yield item, below
            offset = item.OffsetOfTheNextDirectoryRecord

    roots = list(level(data_set.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity))
    last = roots[-1][0].seq_item_tell if roots else 0
    assert data_set.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity == last
    return roots
