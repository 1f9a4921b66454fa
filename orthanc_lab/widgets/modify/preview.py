"""What a change would do to one instance: made by the server, and not stored."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pydicom

from orthanc_lab.client import Client, Instance
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.elements.tag_row import TagRow
from orthanc_lab.widgets.modify.change_request import ChangeRequest, still_there
from orthanc_lab.widgets.modify.module_tags import MODULE_TAGS, STUDY_UID
from orthanc_lab.widgets.tag_differences import Difference, dataset_rows, differences

__all__ = ["modules_of", "preview"]

_LARGEST = 64_000_000  # bytes of a file that is fetched twice for a preview
_MADE_UP = "(a new UID)"
_UIDS = {STUDY_UID: "StudyInstanceUID", "0020,000e": "SeriesInstanceUID", "0008,0018": "SOPInstanceUID"}


def modules_of(client: Client, study: str) -> dict[str, str]:
    """Return the values, by number, that a merge into this study gives to what comes into it.

    Raises
    ------
    ValueError
        If the study has been deleted.
    """
    path = still_there(client.studies, study).path
    tags = {**client.transport.get(f"{path}/module-patient"), **client.transport.get(f"{path}/module")}
    return {tag: one["Value"] for tag, one in tags.items() if one["Type"] == "String" and tag in MODULE_TAGS}


def preview(
    client: Client, instance: Instance, request: ChangeRequest, level: Level, target: Mapping[str, str]
) -> list[Difference]:
    """Return what the change of a resource of this level does to one of its instances.

    Parameters
    ----------
    target
        Of a merge: `modules_of` the study that takes in the others.

    Raises
    ------
    ValueError
        If the instance is too large.
    ClientError
        If the server refuses.
    """
    if int(instance.document["FileSize"]) > _LARGEST:
        raise ValueError(f"This instance is larger than {_LARGEST // 1_000_000} MB; there is no preview of it.")
    spoken = still_there(client.instances, instance.id)
    fields = _fields(request, target)
    if request.action == "anonymize":
        changed = spoken.anonymized(**fields)
    else:
        changed = spoken.modified(fields.pop("Replace", {}), **fields)
    found = differences(_rows(instance.file()), _rows(changed))
    uids = _new_uids(instance, request, level, {**{one.tag: one.after for one in found}, **target})
    return [*uids, *(one for one in found if one.tag not in _UIDS)]


def _fields(request: ChangeRequest, target: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a modification of a single instance that does the same to its tags."""
    fields = {name: value for name, value in request.fields.items() if name != "KeepSource"}
    if request.action == "merge":
        exchanged = MODULE_TAGS - {STUDY_UID}  # which is not changed in a single instance
        replaced = {tag: value for tag, value in target.items() if tag in exchanged}
        fields = {"Replace": replaced, "Remove": sorted(exchanged - set(replaced))}
    if request.action in ("split", "merge"):
        fields["Force"] = True  # both may change PatientID
    return fields


def _rows(file: bytes) -> list[TagRow]:
    return dataset_rows(pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True))


def _new_uids(
    instance: Instance, request: ChangeRequest, level: Level, known: Mapping[str, str | None]
) -> list[Difference]:
    """Return the changes of the UIDs; of a single instance the server would not replace those of its parents."""
    series = instance.series
    old = {**series.study.tags, **series.tags, **instance.tags}
    made = []
    for tag, keyword in _UIDS.items():
        before = old.get(keyword, "")
        if request.gets_new_uid(keyword, level):
            made.append(Difference(tag, tag, keyword, before, _MADE_UP))
        elif tag in known and (keyword in request.replace or request.action == "merge"):
            made.append(Difference(tag, tag, keyword, before, known[tag]))
    return made
