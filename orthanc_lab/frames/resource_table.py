"""Patients, studies, series and instances as frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from orthanc_lab.client import Client
from orthanc_lab.client.errors import reading
from orthanc_lab.frames.arguments import check_client
from orthanc_lab.frames.columns import typed
from orthanc_lab.frames.thumbnail_column import with_thumbnails
from orthanc_lab.protocol.levels import Level

__all__ = ["instances", "patients", "series", "studies"]

_DICOM_FILE = 1  # type of the attachment
_PATIENT_TAGS = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
# These columns exist even for an empty server; others are added as the server reports them.
_TAGS: Mapping[Level, tuple[str, ...]] = {
    Level.PATIENT: _PATIENT_TAGS,
    Level.STUDY: ("StudyInstanceUID", "StudyDate", "StudyTime", "StudyDescription", "AccessionNumber", *_PATIENT_TAGS),
    Level.SERIES: ("SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription", "SeriesDate", "Manufacturer"),
    Level.INSTANCE: ("SOPInstanceUID", "InstanceNumber"),
}
_CONTENT = ["MainDicomTags", "Metadata", "Labels", "Parent", "Children", "IsStable", "Attachments"]


def patients(client: Client) -> pd.DataFrame:
    """Return the patients: ``id``, main DICOM tags by keyword, ``studies``, ``last_update``, ``stable``, ``tagged``.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     frames.patients(client)[["PatientName", "PatientSex", "studies"]]
      PatientName PatientSex  studies
    0  Phantom^CT          O        1
    """
    return _table(client, Level.PATIENT)


def studies(client: Client, *, thumbnails: bool | int = False) -> pd.DataFrame:
    """Return the studies: ``id``, ``parent``, main DICOM tags with those of the patient, ``series``, ``last_update``,
    ``stable``, ``tagged``.

    Parameters
    ----------
    thumbnails
        Whether to add a column ``thumbnail``, which a notebook shows as pictures: of the first 100 rows, or of as many
        as a number says.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     frames.studies(client)[["StudyDescription", "StudyDate", "series"]]
         StudyDescription  StudyDate  series
    0  CT quality phantom 2026-01-05       1
    """  # noqa: D205 - the columns belong into the summary
    return _table(client, Level.STUDY, thumbnails)


def series(client: Client, *, thumbnails: bool | int = False) -> pd.DataFrame:
    """Return the series: ``id``, ``parent``, main DICOM tags, ``instances``, ``last_update``, ``stable``, ``tagged``.

    Parameters
    ----------
    thumbnails
        Whether to add a column ``thumbnail``, which a notebook shows as pictures: of the first 100 rows, or of as many
        as a number says.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     frames.series(client)[["Modality", "SeriesDescription", "instances"]]
      Modality SeriesDescription  instances
    0       CT       Soft tissue         20
    """
    return _table(client, Level.SERIES, thumbnails)


def instances(client: Client, *, thumbnails: bool | int = False) -> pd.DataFrame:
    """Return the instances: ``id``, ``parent``, main DICOM tags, ``size_bytes``, ``received``, ``transfer_syntax``,
    ``tagged``.

    Parameters
    ----------
    thumbnails
        Whether to add a column ``thumbnail``, which a notebook shows as pictures: of the first 100 rows, or of as many
        as a number says.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     frames.instances(client)["size_bytes"].sum()
    np.int64(679116)
    """  # noqa: D205 - the columns belong into the summary
    return _table(client, Level.INSTANCE, thumbnails)


def _table(client: Client, level: Level, thumbnails: bool | int = False) -> pd.DataFrame:
    check_client(client)
    # Orthanc 1.12.4 and earlier ignore ResponseContent: their objects lack Metadata and Attachments.
    body: dict[str, Any] = {"Level": level.value, "Query": {}, "Expand": True, "ResponseContent": _CONTENT}
    documents = client.transport.json("POST", "/tools/find", json=body, again=True)
    with reading(client.url, f"a list of {level.plural}"):
        table = _table_of(documents, level)
        below = "" if level.child is None else level.child.plural.capitalize()
        children = [list(document.get(below, [])) for document in documents]
    return with_thumbnails(client, level, table, children, thumbnails) if thumbnails else table


def _table_of(documents: list[dict[str, Any]], level: Level) -> pd.DataFrame:
    frame = {"id": typed([document["ID"] for document in documents], "id")}
    if level.parent is not None:
        key = f"Parent{level.parent.value}"
        frame["parent"] = typed([document.get(key) for document in documents], "parent")
    tags = [{**document.get("PatientMainDicomTags", {}), **document["MainDicomTags"]} for document in documents]
    further = sorted({keyword for item in tags for keyword in item}.difference(_TAGS[level]))
    for keyword in (*_TAGS[level], *further):
        frame[keyword] = typed([item.get(keyword) for item in tags], keyword)
    frame.update(_of_file(documents) if level is Level.INSTANCE else _of_container(documents, level))
    frame["tagged"] = typed([", ".join(document.get("Labels", [])) for document in documents], "tagged")
    return pd.DataFrame(frame)


def _of_container(documents: list[dict[str, Any]], level: Level) -> dict[str, pd.Series[Any]]:
    assert level.child is not None
    key, column = level.child.plural.capitalize(), level.child.plural
    updates = [item.get("LastUpdate") or item.get("Metadata", {}).get("LastUpdate") for item in documents]
    return {
        column: typed([len(item[key]) if key in item else None for item in documents], column),
        "last_update": typed(updates, "last_update"),
        "stable": typed([item.get("IsStable") for item in documents], "stable"),
    }


def _of_file(documents: list[dict[str, Any]]) -> dict[str, pd.Series[Any]]:
    metadata = [item.get("Metadata", {}) for item in documents]
    return {
        "size_bytes": typed([_size(item) for item in documents], "size_bytes"),
        "received": typed([item.get("ReceptionDate") for item in metadata], "received"),
        "transfer_syntax": typed([item.get("TransferSyntax") for item in metadata], "transfer_syntax"),
    }


def _size(document: Mapping[str, Any]) -> int | None:
    for attachment in document.get("Attachments", []):
        if attachment["ContentType"] == _DICOM_FILE:
            return int(attachment["UncompressedSize"])
    return int(document["FileSize"]) if "FileSize" in document else None
