"""Every route with every verb and hopeless input: one shape of errors, and nothing unexpected inside."""

import json
import re
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

import orthanc_lab
from orthanc_lab.protocol.errors import ERROR_TEXTS
from orthanc_lab.rest.application import ROUTES

FIELD = re.compile(r"\{(\w+)(?::\w+)?\}")
TEMPLATES = sorted({template for template, _ in ROUTES} - {"/tools/reset", "/tools/shutdown"})
VERBS = ("GET", "POST", "PUT", "DELETE")
BODIES = (b"", b"{}", b"[]", b"null", b"x", b'{"Resources" : [1]}', b"\xff\x00")
RESTS = ("nope", "0", "99999999999999999999", "-1", "0010-0010", "1024")
KEYS = {"Details", "HttpError", "HttpStatus", "Message", "Method", "OrthancError", "OrthancStatus", "Uri"}


@pytest.fixture(scope="module")
def step(pytestconfig):
    """Of bodies and rests of a path, the usual run takes every third one."""
    return 1 if pytestconfig.option.long else 3


@pytest.fixture(scope="module")
def server():
    with orthanc_lab.in_process() as server:
        file = Path(get_testdata_file("CT_small.dcm")).read_bytes()
        uploaded = server.session.post(f"{server.url}/instances", data=file).json()
        server.known = {
            "instances": uploaded["ID"],
            "series": uploaded["ParentSeries"],
            "studies": uploaded["ParentStudy"],
            "patients": uploaded["ParentPatient"],
        }
        yield server


def check(server, verb, path, body):
    with server.session.request(verb, server.url + path, data=body, stream=True, allow_redirects=False) as answer:
        content = answer.content
    where = f"{verb} {path} {body!r}: {answer.status_code} {content[:300]!r}"
    errors = [repr(error) for error in server.errors]
    server.errors.clear()
    assert not errors, f"{where}: {errors}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff", where
    if answer.status_code < 400:
        return answer
    if not content:
        assert "Content-Type" not in answer.headers, where
        return answer
    assert answer.headers["Content-Type"] == "text/plain", where
    error = json.loads(content)
    assert set(error) | {"Details"} == KEYS, where
    assert error["HttpStatus"] == answer.status_code, where
    assert error["Method"] == verb, where
    assert error["Uri"] == path, where
    assert error["OrthancError"] == error["Message"] == ERROR_TEXTS[error["OrthancStatus"]], where
    assert error.get("Details") != "", where
    return answer


@pytest.mark.parametrize("template", TEMPLATES)
def test_unknown_resources(server, template, step):
    path = FIELD.sub("nope", template)
    for verb in VERBS:
        for body in BODIES[::step] if verb in ("POST", "PUT") else (b"",):
            check(server, verb, path, body)


@pytest.mark.parametrize("template", [template for template in TEMPLATES if FIELD.search(template)])
def test_known_resources_and_hopeless_rest(server, template, step):
    level = template.split("/")[1]
    if level not in server.known:
        return
    for rest in RESTS[::step]:
        names = iter([server.known[level]])
        path = FIELD.sub(lambda _, names=names, rest=rest: next(names, rest), template)
        check(server, "GET", path, b"")
        for body in BODIES[::step]:
            if not path.endswith(("/modify", "/anonymize", "/split", "/merge")) or body not in (b"{}",):
                check(server, "POST", path, body)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_wrong_verb_names_the_right_ones(server, template):
    path = FIELD.sub("nope", template)
    for verb in VERBS:
        answer = check(server, verb, path, b"x")
        if answer.status_code == 405:
            allowed = answer.headers["Allow"].split(",")
            assert allowed
            assert verb not in allowed
            assert set(allowed) <= set(VERBS)
