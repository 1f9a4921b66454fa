"""Labels and protection: rest-core §6 and §5."""

from __future__ import annotations

import pytest

from tests.rest.checks import error_of, is_empty, is_nothing
from tests.rest.conftest import Ids, Rest

RULE = (
    "A label must be a non-empty, alphanumeric string, possibly with '_' or '-' characters, "
    "with maximum 64 characters, but got: "
)


@pytest.mark.parametrize("level", ["patients/<ALPHA>", "studies/<1.1>", "series/<1.1.1>", "instances/<1.1.1.1>"])
def test_add_list_remove(filled: Rest, ids: Ids, level: str) -> None:
    path = ids.fill(f"/{level}")
    assert filled.json(f"{path}/labels") == []
    for label in ("b_2", "A-1", "a" * 64, "A-1"):
        assert is_nothing(filled("PUT", f"{path}/labels/{label}", b"whatever"))
    assert filled.json(f"{path}/labels") == ["A-1", "a" * 64, "b_2"]
    assert filled.json(path)["Labels"] == ["A-1", "a" * 64, "b_2"]
    assert filled.json("/tools/labels") == ["A-1", "a" * 64, "b_2"]
    assert is_nothing(filled("GET", f"{path}/labels/b_2"))
    assert is_nothing(filled("DELETE", f"{path}/labels/b_2"))
    assert is_empty(filled("GET", f"{path}/labels/b_2"), 404)
    assert is_nothing(filled("DELETE", f"{path}/labels/b_2"))
    assert filled.json("/tools/labels") == ["A-1", "a" * 64]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    ("written", "label"), [("a%20b", "a b"), ("a.b", "a.b"), ("%C3%A9", "é"), ("x" * 65, "x" * 65), ("a%0A", "a\n")]
)
def test_names_refused(library: Rest, ids: Ids, method: str, written: str, label: str) -> None:
    answer = library(method, f"/studies/{ids['1.1']}/labels/{written}")
    assert error_of(answer) == (400, 3, RULE + label)


@pytest.mark.parametrize("id", ["nope", "<1.1.1>"])
def test_unknown_resources(library: Rest, ids: Ids, id: str) -> None:
    path = ids.fill(f"/studies/{id}/labels")
    assert error_of(library("GET", path)) == (404, 17, "")
    for method in ("GET", "PUT", "DELETE"):
        assert error_of(library(method, f"{path}/x")) == (404, 17, "")


def test_a_strange_name_is_just_absent(library: Rest, ids: Ids) -> None:
    assert is_empty(library("GET", f"/studies/{ids['1.1']}/labels/a.b"), 404)


def test_labels_log_no_change(filled: Rest, ids: Ids) -> None:
    before = filled.json("/changes?last")
    filled("PUT", f"/studies/{ids['1.1']}/labels/x")
    assert filled.json("/changes?last") == before


def test_protection(filled: Rest, ids: Ids) -> None:
    path = f"/patients/{ids['ALPHA']}/protected"
    assert filled("GET", path).text == "0"
    for body, shown in (("1", "1"), ("0", "0"), ("true", "1"), ("false", "0"), (" 1 ", "1")):
        assert is_nothing(filled("PUT", path, body))
        assert filled("GET", path).text == shown


@pytest.mark.parametrize("body", ["", "2", "TRUE", "yes"])
def test_protection_takes_booleans(library: Rest, ids: Ids, body: str) -> None:
    for id in (ids["ALPHA"], "nope"):
        answer = library("PUT", f"/patients/{id}/protected", body)
        assert error_of(answer) == (400, 15, "Boolean value expected")


@pytest.mark.parametrize("id", ["nope", "<1.1>"])
def test_protection_of_no_patient(library: Rest, ids: Ids, id: str) -> None:
    path = ids.fill(f"/patients/{id}/protected")
    assert error_of(library("GET", path)) == (400, 3, "")
    assert error_of(library("PUT", path, "1")) == (400, 3, "")
