"""A storage of as many large images as one likes, which takes no room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.records import Attachment, AttachmentType, Resource
from tests.archives.files import dicom

PATIENT, STUDY, SERIES = "patient", "study", "series"


class SyntheticStorage:
    """One series of `count` files of the same pixels; only what archives ask of a storage."""

    def __init__(self, count: int, pixels: bytes) -> None:
        self.file = dicom(pixels=pixels)
        self._instances = [f"instance-{n}" for n in range(count)]
        self._parents = {PATIENT: None, STUDY: PATIENT, SERIES: STUDY}
        self._children = {PATIENT: [STUDY], STUDY: [SERIES], SERIES: self._instances}
        self.reads = 0

    def find_level(self, id: str) -> Level | None:
        return {PATIENT: Level.PATIENT, STUDY: Level.STUDY, SERIES: Level.SERIES}.get(id, Level.INSTANCE)

    def family(self, ids: Sequence[str]) -> list[Resource]:
        assert set(ids) <= {PATIENT, STUDY, SERIES}
        return [self._resource(id) for id in (PATIENT, STUDY, SERIES, *self._instances)]

    def dicom_files(self, instances: Sequence[str]) -> dict[str, Attachment]:
        return {id: self._resource(id).attachments[AttachmentType.DICOM] for id in instances}

    def read_dicom(self, instance: str, *, keep: bool = True, known: Attachment | None = None) -> bytes:
        assert known is not None, "it must not be looked for by itself"
        assert not keep, "an archive must not push all else out of the cache"
        self.reads += 1
        return bytes(bytearray(self.file))  # a copy of its own, as from a disk

    def _resource(self, id: str) -> Resource:
        level = self.find_level(id)
        assert level in LEVELS
        attachment = Attachment(AttachmentType.DICOM, "", len(self.file), "", len(self.file), "", False)
        rest: dict[str, Any] = {"metadata": {}, "labels": (), "is_stable": True, "is_protected": False}
        return Resource(
            id=id,
            level=level,
            parent=self._parents.get(id, SERIES),
            tags={"0020,0013": id.rpartition("-")[2]},
            children=self._children.get(id, []),
            attachments={AttachmentType.DICOM: attachment},
            **rest,
        )
