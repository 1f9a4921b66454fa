"""Changes and exports: rest-core §8."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rest.checks import error_of, is_empty, is_nothing
from tests.rest.conftest import Ids, Rest
from tests.rest.files import dicom_file

# The collection gives: 1 instance, 2 series, 3 study, 4 patient (ALPHA); 5 instance; 6 instance, 7 series;
# 8 instance, 9 series, 10 study; 11 instance, 12 series, 13 study, 14 patient (BETA).
LAST = 14


def numbers(answer: dict[str, Any]) -> list[int]:
    return [change["Seq"] for change in answer["Changes"]]


@pytest.mark.parametrize(
    ("query", "found", "done"),
    [
        ("", range(1, 15), True),
        ("?limit=2", [1, 2], False),
        ("?since=0&limit=2", [1, 2], False),
        ("?since=12", [13, 14], True),
        ("?since=12&limit=2", [13, 14], True),
        ("?since=12&limit=1", [13], False),
        ("?since=100", [], True),
        ("?since=2&limit=0", [], False),
        ("?since=100&limit=0", [], True),
        ("?since=-1&limit=2", [1, 2], False),
        ("?since=x&limit=2", range(1, 15), True),
        ("?since=3&limit=x", range(1, 15), True),
        ("?since=1&limit=-1", [], True),
        ("?last", [14], True),
        ("?last=false&type=NewStudy&limit=5", [14], True),
        ("?type=NewStudy", [3, 10, 13], True),
        ("?type=NewStudy;NewPatient&limit=2", [3, 4], False),
        ("?type=NewStudy;&since=3", [10, 13], True),
        ("?type=", range(1, 15), True),
        ("?type=ModifiedStudy", [], True),
        ("?type=Deleted", [], True),
        ("?type=NewChildInstance", [], True),
        ("?to=3", [1, 2, 3], True),
        ("?to=5&limit=2", [4, 5], False),
        ("?to=100&limit=2", [13, 14], False),
        ("?to=12&type=NewStudy&limit=1", [10], False),
        ("?to=5&since=2", [3, 4, 5], True),
        ("?to=5&since=2&limit=1", [3], False),
        ("?to=5&since=7", [], True),
        ("?to=0", [], True),
        ("?to=-1", range(1, 15), True),
        ("?to=-2", [], True),
        ("?to=-5&since=3", [], True),
        ("?to=-5&limit=x", range(1, 15), True),
        ("?type=All", range(1, 15), True),
        ("?type=all&since=3&limit=2", [4, 5], False),
        ("?to=x", range(1, 15), True),
    ],
)
def test_which_changes(library: Rest, query: str, found: list[int], done: bool) -> None:
    answer = library.json(f"/changes{query}")
    assert (numbers(answer), answer["Done"]) == (list(found), done)
    if found:
        assert (answer["First"], answer["Last"]) == (found[0], found[-1])
    else:
        assert (answer.get("First"), answer["Last"]) == (None, LAST)


@pytest.mark.parametrize("type", ["Foo", "NewStudy,NewPatient", "JobSubmitted", "UpdatedPeers", "ALL"])
def test_unknown_types(library: Rest, type: str) -> None:
    assert error_of(library("GET", f"/changes?type={type}")) == (400, 3, f"Invalid value for a change: {type}")


@pytest.mark.parametrize(
    ("types", "told"), [("Foo;Bar", "Bar"), ("NewStudy;All", "All"), (";NewStudy", ""), ("NewStudy;;", ""), (";", "")]
)
def test_unknown_types_among_several(library: Rest, types: str, told: str) -> None:
    assert error_of(library("GET", f"/changes?type={types}")) == (400, 3, f"Invalid value for a change: {told}")


def test_form_of_a_change(library: Rest, ids: Ids) -> None:
    (change,) = library.json("/changes?since=2&limit=1")["Changes"]
    assert change == {
        "ChangeType": "NewStudy",
        "Date": "20260101T000000",
        "ID": ids["1.1"],
        "Path": f"/studies/{ids['1.1']}",
        "ResourceType": "Study",
        "Seq": 3,
    }


def test_an_upload_logs_from_the_instance_up(library: Rest) -> None:
    changes = library.json("/changes?limit=4")["Changes"]
    assert [change["ChangeType"] for change in changes] == ["NewInstance", "NewSeries", "NewStudy", "NewPatient"]


def test_no_changes(rest: Rest) -> None:
    assert rest.json("/changes") == {"Changes": [], "Done": True, "Last": 0}
    assert rest.json("/changes?last") == {"Changes": [], "Done": True, "Last": 0}


def test_clearing_goes_on_counting(rest: Rest) -> None:
    rest.upload(dicom_file("P", "1", "2", "3"))
    assert is_nothing(rest("DELETE", "/changes"))
    assert rest.json("/changes") == {"Changes": [], "Done": True, "Last": 4}
    rest.upload(dicom_file("P", "1", "2", "4"))
    assert numbers(rest.json("/changes")) == [5]


def test_changes_of_a_deleted_resource_disappear(filled: Rest, ids: Ids) -> None:
    filled("DELETE", f"/patients/{ids['ALPHA']}")
    assert numbers(filled.json("/changes")) == [11, 12, 13, 14]


@pytest.mark.parametrize("query", ["", "?last", "?since=0&limit=0", "?since=x"])
def test_no_exports(library: Rest, query: str) -> None:
    assert library.json(f"/exports{query}") == {"Done": True, "Exports": [], "Last": 0}


def test_who_follows_the_exports_goes_on_from_where_they_ended(library: Rest) -> None:
    assert library.json("/exports?since=3") == {"Done": True, "Exports": [], "Last": 3}
    assert library.json("/exports?since=3&last")["Last"] == 0


class TestExports:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"LogExportedResources": True}

    def test_they_are_listed_and_cleared(self, filled: Rest, ids: Ids) -> None:
        storage = filled.server.services.storage
        storage.log_export(ids["1.1.1"], "PACS")
        storage.log_export(ids["BETA"], "PACS")
        answer = filled.json("/exports?limit=1")
        assert answer == {
            "Done": False,
            "Exports": [
                {
                    "Date": "20260101T000000",
                    "ID": ids["1.1.1"],
                    "Path": f"/series/{ids['1.1.1']}",
                    "PatientID": "ALPHA",
                    "RemoteModality": "PACS",
                    "ResourceType": "Series",
                    "Seq": 1,
                    "SeriesInstanceUID": "1.1.1",
                    "StudyInstanceUID": "1.1",
                }
            ],
            "First": 1,
            "Last": 1,
        }
        assert filled.json("/exports?last")["Exports"][0]["ID"] == ids["BETA"]
        assert is_nothing(filled("DELETE", "/exports"))
        assert filled.json("/exports")["Exports"] == []


@pytest.mark.parametrize(("path", "method"), [("/changes", "PUT"), ("/changes", "POST"), ("/exports", "PUT")])
def test_wrong_verbs(library: Rest, path: str, method: str) -> None:
    answer = library(method, path)
    assert is_empty(answer, 405)
    assert answer.headers["Allow"] == "GET,DELETE"
