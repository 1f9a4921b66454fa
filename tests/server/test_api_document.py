"""``--openapi`` names every route that the real Orthanc's does, but for what is known not to be there."""

from __future__ import annotations

import json
import re
from typing import Any

from orthanc_lab.server.api_document import cheat_sheet, openapi
from tests.coverage.observing import REAL, read_json

# Plugins have nothing to bring.
NOT_THERE = re.compile(r"/plugins/explorer\.js")


def routes_of(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(re.sub(r"{[^}]*}", "{}", path), verb) for path, verbs in document["paths"].items() for verb in verbs}


def test_every_route_of_the_real_one() -> None:
    """Of the list that `tests/coverage` compares with the real server."""
    theirs = {
        (re.sub(r"{[^}]*}", "{}", path), verb.lower()) for verb, path in map(str.split, read_json(REAL)["operations"])
    }
    ours = routes_of(json.loads(openapi()))
    missing = theirs - ours
    assert len(theirs) > 200
    assert {route for route in missing if not NOT_THERE.match(route[0])} == set()
    assert {path for path, _ in ours if NOT_THERE.match(path)} == set(), "this is there now: take it off the list"


def test_the_cheat_sheet_has_the_same_routes() -> None:
    lines = cheat_sheet().splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == sorted(json.loads(openapi())["paths"])


def test_every_route_says_what_it_does() -> None:
    said = {
        f"{verb} {path}": described["summary"]
        for path, verbs in json.loads(openapi())["paths"].items()
        for verb, described in verbs.items()
    }
    assert [route for route, summary in said.items() if not summary.endswith(".")] == []
    assert said["get /instances/{id}/preview"] == "Gray values stretched from black to white."
    assert "Pass the request on." not in said.values()
