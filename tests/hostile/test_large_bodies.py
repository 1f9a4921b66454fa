"""Ten megabytes of brackets, one key of ten megabytes: every resource that reads JSON has an answer for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import orthanc_lab
from tests.hostile.asking import ask, refusal

SIZE = 10_000_000
ROUTES = [
    "/tools/find", "/tools/count-resources", "/tools/bulk-content", "/tools/bulk-delete", "/tools/lookup",
    "/tools/create-dicom", "/tools/create-archive", "/tools/create-media", "/tools/create-media-extended",
    "/tools/bulk-modify", "/tools/bulk-anonymize", "/tools/reconstruct", "/instances",
    "{instance}/modify", "{instance}/anonymize", "{series}/archive", "{series}/media", "{study}/modify",
    "{study}/split", "{study}/merge",
]  # fmt: skip
BODIES: dict[str, Callable[[], bytes]] = {
    "opened lists": lambda: b"[" * SIZE,
    "lists": lambda: b"[" * (SIZE // 2) + b"]" * (SIZE // 2),
    "opened objects": lambda: b'{"Tags":' * (SIZE // 8),
    "key": lambda: b'{"%b":1}' % key(),
    "text": lambda: b'"' + key(),
    "number": lambda: b"1" * SIZE,
}


def key() -> bytes:
    return b"k" * SIZE


def in_fields() -> bytes:
    fields = [b'"%b":{"%b":"x"}' % (name, key()) for name in (b"Tags", b"Query", b"Replace")]
    fields += [b'"Level":"Study","Force":true', *(b'"%b":["%b"]' % (name, key()) for name in (b"Resources", b"Series"))]
    return b"{" + b",".join(fields) + b"}"


@pytest.fixture
def routes(server: orthanc_lab.ChildServer) -> list[str]:
    made = ask(server, "POST", "/tools/create-dicom", json={"Tags": {"PatientID": "large"}}).json()
    names = {
        "instance": made["Path"],
        "series": f"/series/{made['ParentSeries']}",
        "study": f"/studies/{made['ParentStudy']}",
    }
    return [route.format(**names) for route in ROUTES]


@pytest.mark.parametrize("name", BODIES)
def test_whole_bodies(server: orthanc_lab.ChildServer, routes: list[str], name: str) -> None:
    body = BODIES[name]()
    for route in routes:
        answer = ask(server, "POST", route, data=body)
        assert answer.status_code == 200 or refusal(answer)[0] in (400, 404, 500), route


def test_keys_where_names_of_tags_belong(server: orthanc_lab.ChildServer, routes: list[str]) -> None:
    body = in_fields()
    for route in routes:
        answer = ask(server, "POST", route, data=body)
        assert answer.status_code == 200 or refusal(answer)[0] in (400, 404, 500), route
