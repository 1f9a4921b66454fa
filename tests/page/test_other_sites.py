"""Pages of other sites, in a real browser: they can neither change anything, nor show the page, nor pass for ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import orthanc_lab
from tests.page.browser import Browser

# Each sends something, and is true once the browser has an answer, or has given up.
ATTACKS = {
    "fetch": """fetch("{url}/tools/create-dicom", {{method: "POST", mode: "no-cors", credentials: "include",
        body: '{{"Tags": {{}}}}'}}).then(() => true, () => true)""",
    "image": """new Promise((done) => {{ const image = new Image(); image.onload = image.onerror = () => done(true);
        image.src = "{url}/changes?_method=DELETE"; }})""",
    "form": """new Promise((done) => {{
        document.body.innerHTML = `<iframe name="answer"></iframe><form method="post" enctype="text/plain"
          action="{url}/tools/create-dicom" target="answer"><input name='{{"Tags":{{}},"x":"' value='"}}'></form>`;
        const frame = document.querySelector("iframe");
        frame.onload = () => done(true); document.querySelector("form").submit(); }})""",
    "form with a verb": """new Promise((done) => {{
        document.body.innerHTML = `<iframe name="answer"></iframe><form action="{url}/changes" target="answer">
          <input name="_method" value="DELETE"></form>`;
        document.querySelector("iframe").onload = () => done(true); document.querySelector("form").submit(); }})""",
}


class Blank(BaseHTTPRequestHandler):
    """A page without anything, which the attacks are put into."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>attacker</title><body>")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def attacker() -> Iterator[int]:
    """Port of another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def visit(browser: Browser, address: str) -> None:
    browser.open("about:blank")
    browser.until("location.href == 'about:blank'")
    browser.open(address)
    browser.until("document.readyState == 'complete' && document.title == 'attacker'")


def state(server: orthanc_lab.Server) -> tuple[int, int]:
    """Return how many instances and changes there are."""
    instances = server.session.get(f"{server.url}/instances").json()
    return len(instances), server.session.get(f"{server.url}/changes").json()["Last"]


def with_one_instance(server: orthanc_lab.Server) -> tuple[int, int]:
    server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}}).raise_for_status()
    return state(server)


@pytest.mark.parametrize("site", ["localhost", "127.0.0.1"], ids=["another site", "another port"])
def test_what_another_page_sends_changes_nothing(browser: Browser, attacker: int, site: str) -> None:
    with orthanc_lab.serve() as server:
        before = with_one_instance(server)
        for attack in ATTACKS.values():
            visit(browser, f"http://{site}:{attacker}/")
            assert browser.evaluate(attack.format(url=server.url))
            assert state(server) == before


def test_passwords_that_the_browser_knows(browser: Browser, attacker: int) -> None:
    """It sends them across sites: what is allowed to write does, all others do not."""
    users = {"alice": "secret"}
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers=users) as server:
        before = with_one_instance(server)
        for allowed in ([], [f"http://127.0.0.1:{attacker}"]):
            server.restart({"AuthenticationEnabled": True, "RegisteredUsers": users, "HttpAllowedOrigins": allowed})
            browser.open(f"http://alice:secret@127.0.0.1:{server.port}/app/explorer.html")
            browser.until("location.pathname == '/app/explorer.html' && document.getElementById('study-list') != null")
            visit(browser, f"http://127.0.0.1:{attacker}/")
            assert browser.evaluate(ATTACKS["fetch"].format(url=server.url))
            assert state(server)[0] == before[0] + len(allowed)


def test_a_frame_of_another_site_stays_empty(browser: Browser, attacker: int) -> None:
    with orthanc_lab.serve() as server:
        visit(browser, f"http://localhost:{attacker}/")
        browser.evaluate(f"""new Promise((done) => {{
            document.body.innerHTML = '<iframe src="{server.url}/app/explorer.html"></iframe>';
            document.querySelector("iframe").onload = () => done(true); }})""")
        frames = [one for one in browser.call("Target.getTargets")["targetInfos"] if one["type"] == "iframe"]
        session = browser.call("Target.attachToTarget", targetId=frames[0]["targetId"], flatten=True)["sessionId"]
        page = browser.evaluate("[document.title, document.body.innerText, location.href].join()", session)
        assert "Studies" not in page


def test_a_frame_of_the_same_site_shows_the_page(browser: Browser) -> None:
    with orthanc_lab.serve() as server:
        browser.open(f"{server.url}/app/explorer.html")
        browser.until("document.getElementById('study-list') != null")
        browser.evaluate(f"""new Promise((done) => {{ const frame = document.createElement("iframe");
            frame.onload = () => done(true); frame.src = "{server.url}/app/explorer.html";
            document.body.append(frame); }})""")
        assert browser.evaluate("document.querySelector('iframe').contentDocument.getElementById('study-list') != null")
        made = (
            """fetch("/tools/create-dicom", {method: "POST", body: '{"Tags": {}}'}).then((answer) => answer.status)"""
        )
        assert browser.evaluate(made) == 200


def test_a_name_that_was_made_to_point_here(browser: Browser) -> None:
    with orthanc_lab.serve() as server:
        for path in ("/patients", "/app/explorer.html"):
            browser.open(f"http://attacker.example:{server.port}{path}")
            assert browser.until("location.host.startsWith('attacker') && document.body?.innerText").startswith("{")
            assert '"HttpStatus" : 403' in browser.evaluate("document.body.innerText")
