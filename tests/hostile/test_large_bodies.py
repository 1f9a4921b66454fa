"""Megabytes of brackets, one key of megabytes: every resource that reads JSON has an answer for it.

With ``--full-size`` (or ``--long``) they are ten megabytes, else two.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

import orthanc_lab
from tests.hostile.asking import ask, refusal

ROUTES = [
    "/tools/find", "/tools/count-resources", "/tools/bulk-content", "/tools/bulk-delete", "/tools/lookup",
    "/tools/create-dicom", "/tools/create-archive", "/tools/create-media", "/tools/create-media-extended",
    "/tools/bulk-modify", "/tools/bulk-anonymize", "/tools/reconstruct", "/instances",
    "{instance}/modify", "{instance}/anonymize", "{series}/archive", "{series}/media", "{study}/modify",
    "{study}/split", "{study}/merge",
]  # fmt: skip
BODIES: dict[str, Callable[[int], bytes]] = {
    "opened lists": lambda size: b"[" * size,
    "lists": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "opened objects": lambda size: b'{"Tags":' * (size // 8),
    "key": lambda size: b'{"%b":1}' % (b"k" * size),
    "text": lambda size: b'"' + b"k" * size,
    "number": lambda size: b"1" * size,
}


@pytest.fixture
def size(pytestconfig: pytest.Config) -> int:
    return 10_000_000 if pytestconfig.getoption("--full-size") else 2_000_000


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
def test_whole_bodies(server: orthanc_lab.ChildServer, routes: list[str], name: str, size: int) -> None:
    body = BODIES[name](size)
    for route in routes:
        answer = ask(server, "POST", route, data=body)
        assert answer.status_code == 200 or refusal(answer)[0] in (400, 404, 500), route


def test_keys_where_names_of_tags_belong(server: orthanc_lab.ChildServer, routes: list[str], size: int) -> None:
    key = b"k" * size
    fields = [b'"%b":{"%b":"x"}' % (name, key) for name in (b"Tags", b"Query", b"Replace")]
    fields += [b'"Level":"Study","Force":true', *(b'"%b":["%b"]' % (name, key) for name in (b"Resources", b"Series"))]
    body = b"{" + b",".join(fields) + b"}"
    for route in routes:
        answer = ask(server, "POST", route, data=body)
        assert answer.status_code == 200 or refusal(answer)[0] in (400, 404, 500), route
