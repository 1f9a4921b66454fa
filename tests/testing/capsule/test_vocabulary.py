"""The lists of what stays know the words of the REST API, and nothing that looks like a person."""

from __future__ import annotations

import json
import re

import pytest

from orthanc_lab.server.api_document import openapi
from orthanc_lab.testing.capsule.kept_tags import kept_text
from orthanc_lab.testing.capsule.vocabulary import is_field, is_route_word, kept_field_value

PEOPLE = ("MILLER", "Miller", "CT-4711", "4711000123", "1234-5678", "5551-1234", "19610705", "DOE^JANE", "x@y.z")


def test_all_words_of_routes_are_known() -> None:
    words = {word for path in json.loads(openapi())["paths"] for word in path.split("/") if word and "{" not in word}
    assert {word for word in words if not is_route_word(word)} == set()


@pytest.mark.parametrize("text", PEOPLE)
def test_no_list_knows_a_person(text: str) -> None:
    assert not is_field(text)
    assert not is_route_word(text)
    for name in ("State", "Type", "Name", "Size", "Version", "ResponseContent", "PatientName", "Progress", "x"):
        assert not kept_field_value(name, text) or (name == "Size" and re.fullmatch(r"\d+", text))
    for tag in (
        0x00080005,
        0x00080008,
        0x00080060,
        0x00100010,
        0x00100020,
        0x00185100,
        0x00200013,
        0x00290010,
        0x00041500,
    ):
        assert kept_text(tag, text) is None
