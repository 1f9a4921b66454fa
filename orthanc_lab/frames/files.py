"""Saving and loading frames as Parquet and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from orthanc_lab.frames.columns import UTC, column_of, is_described
from orthanc_lab.protocol.replacing import replacing
from orthanc_lab.protocol.target_file import check_target

__all__ = ["load", "save"]


def save(frame: pd.DataFrame, path: str | Path) -> Path:
    """Save a frame as ``.parquet`` or ``.csv``; the file appears under its name only once it is complete.

    A named index, such as the times of a wide frame, becomes a column. Parquet keeps everything else. In CSV, times are
    ISO 8601 in UTC, and missing text is the same as empty text.

    Raises
    ------
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
    path = Path(path)
    suffix = _suffix(path)
    check_target(path)
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if named:
        frame = frame.reset_index(level=named)
    with replacing(path) as part:
        if suffix == ".parquet":
            frame.to_parquet(part, index=False)
        else:
            times = {
                name: _iso(frame[name]) for name in frame.columns if isinstance(frame[name].dtype, pd.DatetimeTZDtype)
            }
            frame.assign(**times).to_csv(part, index=False)
    return path


def load(path: str | Path) -> pd.DataFrame:
    """Load a frame that `save` wrote, with the right types.

    In a CSV file, the types of columns that are not of this package are inferred by pandas.

    Raises
    ------
    ValueError
        If the name does not end in ``.parquet`` or ``.csv``.

    Examples
    --------
    >>> import tempfile
    >>> from orthanc_lab import frames
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = frames.save(frames.jobs_frame([]), f"{folder}/jobs.csv")
    ...     frames.load(path)["created"].dtype
    datetime64[us, UTC]
    """
    path = Path(path)
    if _suffix(path) == ".parquet":
        return pd.read_parquet(path)
    raw = pd.read_csv(path, dtype="str", keep_default_na=False)
    others = [name for name in raw.columns if not is_described(name)]
    inferred = pd.read_csv(path, usecols=others)
    return pd.DataFrame(
        {name: inferred[name] if name in inferred else _read(raw[name], str(name)) for name in raw.columns}
    )


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
