"""Who may come in, which verb and path are meant: on our server and on the real one."""

import base64
from functools import partial

import pytest
import requests

import orthanc_lab
from orthanc_lab.server.embedding.wsgi_transport import WsgiTransport
from orthanc_lab.testing.real import RealOrthanc

GET, POST, PUT, DELETE = "GET", "POST", "PUT", "DELETE"
USERS = {"bob": "pass:word", "élise": "é", "empty": ""}


def basic(user, password):
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Basic {token}"


class Ours:
    def __init__(self, **options):
        self.server = orthanc_lab.serve(options)
        self.url = self.server.url

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()


@pytest.fixture(scope="module", params=["ours", pytest.param("real", marks=pytest.mark.real)])
def make(request):
    if request.param == "real":
        request.getfixturevalue("real_program")
        return partial(RealOrthanc, KeepAliveTimeout=60)  # a pause of a busy machine closes no connection
    return Ours


@pytest.fixture(scope="module")
def plain(make):
    with make() as server, requests.Session() as session:
        yield lambda method, path, **options: ask(session, server.url, method, path, **options)


@pytest.fixture(scope="module")
def locked(make):
    with make(AuthenticationEnabled=True, RegisteredUsers=USERS) as server, requests.Session() as session:
        yield lambda method, path, **options: ask(session, server.url, method, path, **options)


def ask(session, url, method, path, **options):
    request = session.prepare_request(requests.Request(method, url, **options))
    request.method = method
    request.url = url + path  # as they are: requests would bring them into another form
    return session.send(request, allow_redirects=False, timeout=10)


def is_empty(answer):
    return answer.content == b"" and "Content-Type" not in answer.headers and answer.headers["Content-Length"] == "0"


