"""Hostile input gets a documented answer: no traceback, no undocumented 500, nothing stored by half.

With ``--long`` there are 20,000 cases a run (``--cases``), after which the server may have grown by 40 MiB. They are
the same at each run, so that a red run can be looked at; ``--fuzz-random`` draws new ones.
"""

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import orthanc_lab
from orthanc_lab.protocol.errors import ERROR_TEXTS
from tests.create.creator import data_uri
from tests.fuzz import hostile
from tests.memory.test_memory import memory

pytestmark = pytest.mark.timeout(1800)  # the long run
FUZZ = settings.get_profile("fuzz")
# 500 with these codes is what the real server answers to bad input; any other 500 is a fault of ours.
DOCUMENTED_500 = {-1, 2, 4, 6, 9, 22, 23, 24, 27}


class Content(bytes):
    """Bytes whose description stays short in a message."""

    def __repr__(self):
        return f"<{len(self)} bytes, {bytes(self[:16])!r} …>"


GROWTH = 40  # MiB that the long run may leave in a server


@pytest.fixture(scope="module")
def server(request):
    """A server in this process; in the long run, one of its own, whose memory can be measured."""
    if not request.config.getoption("--long") or sys.platform != "linux":
        with orthanc_lab.in_process(HttpRequestTimeout=5) as server:
            yield server
        return
    with orthanc_lab.serve(process=True, HttpRequestTimeout=5, MaximumStorageCacheSize=0) as server:
        for picture in hostile.PICTURES:  # what is imported stays
            uri = data_uri(picture, "image/png" if picture[:4] == b"\x89PNG" else "image/jpeg")
            server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}, "Content": uri})
        for patient in server.session.get(f"{server.url}/patients").json():
            server.session.delete(f"{server.url}/patients/{patient}")
        server.session.get(f"{server.url}/app/images/unsupported.png")
        before = memory(server)
        yield server
        growth = memory(server) - before
        print(f"grown by {growth:.0f} MiB")
        assert growth <= GROWTH


def ask(server, method, path, **options):
    answer = server.session.request(method, server.url + path, allow_redirects=False, **options)
    assert not server.errors, server.errors
    if answer.status_code >= 400:
        assert "Traceback" not in answer.text
        if answer.text and not answer.text.startswith("Error 400"):
            error = json.loads(answer.text)
            assert error["OrthancStatus"] in ERROR_TEXTS
            if answer.status_code == 500:
                assert error["OrthancStatus"] in DOCUMENTED_500, error
    return answer


def check_stored(server, answer):
    """What was stored is whole: its bytes come back, every view of it is answered, and it can be deleted."""
    documents = answer.json() if isinstance(answer.json(), list) else [answer.json()]
    try:
        for document in documents:
            instance = document["Path"]
            for part in ("", "/file", "/metadata?expand"):
                assert ask(server, "GET", instance + part).status_code == 200, part
            # A file may be whole as a file and broken as a data set: then its views are refused in words.
            for part in ("/tags", "/simplified-tags", "/header", "/content", "/frames", "/preview", "/pdf"):
                ask(server, "GET", instance + part)
    finally:
        for document in documents:
            ask(server, "DELETE", document["Path"])
    statistics = ask(server, "GET", "/statistics").json()
    assert (statistics["CountPatients"], statistics["TotalDiskSize"]) == (0, "0")


@FUZZ
@given(content=hostile.damaged(hostile.FILES).map(Content))
def test_dicom(server, content):
    answer = ask(server, "POST", "/instances", data=content)
    assert answer.status_code in (200, 400, 404)
    if answer.status_code == 200 and content:
        check_stored(server, answer)


@FUZZ
@given(content=hostile.zips().map(Content))
def test_zip(server, content):
    answer = ask(server, "POST", "/instances", data=content)
    assert answer.status_code in (200, 400, 404)
    if answer.status_code == 200:
        check_stored(server, answer)


JSON_ROUTES = [
    "/tools/find",
    "/tools/count-resources",
    "/tools/bulk-content",
    "/tools/bulk-delete",
    "/tools/lookup",
    "/tools/create-dicom",
    "/tools/create-archive",
    "/tools/create-media",
    "/tools/create-media-extended",
    "/tools/bulk-modify",
    "/tools/bulk-anonymize",
    "/tools/reconstruct",
    "/jobs/x/cancel",
]


@FUZZ
@given(path=st.sampled_from(JSON_ROUTES), body=hostile.bodies())
def test_json_bodies(server, path, body):
    answer = ask(server, "POST", path, data=body)
    if answer.status_code == 200 and path == "/tools/create-dicom":
        check_stored(server, answer)


@FUZZ
@given(uri=hostile.data_uris(), array=st.booleans())
def test_data_uris(server, uri, array):
    body = {"Tags": {"PatientName": "Fuzz"}, "Content": [uri, uri] if array else uri}
    answer = ask(server, "POST", "/tools/create-dicom", json=body)
    if answer.status_code == 200:
        for instance in ask(server, "GET", "/instances").json():
            tags = ask(server, "GET", f"/instances/{instance}/tags")
            ask(server, "DELETE", f"/instances/{instance}")
            assert tags.status_code == 200


@FUZZ
@given(parts=hostile.paths, query=hostile.queries, method=st.sampled_from(["GET", "DELETE", "PUT", "POST"]))
def test_paths(server, parts, query, method):
    path = "/" + "/".join(parts)
    if path.rstrip("/").endswith(("/tools/reset", "/tools/shutdown")):
        return
    ask(server, method, path, params=query, data=b"1" if method in ("PUT", "POST") else None)


@FUZZ
@given(wrapped=hostile.wrapped())
def test_wrapped_uploads(server, wrapped):
    content, headers = wrapped
    answer = ask(server, "POST", "/instances", data=content, headers=headers)
    assert answer.status_code in (200, 400, 404, 500)
    if answer.status_code == 200 and content:
        check_stored(server, answer)


@FUZZ
@given(parts=hostile.paths, headers=hostile.header_values, method=st.sampled_from(["GET", "PUT", "POST"]))
def test_headers(server, parts, headers, method):
    path = "/" + "/".join(parts)
    if not path.rstrip("/").endswith(("/tools/reset", "/tools/shutdown")):
        ask(server, method, path, headers=headers, data=b"1" if method != "GET" else None)


@FUZZ
@given(tags=hostile.values, query=hostile.values)
def test_values(server, tags, query):
    answer = ask(server, "POST", "/tools/create-dicom", json={"Tags": tags})
    if answer.status_code == 200:
        check_stored(server, answer)
    ask(server, "POST", "/tools/find", json={"Level": "Study", "Query": query})


def test_the_server_still_works(server):
    assert ask(server, "GET", "/system").json()["Version"] == "1.12.7"
