"""Files on their way to being attachments, and those that stay in the index."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

from orthanc_lab.storage.records import Attachment

__all__ = ["PreparedFile", "SmallFile"]


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file that is about to be an attachment."""

    attachment: Attachment
    content: (
        bytes | None
    )  # of a small file, which the index keeps; None: it is in the storage area already, or on its way
    writing: Future[None] | None = None  # what brings it there, should that go on beside


@dataclass(frozen=True, slots=True)
class SmallFile(Attachment):
    """An attachment whose content is kept by the index, not in the storage area."""

    key: int = 0  # by which the index finds the content
