"""What web pages of other sites make browsers send: writes and foreign names are refused, all else is answered."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
import requests

import orthanc_lab

Ask = Callable[..., requests.Response]
WRITES = [
    ("POST", "/tools/create-dicom"),
    ("POST", "/tools/find"),
    ("PUT", "/tools/metrics"),
    ("DELETE", "/changes"),
    ("GET", "/changes?_method=DELETE"),
    ("GET", "/tools/metrics?a=b&_method=put"),
]
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://attacker.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://attacker.example"},
    {"Origin": "http://attacker.example:{port}"},
    {"Origin": "http://127.0.0.1:3000"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:{port}.attacker.example"},
    {"Origin": "http://127.0.0.1:{port}@attacker.example"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:{port}"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy.example"},  # whatever a proxy makes of Host
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://127.0.0.1:{port}"},
    {"Origin": "HTTP://127.0.0.1:{port}"},
    {"Origin": "http://localhost:{port}", "Host": "localhost:{port}"},
    {"Origin": "https://pacs.example", "Host": "pacs.example"},  # proxies with and without their port
    {"Origin": "https://pacs.example:8443", "Host": "pacs.example:8443"},
    {"Origin": "http://pacs.example:8080", "Host": "pacs.example"},
    {"Origin": "https://pacs.example", "X-Forwarded-Host": "pacs.example"},
]


def asker(server: orthanc_lab.Server) -> Ask:
    def ask(method: str, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        filled = {name: value.format(port=server.port) for name, value in (headers or {}).items()}
        return server.session.request(method, server.url + path, data=b"0", headers=filled, timeout=10)

    return ask


def served(**options: object) -> Iterator[Ask]:
    with orthanc_lab.serve(**options) as server:
        yield asker(server)


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    yield from served()


@pytest.fixture(scope="module")
def ask_with_password() -> Iterator[Ask]:
    yield from served(AuthenticationEnabled=True, RegisteredUsers={"alice": "secret"})


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_what_another_site_may_not_do(
    ask: Ask, ask_with_password: Ask, method: str, path: str, headers: dict[str, str]
) -> None:
    for answer in (ask(method, path, headers), ask_with_password(method, path, headers)):
        assert answer.status_code == 403
        assert answer.json()["OrthancStatus"] == 45
        assert "HttpAllowedOrigins" in answer.json()["Details"]
        assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("headers", OWN, ids=str)
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_what_all_others_may_do(ask: Ask, method: str, path: str, headers: dict[str, str]) -> None:
    assert ask(method, path, headers).status_code in (200, 400)  # these bodies are right for some of them


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("path", ["/system", "/tools/now?_method=", "/app/explorer.html", "/nope"])
def test_reading_is_for_the_browser_to_allow(ask: Ask, path: str, headers: dict[str, str]) -> None:
    assert ask("GET", path, headers).status_code in (200, 404)


@pytest.mark.parametrize("name", ["attacker.example", "127.0.0.1.attacker.example", "xlocalhost", "localhost.example"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/patients"), ("GET", "/app/explorer.html"), *WRITES])
def test_a_name_that_was_made_to_point_here(
    ask: Ask, ask_with_password: Ask, method: str, path: str, name: str
) -> None:
    answer = ask(method, path, {"Host": f"{name}:{{port}}", "Origin": f"http://{name}:{{port}}"})
    assert answer.status_code == 403
    assert answer.json()["OrthancStatus"] == 45
    # Such a page does not have the password of another name.
    assert ask_with_password("GET", "/system", {"Host": f"{name}:{{port}}"}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}", "localhost.:{port}", "study.localhost:{port}",
     "[::1]:{port}", "192.168.1.5:{port}", socket.gethostname() + ":{port}", "pacs.example", "pacs.example:443",
     "orthanc:8042", "", "localhost"],
)  # fmt: skip
def test_names_of_this_machine_and_of_proxies(ask: Ask, host: str) -> None:
    assert ask("GET", "/system", {"Host": host}).status_code == 200


def test_names_with_remote_access() -> None:
    """Other machines may have any name for this one."""
    for ask in served(RemoteAccessAllowed=True, AuthenticationEnabled=False):
        assert ask("GET", "/system", {"Host": "pacs.example:{port}"}).status_code == 200


@pytest.mark.parametrize("allowed", [["https://viewer.example", "http://app.example:3000/"], ["*"]])
def test_origins_that_are_allowed(allowed: list[str]) -> None:
    for ask in served(HttpAllowedOrigins=allowed):
        for origin in ("https://viewer.example", "http://app.example:3000"):
            headers = {"Sec-Fetch-Site": "cross-site", "Origin": origin}
            assert ask("DELETE", "/changes", headers).status_code == 200
        assert ask("GET", "/system", {"Host": "app.example:{port}"}).status_code == 200
        other = ask("DELETE", "/changes", {"Sec-Fetch-Site": "cross-site", "Origin": "http://viewer.example"})
        assert other.status_code == (200 if allowed == ["*"] else 403)


def test_errors_without_words() -> None:
    for ask in served(HttpDescribeErrors=False):
        assert ask("DELETE", "/changes", {"Sec-Fetch-Site": "cross-site"}).content == b""


def test_the_page_is_shown_in_no_frame_of_others(ask: Ask) -> None:
    for path in ("/app/explorer.html", "/app/explorer.js"):
        headers = ask("GET", path).headers
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["Content-Security-Policy"] == "frame-ancestors 'self'"


def test_without_a_socket_any_name_is_right() -> None:
    with orthanc_lab.in_process() as server:
        assert server.session.get(f"{server.url}/system").status_code == 200