# -- verbs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        (PUT, "/studies", "GET"),
        (POST, "/system", "GET"),
        (DELETE, "/instances", "GET,POST"),
        (POST, "/jobs/x", "GET,DELETE"),
        (PUT, "/jobs/x/y", "GET,DELETE"),
        (PUT, "/jobs/x/cancel", "GET,POST,DELETE"),
        (GET, "/tools/find", "POST"),
        (GET, "/tools/reset", "POST"),
        (DELETE, "/tools/metrics", "GET,PUT"),
        (POST, "/instances/x/metadata/1024", "GET,PUT,DELETE"),
        (POST, "/app/explorer.html", "GET"),
    ],
)
def test_another_verb(plain, method, path, allow):
    answer = plain(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allow
    assert is_empty(answer)


@pytest.mark.parametrize("path", ["/system", "/nope", "/"])
@pytest.mark.parametrize(
    ("method", "status"),
    [
        *[(method, 404) for method in ("HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "MKCOL", "LOCK", "UNLOCK")],
        *[(method, 400) for method in ("PATCH", "COPY", "MOVE", "REPORT")],
    ],
)
def test_verbs_that_are_not_served(plain, method, status, path):
    answer = plain(method, path)
    assert answer.status_code == status
    assert is_empty(answer)


@pytest.mark.parametrize("method", ["TRACE", "FOO", "get", "SEARCH"])
def test_verbs_that_nobody_knows(plain, method):
    answer = plain(method, "/system")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content == b"Error 400: Bad Request\nBad request"
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("method", [GET, POST, PUT, DELETE, "HEAD", "OPTIONS", "PATCH", "PROPFIND"])
@pytest.mark.parametrize("override", ["DELETE", "delete", "PUT", "GET", "POST", "FOO", ""])
def test_method_override(plain, method, override):
    answer = plain(method, "/series", headers={"X-HTTP-Method-Override": override})
    if override.upper() in (PUT, DELETE):
        assert answer.status_code == 405
    elif override == "" and method in (GET, POST, PUT, DELETE):
        assert answer.status_code == (200 if method == GET else 405)
        return
    else:
        assert answer.status_code == (404 if method in ("HEAD", "OPTIONS", "PROPFIND") else 400)
    assert is_empty(answer)


def test_method_in_the_query_is_none(plain):
    assert plain(POST, "/studies/x?_method=DELETE").status_code == 405


# -- paths ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/nope", "/nope"),
        ("/nope/", "/nope/"),
        ("/nope//x/", "/nope/x/"),
        ("/nope?a=b", "/nope"),
        ("/caf%C3%A9", "/café"),
        ("/caf%E9", "/caf\ufffd"),
        ("/a%0Ab", "/a\nb"),
        ("/a%00b", "/a"),
        ("/a%2F%2Fb", "/a/b"),
        ("/a%5Cb", "/a/b"),
        ("/studies/../nope/x", "/nope/x"),
        ("/nope/./x", "/nope/x"),
        ("/nope/x.", "/nope/x"),
        ("/nope/...", "/nope/"),
        ("/nope/.hidden", "/nope/.hidden"),
        ("/..nope", "/..nope"),
        ("/nope//..//x", "/nope/x"),
        ("/x/../../nope/..//y/", "/y/"),
        ("/tools/foo", "/tools/foo"),
    ],
)
def test_unknown_paths(plain, path, uri):
    answer = plain(GET, path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content.startswith(b'{\n\t"HttpError" : "Not Found",\n\t"HttpStatus" : 404,\n')
    assert answer.json() == {
        "HttpError": "Not Found",
        "HttpStatus": 404,
        "Message": "Unknown resource",
        "Method": "GET",
        "OrthancError": "Unknown resource",
        "OrthancStatus": 17,
        "Uri": uri,
    }


@pytest.mark.parametrize(
    "path", ["/studies", "//studies", "/studies/", "/%73tudies", "/./studies", "/x/../studies//", "/studies/x/.."]
)
def test_one_path_in_many_forms(plain, path):
    answer = plain(GET, path)
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("path", ["/", "//", "/.", "/x/.."])
def test_the_root_leads_to_the_page(plain, path):
    answer = plain(GET, path)
    assert answer.status_code == 307
    assert answer.headers["Location"] == "app/explorer.html"
    assert is_empty(answer)


@pytest.mark.parametrize("path", ["/app", "/app/", "/app/nope", "/app/a/b"])
def test_no_such_file_of_the_page(plain, path):
    answer = plain(GET, path)
    assert answer.status_code == 404
    assert is_empty(answer)


def test_without_the_page(make):
    with make(OrthancExplorerEnabled=False) as server, requests.Session() as session:
        for path in ("/", "/app/explorer.html"):
            answer = ask(session, server.url, GET, path)
            assert answer.status_code == 404
            assert answer.json()["OrthancStatus"] == 17
            assert answer.json()["Uri"] == path


def test_without_descriptions(make):
    with make(HttpDescribeErrors=False) as server, requests.Session() as session:
        assert is_empty(ask(session, server.url, GET, "/nope"))
        answer = ask(session, server.url, PUT, "/tools/metrics", data="x")
        assert answer.status_code == 400
        assert is_empty(answer)


# -- authentication -------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [basic("bob", "pass:word"), basic("élise", "é")],
)
def test_right_credentials(locked, header):
    assert locked(GET, "/system", headers={"Authorization": header}).status_code == 200


def test_nobody_needs_no_password(make, locked):
    # Stricter than the real server: a variable that is not set leaves an empty password in the configuration.
    answer = locked(GET, "/system", headers={"Authorization": basic("empty", "")})
    assert answer.status_code == (401 if make is Ours else 200)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        basic("bob", "wrong"),
        basic("bob", ""),
        basic("eve", "pass:word"),
        basic("", ""),
        basic("BOB", "pass:word"),
        "Basic " + base64.b64encode(b"bob").decode(),
        basic("bob", "pass:word").replace("Basic", "basic"),
        basic("bob", "pass:word").replace("Basic ", "Basic  "),
        basic("bob", "pass:word").replace("Basic", "Bearer"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [(GET, "/system"), (GET, "/nope"), (GET, "/"), ("HEAD", "/system")])
def test_wrong_credentials(locked, header, method, path):
    answer = locked(method, path, headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Orthanc Secure Area"'
    assert is_empty(answer)


@pytest.mark.parametrize("method", ["TRACE", "FOO"])
def test_unknown_verbs_come_before_credentials(locked, method):
    assert locked(method, "/system").status_code == 400


def test_nobody_is_registered(make):
    with make(AuthenticationEnabled=True) as server, requests.Session() as session:
        header = {"Authorization": basic("orthanc", "orthanc")}
        assert ask(session, server.url, GET, "/system", headers=header).status_code == 401


def test_remote_access_asks_for_the_default_user(make):
    with make(RemoteAccessAllowed=True) as server, requests.Session() as session:
        assert ask(session, server.url, GET, "/system").status_code == 401
        header = {"Authorization": basic("orthanc", "orthanc")}
        answer = ask(session, server.url, GET, "/system", headers=header)
        assert answer.json()["IsHttpServerSecure"] is False


# -- ReadOnly -------------------------------------------------------------------------

NO_WRITING = "The DB is trying to execute a ReadWrite transaction while Orthanc has been started in ReadOnly mode."


@pytest.fixture(scope="module")
def read_only(make):
    with make(ReadOnly=True) as server, requests.Session() as session:
        yield lambda method, path, **options: ask(session, server.url, method, path, **options)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (POST, "/instances"),
        *[(DELETE, f"/{level}/x") for level in ("patients", "studies", "series", "instances")],
        (PUT, "/patients/x/protected"),
        *[(method, f"/studies/x/{kind}/1024") for method in (PUT, DELETE) for kind in ("attachments", "labels")],
    ],
)
def test_verbs_that_read_only_takes_away(read_only, method, path):
    answer = read_only(method, path, data="{}")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    "path",
    [
        *("/tools/bulk-delete", "/tools/reconstruct", "/tools/invalidate-tags"),
        *("/studies/x/reconstruct", "/studies/x/attachments/1024/compress", "/studies/x/attachments/1024/uncompress"),
    ],
)
def test_paths_that_read_only_takes_away(read_only, path):
    answer = read_only(POST, path, data="{}")
    assert answer.json()["OrthancStatus"] == 17


