"""What a change would do to one instance: made by the server, and not stored."""

from __future__ import annotations

import io

import pydicom

from orthanc_lab.client import Client, Instance
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.elements.tag_row import TagRow
from orthanc_lab.widgets.modify.change_request import ChangeRequest, still_there
from orthanc_lab.widgets.tag_differences import Difference, dataset_rows, differences

__all__ = ["preview"]

_LARGEST = 64_000_000  # bytes of a file that is fetched twice for a preview
_MADE_UP = "(a new UID)"
_UIDS = {"0020,000d": "StudyInstanceUID", "0020,000e": "SeriesInstanceUID", "0008,0018": "SOPInstanceUID"}


def preview(client: Client, instance: Instance, request: ChangeRequest, level: Level) -> list[Difference]:
    """Return what the change of a resource of this level does to one of its instances.

    Raises
    ------
    ValueError
        If the instance is too large, or the action makes no copies.
    ClientError
        If the server refuses.
    """
    if request.action not in ("anonymize", "modify"):
        raise ValueError("There is a preview of Anonymize and Modify only.")
    if int(instance.document["FileSize"]) > _LARGEST:
        raise ValueError(f"This instance is larger than {_LARGEST // 1_000_000} MB; there is no preview of it.")
    spoken = still_there(client.instances, instance.id)
    fields = {name: value for name, value in request.fields.items() if name != "KeepSource"}
    if request.action == "anonymize":
        changed = spoken.anonymized(**fields)
    else:
        changed = spoken.modified(fields.pop("Replace", {}), **fields)
    found = differences(_rows(instance.file()), _rows(changed))
    return [*_new_uids(instance, request, level, found), *(one for one in found if one.tag not in _UIDS)]


def _rows(file: bytes) -> list[TagRow]:
    return dataset_rows(pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True))


def _new_uids(instance: Instance, request: ChangeRequest, level: Level, found: list[Difference]) -> list[Difference]:
    """Return the changes of the UIDs; of a single instance the server would not replace those of its parents."""
    known = {one.tag: one for one in found}
    series = instance.series
    old = {**series.study.tags, **series.tags, **instance.tags}
    made = []
    for tag, keyword in _UIDS.items():
        if request.gets_new_uid(keyword, level):
            made.append(Difference(tag, tag, keyword, old.get(keyword, ""), _MADE_UP))
        elif tag in known and keyword in request.replace:
            made.append(known[tag])
    return made
