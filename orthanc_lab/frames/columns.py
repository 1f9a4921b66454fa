"""The columns of all frames: each name has the same type, unit and meaning everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from orthanc_lab.frames.arguments import check_frame
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.job_events import Cause, Happened
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.levels import LEVELS

__all__ = ["COLUMNS", "UTC", "Column", "column_of", "describe", "is_described", "typed", "utc"]

UTC = pd.DatetimeTZDtype("us", "UTC")
STATES = pd.CategoricalDtype([state.value for state in JobState])
EVENTS = pd.CategoricalDtype([event.value for event in Happened])
CAUSES = pd.CategoricalDtype([cause.value for cause in Cause])
CHANGE_TYPES = pd.CategoricalDtype([change.value for change in ChangeType])
LEVEL_NAMES = pd.CategoricalDtype([level.value for level in LEVELS], ordered=True)
KINDS = pd.CategoricalDtype(["counter", "gauge", "maximum"])


@dataclass(frozen=True)
class Column:
    """The type, unit and meaning of a column."""

    dtype: Any  # for pandas
    unit: str  # "" for none
    meaning: str


_TIME = "UTC"
COLUMNS: dict[str, Column] = {
    "id": Column("str", "", "Orthanc identifier"),
    "thumbnail": Column("str", "", "small PNG picture as a data URI; missing if there is none"),
    "parent": Column("str", "", "identifier of the resource one level up"),
    "type": Column("category", "", "type of the job"),
    "state": Column(STATES, "", "state of the job"),
    "priority": Column("Int64", "", "priority; jobs with a higher one run earlier"),
    "progress_pct": Column("Int64", "%", "progress"),
    "created": Column(UTC, _TIME, "submission of the job"),
    "completed": Column(UTC, _TIME, "end of the job; missing before it"),
    "eta": Column(UTC, _TIME, "estimated end, while the job runs"),
    "asked": Column(UTC, _TIME, "time of the server's response"),
    "runtime_s": Column("float64", "s", "effective run time; in Orthanc it includes the last wait for a worker"),
    "total_s": Column("float64", "s", "from submission to end; missing before the end"),
    "error_code": Column("Int64", "", "error code of Orthanc, 0 for none"),
    "error": Column("str", "", "error message, empty for none"),
    "description": Column("str", "", "description in the content of the job"),
    "instances": Column("Int64", "", "number of instances of the series, or that the job processes"),
    "failed_instances": Column("Int64", "", "number of instances that failed"),
    "size_bytes": Column("Int64", "bytes", "size of the DICOM file, or uncompressed size of an archive"),
    "start": Column(UTC, _TIME, "start of a span"),
    "end": Column(UTC, _TIME, "end of a span"),
    "worker": Column("Int64", "", "number of the worker, from 1; missing unless the job is running"),
    "observed": Column("boolean", "", "observed by a watch; False if inferred from the final times"),
    "server": Column("category", "", "name of the server that runs the job, or ran it last; missing if none did"),
    "address": Column("str", "", "address of the REST API of the server, empty for none"),
    "epoch": Column("Int64", "", "how often the server has registered in the cluster"),
    "lease_s": Column("float64", "s", "what is left of the lease of the server; negative once it has ended"),
    "running": Column("Int64", "", "number of jobs that the server runs"),
    "is_self": Column("boolean", "", "whether it is the server that was asked"),
    "seq": Column("Int64", "", "number of the change or event"),
    "event": Column(EVENTS, "", "what happened to the job"),
    "job": Column("str", "", "identifier of the job"),
    "before": Column(STATES, "", "state of the job before the event; missing of a new one"),
    "after": Column(STATES, "", "state of the job after the event; missing of one that is gone"),
    "cause": Column(CAUSES, "", "what caused the event"),
    "step": Column("Int64", "", "number of the step that was made"),
    "change": Column(CHANGE_TYPES, "", "type of the change"),
    "level": Column(LEVEL_NAMES, "", "level of the resource"),
    "date": Column(UTC, _TIME, "time of the change, in whole seconds"),
    "time": Column(UTC, _TIME, "time of the scrape or event"),
    "name": Column("category", "", "name of the metric"),
    "labels": Column("category", "", "labels of the metric in braces, empty for none"),
    "value": Column("float64", "see unit", "value; NaN in a gap"),
    "updated": Column(UTC, _TIME, "last update of the value on the server"),
    "family": Column("category", "", "subject of the metric; charts have a panel for each family"),
    "unit": Column("category", "", "unit of the value"),
    "kind": Column(KINDS, "", "counter, gauge, or maximum over at least 10 s"),
    "last_update": Column(UTC, _TIME, "last change of the resource, in whole seconds"),
    "received": Column(UTC, _TIME, "arrival of the instance, in whole seconds (Orthanc 1.12.5 or later)"),
    "stable": Column("boolean", "", "whether nothing new has arrived for StableAge seconds"),
    "tagged": Column("str", "", "labels of the resource, joined by a comma"),
    "studies": Column("Int64", "", "number of studies of the patient"),
    "series": Column("Int64", "", "number of series of the study"),
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
        "NumberOfPatientRelatedInstances",
        "NumberOfPatientRelatedSeries",
        "NumberOfPatientRelatedStudies",
        "NumberOfSeriesRelatedInstances",
        "NumberOfSlices",
        "NumberOfStudyRelatedInstances",
        "NumberOfStudyRelatedSeries",
        "NumberOfTemporalPositions",
        "NumberOfTimeSlices",
        "SeriesNumber",
        "TemporalPositionIdentifier",
    )
)
_CATEGORY_TAGS = frozenset(
    ("BodyPartExamined", "InstitutionName", "Manufacturer", "Modality", "PatientSex", "ProtocolName", "StationName")
)

_WHOLE = re.compile(r"[+-]?\d{1,19}")


def column_of(name: str) -> Column:
    """Return the type, unit and meaning of a column, which may also be a main DICOM tag."""
    if name in COLUMNS:
        return COLUMNS[name]
    if name.endswith("Date"):
        return Column("datetime64[us]", "day", "DICOM date; missing if empty or invalid")
    if name in _INTEGER_TAGS:
        return Column("Int64", "", "DICOM integer string; missing if it is not an integer")
    return Column("category" if name in _CATEGORY_TAGS else "str", "", "DICOM tag")


def is_described(name: object) -> bool:
    """Whether a column belongs to the frames of this package; keywords of DICOM tags begin with a capital."""
    return name in COLUMNS or str(name)[:1].isupper()


def utc(texts: Iterable[str | None]) -> pd.Series[Any]:
    """Parse Orthanc's timestamps (``20190306T095223.753851``); None becomes NaT."""
    return pd.Series(pd.to_datetime(_texts(texts), format="ISO8601", utc=True)).astype(UTC)


