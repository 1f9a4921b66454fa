"""The columns of all frames: one name has one type, one unit and one meaning everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.levels import LEVELS

__all__ = ["COLUMNS", "UTC", "Column", "describe", "typed", "utc"]

UTC = pd.DatetimeTZDtype("us", "UTC")
STATES = pd.CategoricalDtype([state.value for state in JobState])
CHANGE_TYPES = pd.CategoricalDtype([change.value for change in ChangeType])
LEVEL_NAMES = pd.CategoricalDtype([level.value for level in LEVELS], ordered=True)
KINDS = pd.CategoricalDtype(["counter", "gauge", "maximum"])


@dataclass(frozen=True)
class Column:
    """What a column holds."""

    dtype: Any  # for pandas
    unit: str  # "" for none
    meaning: str


_TIME = "UTC"
COLUMNS: dict[str, Column] = {
    "id": Column("str", "", "identifier of Orthanc"),
    "parent": Column("str", "", "identifier of the resource one level up"),
    "type": Column("category", "", "type of the job"),
    "state": Column(STATES, "", "state of the job"),
    "priority": Column("Int64", "", "priority; higher runs earlier"),
    "progress_pct": Column("Int64", "%", "part that is done"),
    "created": Column(UTC, _TIME, "submission of the job"),
    "completed": Column(UTC, _TIME, "end of the job; missing before it"),
    "eta": Column(UTC, _TIME, "estimated end, while the job runs"),
    "asked": Column(UTC, _TIME, "moment of the server's answer"),
    "runtime_s": Column("float64", "s", "effective run time; on Orthanc it holds the last wait for a worker, too"),
    "total_s": Column("float64", "s", "from submission to end; missing before the end"),
    "error_code": Column("Int64", "", "error code of Orthanc, 0 for none"),
    "error": Column("str", "", "the error in words, empty for none"),
    "description": Column("str", "", "description in the content of the job"),
    "instances": Column("Int64", "", "instances that the job works on"),
    "failed_instances": Column("Int64", "", "instances that failed"),
    "size_bytes": Column("Int64", "bytes", "size: of the DICOM file, or uncompressed of an archive"),
    "start": Column(UTC, _TIME, "begin of a span"),
    "end": Column(UTC, _TIME, "end of a span"),
    "worker": Column("Int64", "", "lane of the worker, from 1; missing unless the job runs"),
    "observed": Column("boolean", "", "seen by a watch; False: concluded from the final times"),
    "seq": Column("Int64", "", "number of the change"),
    "change": Column(CHANGE_TYPES, "", "type of the change"),
    "level": Column(LEVEL_NAMES, "", "level of the resource"),
    "date": Column(UTC, _TIME, "moment of the change, whole seconds"),
    "time": Column(UTC, _TIME, "moment of the scrape"),
    "name": Column("category", "", "name of the metric"),
    "labels": Column("category", "", "labels of the metric in braces, empty for none"),
    "value": Column("float64", "see unit", "value; NaN in a gap"),
    "updated": Column(UTC, _TIME, "last update of the value at the server"),
    "family": Column("category", "", "what the metric is about; charts have a panel for each"),
    "unit": Column("category", "", "unit of the value"),
    "kind": Column(KINDS, "", "counter; gauge; or maximum over 10 s or more"),
    "last_update": Column(UTC, _TIME, "last change of the resource, whole seconds"),
    "received": Column(UTC, _TIME, "arrival of the instance, whole seconds (Orthanc 1.12.5 or later)"),
    "stable": Column("boolean", "", "nothing new has come for the time StableAge"),
    "tagged": Column("str", "", "labels of the resource, joined by a comma"),
    "studies": Column("Int64", "", "number of studies below"),
    "series": Column("Int64", "", "number of series below"),
    "transfer_syntax": Column("category", "", "UID of the transfer syntax (DICOM PS3.5 section 10)"),
}

_INTEGER_TAGS = frozenset(
    (
        "AcquisitionNumber",
        "CardiacNumberOfImages",
        "ImageIndex",
        "ImagesInAcquisition",
        "InstanceNumber",
        "NumberOfFrames",
        "NumberOfSlices",
        "NumberOfTemporalPositions",
        "NumberOfTimeSlices",
        "SeriesNumber",
        "TemporalPositionIdentifier",
    )
)
_CATEGORY_TAGS = frozenset(
    ("BodyPartExamined", "InstitutionName", "Manufacturer", "Modality", "PatientSex", "ProtocolName", "StationName")
)


def column_of(name: str) -> Column:
    """Return what is known of a column, a main DICOM tag included."""
    if name in COLUMNS:
        return COLUMNS[name]
    if name.endswith("Date"):
        return Column("datetime64[us]", "day", "DICOM date; missing if it is empty or no date")
    if name in _INTEGER_TAGS:
        return Column("Int64", "", "DICOM integer string; missing if it is no integer")
    return Column("category" if name in _CATEGORY_TAGS else "str", "", "DICOM tag")


def utc(texts: Iterable[str | None]) -> pd.Series[Any]:
    """Read times as Orthanc writes them (``20190306T095223.753851``); None becomes NaT."""
    return pd.Series(pd.to_datetime(pd.Series(list(texts), dtype="object"), format="ISO8601", utc=True)).astype(UTC)


def typed(values: Iterable[Any], name: str) -> pd.Series[Any]:
    """Return a column with the type of its name."""
    dtype = column_of(name).dtype
    values = list(values)
    if dtype is UTC:
        return utc(values)
    if dtype == "datetime64[us]":
        dates = pd.to_datetime(pd.Series(values, dtype="object"), format="%Y%m%d", errors="coerce")
        return pd.Series(dates.astype("datetime64[us]"))
    if dtype == "Int64":
        return _integers(values)
    column: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return column


def _integers(values: list[Any]) -> pd.Series[Any]:
    if not any(isinstance(value, str) for value in values):
        return pd.Series(values, dtype="Int64")
    whole = [int(value) if isinstance(value, str) and _is_whole(value) else value for value in values]
    return pd.Series([None if isinstance(value, str) else value for value in whole], dtype="Int64")


def _is_whole(text: str) -> bool:
    text = text.strip()
    return text.lstrip("+-").isdecimal() and abs(int(text)) <= np.iinfo(np.int64).max


def describe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return dtype, unit and meaning of each column of a frame.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames
    >>> with orthanc_lab.in_process() as server:
    ...     described = frames.describe(frames.jobs(orthanc_lab.Client.from_server(server)))
    >>> described.loc["runtime_s", "unit"]
    's'
    """
    rows = [(name, str(frame[name].dtype), column_of(name).unit, column_of(name).meaning) for name in frame.columns]
    return pd.DataFrame(rows, columns=["column", "dtype", "unit", "meaning"]).set_index("column")
