"""Look-up and bulk operations: rest-core §7."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rest.checks import error_of, is_empty, is_nothing
from tests.rest.conftest import Ids, Rest
from tests.rest.files import dicom_file


@pytest.mark.parametrize(
    ("body", "level", "name"),
    [
        ("ALPHA", "Patient", "ALPHA"),
        ("alpha", "Patient", "ALPHA"),
        (" ALPHA ", "Patient", "ALPHA"),
        ("1.1", "Study", "1.1"),
        ("1.1.1", "Series", "1.1.1"),
        ("1.1.1.1", "Instance", "1.1.1.1"),
    ],
)
def test_lookup(library: Rest, ids: Ids, body: str, level: str, name: str) -> None:
    plural = {"Patient": "patients", "Study": "studies", "Series": "series", "Instance": "instances"}[level]
    expected = {"ID": ids[name], "Path": f"/{plural}/{ids[name]}", "Type": level}
    assert library("POST", "/tools/lookup", body).json() == [expected]


@pytest.mark.parametrize("body", ["", "nope", "A1", '"ALPHA"', "ALPHA\\BETA", "ALPH_", "\xff"])
def test_lookup_of_nothing(library: Rest, body: str) -> None:
    assert library("POST", "/tools/lookup", body.encode("latin-1")).content == b"[]"


def test_lookup_takes_no_wildcards(library: Rest) -> None:
    expected = (400, 3, "Wildcards are not allowed on tag 0010,0020")
    assert error_of(library("POST", "/tools/lookup", "ALPH*")) == expected


def test_lookup_finds_all_levels(rest: Rest) -> None:
    rest.upload(dicom_file("7", "7", "7", "7"))
    found = rest("POST", "/tools/lookup", "7").json()
    assert [match["Type"] for match in found] == ["Patient", "Study", "Series", "Instance"]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"Resources": ["<1.1>", "nope", "<2.1.1>"]}, ["1.1", "2.1.1"]),
        ({"Resources": ["<1.1>", "<1.1>"]}, ["1.1", "1.1"]),
        ({"Resources": []}, []),
        ({"Resources": ["<1.1>", "<1.1.1>", "<1.1.1.1>"], "Level": "Study"}, ["1.1"]),
        ({"Resources": ["<1.1>"], "Level": "Patient"}, ["ALPHA"]),
        ({"Resources": ["<BETA>", "nope"], "Level": "instances"}, ["2.1.1.1"]),
    ],
)
def test_bulk_content(library: Rest, ids: Ids, fields: dict[str, Any], names: list[str]) -> None:
    body = {**fields, "Resources": [ids.fill(id) for id in fields["Resources"]]}
    found = library.json("/tools/bulk-content", body)
    assert [ids.name(resource["ID"]) for resource in found] == names
    assert all("Metadata" in resource for resource in found)
    plain = library.json("/tools/bulk-content", {**body, "Metadata": False})
    assert [resource["ID"] for resource in plain] == [resource["ID"] for resource in found]
    assert not any("Metadata" in resource for resource in plain)


def test_bulk_content_has_the_usual_form(library: Rest, ids: Ids) -> None:
    path = f"/series/{ids['1.1.1']}"
    body = {"Resources": [ids["1.1.1"]], "Metadata": False}
    assert library.json("/tools/bulk-content", body) == [library.json(path)]
    assert library.json("/tools/bulk-content", {**body, "Short": True}) == [library.json(f"{path}?short")]
    assert library.json("/tools/bulk-content", {**body, "Full": True}) == [library.json(f"{path}?full")]
    expected = {**library.json(path), "Metadata": library.json(f"{path}/metadata?expand")}
    assert library.json("/tools/bulk-content", {"Resources": [ids["1.1.1"]]}) == [expected]


NO_LIST = (400, 15, "List of strings expected in field: Resources")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, NO_LIST),
        ({"Resources": "x"}, NO_LIST),
        ({"Resources": [1]}, NO_LIST),
        ([], (400, 8, "The body must contain a JSON object")),
        ("", (400, 8, "The body must contain a JSON object")),
    ],
)
@pytest.mark.parametrize("path", ["/tools/bulk-content", "/tools/bulk-delete"])
def test_bodies_refused(library: Rest, path: str, body: Any, expected: tuple[int, int, str]) -> None:
    assert error_of(library("POST", path, body)) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"Metadata": 1}, (400, 15, "Boolean value expected in field: Metadata")),
        ({"Short": 1}, (400, 15, "Boolean value expected in field: Short")),
        ({"Full": "x"}, (400, 15, "Boolean value expected in field: Full")),
        ({"Level": 1}, (400, 15, "String value expected in field: Level")),
        ({"Level": "Foo"}, (400, 3, "Invalid resource type 'Foo'")),
    ],
)
def test_bulk_content_fields_refused(
    library: Rest, ids: Ids, field: dict[str, Any], expected: tuple[int, int, str]
) -> None:
    assert error_of(library("POST", "/tools/bulk-content", {"Resources": [ids["1.1"]], **field})) == expected


def test_bulk_delete(filled: Rest, ids: Ids) -> None:
    body = {"Resources": ["nope", ids["1.1"], ids["1.1.1"], ids["BETA"]]}
    assert is_nothing(filled("POST", "/tools/bulk-delete", body))
    assert ids.names(filled.json("/studies")) == {"1.2"}
    assert is_nothing(filled("POST", "/tools/bulk-delete", {"Resources": []}))


def test_bulk_delete_of_a_bad_list_deletes_nothing(filled: Rest, ids: Ids) -> None:
    assert error_of(filled("POST", "/tools/bulk-delete", {"Resources": [ids["1.1"], 1]})) == NO_LIST
    assert len(filled.json("/studies")) == 3


@pytest.mark.parametrize("path", ["/tools/lookup", "/tools/bulk-content", "/tools/bulk-delete", "/tools/find"])
def test_wrong_verbs(library: Rest, path: str) -> None:
    answer = library("GET", path)
    assert is_empty(answer, 405)
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
def test_what_is_asked_for_again_and_again_is_the_same_text(library: Rest, ids: Ids, accept: str) -> None:
    """A request of 500 kB may ask for the same series 10,000 times."""

    def answer(*names: str) -> Any:
        return library("POST", "/tools/bulk-content", {"Resources": [ids[name] for name in names]}, Accept=accept)

    once, other, often = answer("1.1"), answer("1.1.2"), answer("1.1", "1.1.2", "1.1")
    assert often.headers["Content-Type"] == once.headers["Content-Type"]
    assert int(often.headers["Content-Length"]) == len(often.content)
    if accept == "application/json":
        assert often.json() == [*once.json(), *other.json(), *once.json()]
        assert often.text == f"[{once.text[1:-2]},{other.text[1:-2]},{once.text[1:-2]}\n]"
    else:
        item, other_item = (one.text.partition("<root>\n")[2].partition("</root>")[0] for one in (once, other))
        assert often.text.partition("<root>\n")[2] == f"{item}{other_item}{item}</root>\n"