def _texts(values: Iterable[Any]) -> pd.Series[Any]:
    return pd.Series([None if value is None else str(value) for value in values], dtype="object")


def typed(values: Iterable[Any], name: str) -> pd.Series[Any]:
    """Return a column with the type that belongs to its name."""
    dtype = column_of(name).dtype
    values = list(values)
    if dtype is UTC:
        return utc(values)
    if dtype == "datetime64[us]":
        dates = pd.to_datetime(_texts(values), format="%Y%m%d", errors="coerce")
        return pd.Series(dates.astype("datetime64[us]"))
    if dtype == "Int64":
        return _integers(values)
    if isinstance(dtype, pd.CategoricalDtype) and dtype.categories is not None:
        values = [value if value in dtype.categories else None for value in values]
    column: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return column


def _integers(values: list[Any]) -> pd.Series[Any]:
    if not any(isinstance(value, str) for value in values):
        return pd.Series(values, dtype="Int64")
    whole = [int(value) if isinstance(value, str) and _is_whole(value) else value for value in values]
    return pd.Series([None if isinstance(value, str) else value for value in whole], dtype="Int64")


def _is_whole(text: str) -> bool:
    return _WHOLE.fullmatch(text.strip()) is not None and abs(int(text)) <= np.iinfo(np.int64).max


def describe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the dtype, unit and meaning of each column of a frame.

    Of a column that is not of this package, such as one that a merge has renamed, only the dtype is known.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames
    >>> with orthanc_lab.in_process() as server:
    ...     described = frames.describe(frames.jobs(orthanc_lab.Client.from_server(server)))
    >>> described.loc["runtime_s", "unit"]
    's'
    """
    check_frame(frame, (), "a function of orthanc_lab.frames")
    known = {name: column_of(name) for name in frame.columns if is_described(name)}
    rows = [
        (name, str(dtype), known[name].unit, known[name].meaning) if name in known else (name, str(dtype), "", "")
        for name, dtype in frame.dtypes.items()
    ]
    return _Whole(pd.DataFrame(rows, columns=["column", "dtype", "unit", "meaning"]).set_index("column"))


class _Whole(pd.DataFrame):
    """A frame whose texts are shown to their ends."""

    def __repr__(self) -> str:
        return self.to_string()

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return str(super()._repr_html_())  # type: ignore[misc]  # the stubs do not know it
