"""Jobs, changes and resources as frames: on our server and on the real one."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import orthanc_lab
from orthanc_lab import frames, samples
from orthanc_lab.client import Answer
from orthanc_lab.frames.columns import COLUMNS, column_of, typed
from orthanc_lab.protocol.formulas import from_cell, to_cell

TABLES = {
    "jobs": frames.jobs,
    "changes": frames.changes,
    "patients": frames.patients,
    "studies": frames.studies,
    "series": frames.series,
    "instances": frames.instances,
    "metrics": frames.metrics,
}


def assert_typed(frame):
    for name in frame.columns:
        wanted = column_of(name).dtype
        assert frame[name].dtype == wanted, (name, frame[name].dtype, wanted)


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_server_gives_typed_columns(client, name):
    frame = TABLES[name](client)
    assert (len(frame) == 0) == (name != "metrics")
    assert_typed(frame)


def test_events(filled, request):
    if "real" in request.node.callspec.id:
        with pytest.raises(orthanc_lab.NoEventLogError):
            frames.events(filled)
        return
    known = len(frames.events(filled))
    job = next(iter(filled.studies)).archive_job(priority=3).wait()
    frame = frames.events(filled, known)
    assert_typed(frame)
    mine = frame[frame["job"] == job.id]
    assert mine["seq"].is_monotonic_increasing
    assert set(mine["priority"]) == {3}
    moves = mine[mine["before"].astype("str") != mine["after"].astype("str")]
    assert moves["event"].tolist() == ["Submitted", "Picked", "Finished"]
    assert moves["cause"].tolist() == ["Client", "Worker", "Worker"]
    assert moves["worker"].isna().tolist() == [True, False, False]


def test_jobs(filled):
    study = next(iter(filled.studies))
    size = int(filled.statistics["TotalUncompressedSize"])
    archive = study.archive_job(priority=3).wait()
    study.anonymize().wait()
    frame = frames.jobs(filled)
    assert_typed(frame)
    assert frame["type"].tolist() == ["Archive", "ResourceModification"]
    first = frame.iloc[0]
    assert (first["id"], first["state"], first["priority"], first["progress_pct"]) == (archive.id, "Success", 3, 100)
    assert (first["instances"], first["error"], first["error_code"]) == (31, "", 0)
    assert first["created"] == archive.created
    assert first["completed"] == archive.completed
    assert pd.isna(first["eta"])
    assert pd.isna(first["failed_instances"])
    assert first["size_bytes"] == size
    assert frame["total_s"].ge(0).all()


def test_objects_of_jobs_as_the_book_shows_them():
    done = {
        "ID": "a", "Type": "DicomModalityStore", "State": "Failure", "Priority": -1, "Progress": 33,
        "CreationTime": "20190306T095223", "CompletionTime": "20190306T095224.5", "Timestamp": "20190306T100000.000001",
        "EffectiveRuntime": 1.25, "ErrorCode": 9, "ErrorDescription": "Error in the network protocol",
        "ErrorDetails": "no answer", "Content": {"Description": "REST API", "FailedInstancesCount": 1},
    }  # fmt: skip
    canceled = {**done, "ID": "b", "ErrorCode": 37, "ErrorDescription": "This job was canceled", "Content": None}
    del canceled["ErrorDetails"], canceled["CompletionTime"]
    frame = frames.jobs_frame([done, canceled])
    assert_typed(frame)
    assert frame["error"].tolist() == ["Error in the network protocol: no answer", "This job was canceled"]
    assert frame["total_s"].tolist()[0] == 1.5
    assert frame["total_s"].isna().tolist() == [False, True]
    assert frame["failed_instances"].isna().tolist() == [False, True]
    assert frame.loc[0, "asked"] == pd.Timestamp("2019-03-06T10:00:00.000001Z")


def test_changes_come_page_by_page_and_go_on(filled, monkeypatch):
    whole = frames.changes(filled)
    monkeypatch.setattr("orthanc_lab.client.changes._PAGE", 7)
    paged = frames.changes(filled)
    pd.testing.assert_frame_equal(whole, paged)
    assert_typed(whole)
    assert whole["seq"].is_monotonic_increasing
    assert whole["change"].value_counts()["NewInstance"] == 31
    since = int(whole["seq"].iloc[-4])
    assert frames.changes(filled, since=since)["seq"].tolist()[:3] == whole["seq"].tolist()[-3:]
    pd.testing.assert_frame_equal(frames.changes(filled, since=10_000), whole)  # its numbers have begun anew


def test_resources(filled):
    study = next(iter(filled.studies))
    study.add_label("teaching")
    studies, series, instances = frames.studies(filled), frames.series(filled), frames.instances(filled)
    for frame in (studies, series, instances):
        assert_typed(frame)
    assert studies.loc[0, "id"] == study.id
    assert studies.loc[0, "parent"] == frames.patients(filled).loc[0, "id"]
    assert (studies.loc[0, "series"], studies.loc[0, "tagged"]) == (3, "teaching")
    assert studies.loc[0, "StudyDate"] == pd.Timestamp("2026-01-05")
    assert not studies.loc[0, "stable"]
    assert series.set_index("SeriesNumber")["instances"].to_dict() == {1: 1, 2: 20, 3: 10}
    assert set(instances["parent"]) == set(series["id"])
    assert instances["size_bytes"].sum() == int(filled.statistics["TotalUncompressedSize"])
    age = frames.changes(filled)["date"].max() - instances["received"]
    assert age.dt.total_seconds().between(-5, 60).all()
    assert instances["transfer_syntax"].str.startswith("1.2.840.10008.1.2").all()


def test_dates_and_numbers_that_are_none_are_missing(client):
    client.create_dicom(None, {"PatientBirthDate": "", "StudyDate": "19991332", "SeriesNumber": "no"}, Force=True)
    assert pd.isna(frames.patients(client).loc[0, "PatientBirthDate"])
    assert pd.isna(frames.studies(client).loc[0, "StudyDate"])
    assert pd.isna(frames.series(client).loc[0, "SeriesNumber"])


def test_an_older_server_lacks_the_time_of_arrival(orthanc):
    class Older:
        url = "http://older"

        def json(self, *_: object, **__: object):
            return [{"ID": "a", "MainDicomTags": {}, "FileSize": 12, "ParentSeries": "b", "Type": "Instance"}]

    client = orthanc_lab.Client.from_server(orthanc)
    client.transport = Older()
    frame = frames.instances(client)
    assert_typed(frame)
    assert frame.loc[0, "size_bytes"] == 12
    assert pd.isna(frame.loc[0, "received"])


def test_every_column_is_described(filled):
    for table in TABLES.values():
        described = frames.describe(table(filled))
        assert described["meaning"].str.len().gt(3).all()
    assert all(column.meaning for column in COLUMNS.values())
    merged = frames.series(filled).merge(
        frames.studies(filled), left_on="parent", right_on="id", suffixes=("", "_study")
    )
    described = frames.describe(merged.assign(**{"7": 1}).rename(columns={"7": 7}))
    assert described.loc[["id_study", 7], "meaning"].tolist() == ["", ""]
    assert described.loc["StudyDate", "meaning"].startswith("DICOM date")
    assert "of the series" in frames.describe(frames.series(filled)).loc["instances", "meaning"]


def test_a_whole_number_of_a_tag_may_be_padded_or_huge():
    frame = typed([" 7", "-3", "+2", "1.5", "9" * 30, None], "InstanceNumber")
    assert frame.tolist()[:3] == [7, -3, 2]
    assert frame.isna().tolist() == [False] * 3 + [True] * 3


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_keep_what_users_add(filled, tmp_path, suffix):
    path = tmp_path / f"frame.{suffix}"
    own = {"age_years": 54.1, "rank": [1, 2, 3], "note": "x", "mean dose": [0.1, np.nan, 1 / 3]}
    local = frames.series(filled).assign(**own)
    local["last_update"] = local["last_update"].dt.tz_convert("Europe/Berlin")
    loaded = frames.load(frames.save(local, path))
    assert (loaded["last_update"] == local["last_update"]).all()
    for name in own:
        pd.testing.assert_series_equal(loaded[name], local[name])
    wide = frames.wide(frames.metrics(filled))
    for frame in (wide, wide.reset_index().set_index("time", drop=False)):
        loaded = frames.load(frames.save(frame, path)).set_index("time")
        pd.testing.assert_frame_equal(loaded, wide, check_names=False, check_freq=False)
        pd.testing.assert_frame_equal(frames.long(frames.load(path)), frames.long(wide))
    for other in (frames.metrics(filled), wide.reset_index(drop=True)):
        with pytest.raises(ValueError, match=r"as frames\.wide returns it"):
            frames.long(other)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", TABLES)
def test_files_keep_values_and_types(orthanc, tmp_path, name, suffix):
    client = orthanc_lab.Client.from_server(orthanc)
    client.upload(samples.path("ct/soft_tissue"))
    next(iter(client.studies)).archive_job().wait()
    frame = TABLES[name](client)
    back = frames.load(frames.save(frame, tmp_path / f"x.{suffix}"))
    assert_typed(back)
    if suffix == "csv":
        text = frame.select_dtypes(["str"]).columns
        frame[text] = frame[text].fillna("")
    pd.testing.assert_frame_equal(frame, back, check_categorical=False)
    assert [item.name for item in tmp_path.iterdir()] == [f"x.{suffix}"]


FORMULAS = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "chest;=1+1", "a\n-b", "'=1", "''@"]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_a_text_becomes_no_formula_in_a_spreadsheet(tmp_path, text, kind):
    path = tmp_path / "x.csv"
    texts = pd.Series([text, "plain"], dtype="object").astype(kind)
    frame = pd.DataFrame({"StudyDescription": texts, "own": texts, text: [-0.5, 1.0], "count": [-1, 2]})
    frames.save(frame, path)
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    with path.open(encoding="utf-8", newline="") as file:
        lines += csv.reader(file, delimiter=";")
    cells = [part for line in lines for cell in line for part in cell.splitlines()]
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\t\uff1d")) and cell[:2] not in ("-0", "-1")] == []
    loaded = frames.load(path)
    assert list(loaded.columns) == list(frame.columns)
    assert loaded["StudyDescription"].tolist() == loaded["own"].tolist() == [text, "plain"]
    assert (loaded[text].tolist(), loaded["count"].tolist()) == ([-0.5, 1.0], [-1, 2])


def test_numbers_and_apostrophes_are_written_as_they_are(tmp_path):
    texts = ["-5", "+1.5", "'tis", "O'Neill", "2024-01-01", ""]
    frames.save(pd.DataFrame({"StudyDescription": texts, "value": [-1.5] * 6}), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text("utf-8").splitlines()[1:] == [f"{text},-1.5" for text in texts]
    assert frames.load(tmp_path / "x.csv")["StudyDescription"].tolist() == texts


@given(st.text(alphabet="='+;\t\r\n-a5.@", max_size=12))
def test_every_text_comes_back_from_a_cell(text):
    assert from_cell(to_cell(text)) == text


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"x\.xlsx"):
        frames.save(pd.DataFrame({"value": [1.0]}), tmp_path / "x.xlsx")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_where_no_file_can_be_is_said_in_words(suffix, tmp_path):
    frame = pd.DataFrame({"value": [1.0]})
    (tmp_path / "file").touch()
    (tmp_path / f"folder.{suffix}").mkdir()
    with pytest.raises(FileNotFoundError, match=r"^The folder .*nowhere does not exist$"):
        frames.save(frame, tmp_path / "nowhere" / f"x.{suffix}")
    with pytest.raises(NotADirectoryError, match=r"file is a file, not a folder$"):
        frames.save(frame, tmp_path / "file" / f"x.{suffix}")
    with pytest.raises(IsADirectoryError, match=rf"folder.{suffix} is a folder, not a file$"):
        frames.save(frame, tmp_path / f"folder.{suffix}")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", f"folder.{suffix}"]
    with pytest.raises(ValueError, match=r"\.parquet or \.csv"):
        frames.load(tmp_path / "x.txt")


CALLS = (
    *(frames.jobs, frames.changes, frames.cluster, frames.events, frames.studies, frames.metrics),
    *(frames.record, frames.JobWatch, frames.Recorder),
)


@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_client_is_told_how_to_make_one(call):
    with pytest.raises(TypeError, match=r"Expected a client, orthanc_lab\.Client\(url\) or .*, not str"):
        call("http://localhost:8042")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_two_that_save_under_one_name_do_not_disturb_each_other(tmp_path, monkeypatch, suffix):
    path, method, saved = tmp_path / f"x.{suffix}", "to_csv" if suffix == "csv" else "to_parquet", []
    written = getattr(pd.DataFrame, method)

    def write(frame, part, **named):
        written(frame, part, **named)
        if not saved:
            saved.append(frame)
            frames.save(pd.DataFrame({"value": [2.0]}), path)

    monkeypatch.setattr(pd.DataFrame, method, write)
    frames.save(pd.DataFrame({"value": [1.0]}), path)
    assert frames.load(path)["value"].tolist() == [1.0]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", ["9" * 5000, "+-5", "\u00b2"])
def test_numbers_that_are_none_are_missing(number):
    assert frames.answers([Answer(None, "", 0, {"InstanceNumber": number})])["InstanceNumber"].isna().all()


def test_the_charts_are_there_as_completion_says():
    code = "from orthanc_lab import frames; print(frames.charts.__name__, hasattr(frames, 'chart'))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "orthanc_lab.frames.charts False\n"
