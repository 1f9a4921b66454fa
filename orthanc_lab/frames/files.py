"""Saving and loading frames as Parquet and CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from orthanc_lab.frames.arguments import check_frame
from orthanc_lab.frames.columns import UTC, column_of, is_described
from orthanc_lab.protocol.arguments import existing_file, path_of
from orthanc_lab.protocol.formulas import from_cell, to_cell
from orthanc_lab.protocol.replacing import replacing
from orthanc_lab.protocol.target_file import check_target

__all__ = ["load", "save"]


def save(frame: pd.DataFrame, path: str | Path) -> Path:
    """Save a frame as ``.parquet`` or ``.csv``; the file appears under its name only once it is complete.

    A named index, such as the times of a wide frame, becomes a column. Parquet keeps everything else. In CSV, times are
    ISO 8601 in UTC, and missing text is the same as empty text. A text that a spreadsheet would take for a formula,
    such as ``=1+1``, has an apostrophe before it, which `load` takes away again: names and descriptions in DICOM files
    are written by strangers.

    Raises
    ------
    TypeError
        For what is no frame, or no path.
    ValueError
        If the name has another ending.
    FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError
        If no such file can be made there.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from orthanc_lab import frames
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = frames.save(pd.DataFrame({"value": [0.1, float("nan")]}), f"{folder}/x.csv")
    ...     frames.load(path)["value"].tolist()
    [0.1, nan]
    """
    check_frame(frame, (), "pandas")
    path = path_of(path)
    suffix = _suffix(path)
    check_target(path)
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if named:
        frame = frame.reset_index(level=named)
    with replacing(path) as part:
        if suffix == ".parquet":
            frame.to_parquet(part, index=False)
        else:
            _write_csv(frame, part)
    return path


def load(path: str | Path) -> pd.DataFrame:
    """Load a frame that `save` wrote, with the right types.

    In a CSV file, the types of columns that are not of this package are inferred by pandas.

    Raises
    ------
    TypeError
        For what is no path.
    ValueError
        If the name does not end in ``.parquet`` or ``.csv``.
    FileNotFoundError, IsADirectoryError
        If there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> from orthanc_lab import frames
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = frames.save(frames.jobs_frame([]), f"{folder}/jobs.csv")
    ...     frames.load(path)["created"].dtype
    datetime64[us, UTC]
    """
    path = path_of(path)
    suffix = _suffix(path)
    existing_file(path)
    if suffix == ".parquet":
        return pd.read_parquet(path)
    raw = pd.read_csv(path, dtype="str", keep_default_na=False)
    names = [from_cell(str(name)) for name in raw.columns]
    others = [cell for cell, name in zip(raw.columns, names, strict=True) if not is_described(name)]
    inferred = pd.read_csv(path, usecols=others)
    return pd.DataFrame(
        {
            name: _texts(inferred[cell]) if cell in inferred else _read(_texts(raw[cell]), name)
            for cell, name in zip(raw.columns, names, strict=True)
        }
    )


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    cells = frame.set_axis([to_cell(name) if isinstance(name, str) else name for name in frame.columns], axis=1)
    quoting: Literal[0, 2] = csv.QUOTE_MINIMAL
    for place in range(cells.shape[1]):
        column = cells.iloc[:, place]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            cells.isetitem(place, _iso(column).array)
        elif _may_be_text(column):
            texts = column.astype("object").map(lambda value: to_cell(value) if isinstance(value, str) else value)
            cells.isetitem(place, texts.array)
            if texts.map(lambda value: isinstance(value, str) and "\r" in value).any():
                quoting = csv.QUOTE_NONNUMERIC  # else it would end the line
    cells.to_csv(path, index=False, quoting=quoting)


def _may_be_text(column: pd.Series[Any]) -> bool:
    return not pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_datetime64_dtype(column.dtype)


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    if not pd.api.types.is_string_dtype(column.dtype):
        return column
    texts: pd.Series[Any] = column.map(from_cell, na_action="ignore")
    return texts


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".csv"):
        raise ValueError(f"The name of a saved frame must end in .parquet or .csv, not {path.name!r}")
    return suffix


def _iso(times: pd.Series[Any]) -> pd.Series[Any]:
    texts: pd.Series[Any] = times.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return texts


def _read(texts: pd.Series[Any], name: str) -> pd.Series[Any]:
    dtype = column_of(name).dtype
    present = texts.where(texts != "")
    if dtype is UTC:
        return pd.to_datetime(present, format="ISO8601", utc=True).astype(UTC)
    if dtype == "datetime64[us]":
        return pd.to_datetime(present, format="ISO8601").astype("datetime64[us]")
    if dtype == "boolean":
        return pd.Series(present.map({"True": True, "False": False}).astype("boolean"))
    if dtype in ("Int64", "float64"):
        return pd.Series(pd.to_numeric(present).astype(dtype))
    if isinstance(dtype, pd.CategoricalDtype):
        return present.astype(dtype)
    return texts.astype(dtype)