@pytest.mark.parametrize(
    ("method", "path"), [(POST, "/tools/create-dicom"), (DELETE, "/changes"), (DELETE, "/exports")]
)
def test_writing_read_only(read_only, method, path):
    answer = read_only(method, path, data='{"Tags" : {}}')
    assert answer.status_code == 500
    assert answer.json()["OrthancStatus"] == 22
    assert answer.json()["Details"] == NO_WRITING


# -- remote clients, and what only our own server can be asked --------------------------


def test_a_form_is_not_acknowledged_where_its_files_are_refused() -> None:
    form = {"Content-Type": "multipart/form-data; boundary=cut"}
    with orthanc_lab.serve(ReadOnly=True) as server:
        data = b"--cut\r\n\r\nfile\r\n--cut--\r\n"
        answer = requests.post(f"{server.url}/instances", data=data, headers=form, timeout=30)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"


def test_remote_clients_are_refused():
    with orthanc_lab.in_process() as server, requests.Session() as session:
        session.mount("http://", WsgiTransport(server.application, remote_address="192.0.2.1"))
        answer = session.get("http://orthanc/system")
        assert answer.status_code == 403
        assert is_empty(answer)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1"])
def test_loopback_clients_are_not(address):
    with orthanc_lab.in_process() as server, requests.Session() as session:
        session.mount("http://", WsgiTransport(server.application, remote_address=address))
        assert session.get("http://orthanc/system").status_code == 200


def test_remote_clients_are_served_if_allowed():
    options = {"RemoteAccessAllowed": True, "AuthenticationEnabled": False}
    with orthanc_lab.in_process(options) as server, requests.Session() as session:
        session.mount("http://", WsgiTransport(server.application, remote_address="192.0.2.1"))
        assert session.get("http://orthanc/system").status_code == 200
