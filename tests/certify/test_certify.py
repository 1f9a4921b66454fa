"""``orthanc-lab certify``: what differs from Orthanc 1.12.7, on any server, without harm to it."""

from __future__ import annotations

import doctest
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.server.command_line import main
from orthanc_lab.testing.certify import certification
from orthanc_lab.testing.certify.certification import Certification
from orthanc_lab.testing.certify.expected import Expected, digest
from orthanc_lab.testing.certify.fitting import misfit
from orthanc_lab.testing.certify.junit import junit
from orthanc_lab.testing.certify.results import GONE, Certificate, Compared, ScenarioResult
from orthanc_lab.testing.certify.target import Target, TargetError
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.scenarios import LEDGER, SCENARIOS
from orthanc_lab.testing.scenarios.bodies.files import slice_of, written

EVERYTHING = ("/patients", "/studies", "/series", "/instances", "/jobs", "/peers", "/modalities")
SOME = ["browse-"]
"""Parts of the names of the scenarios of the usual run: they read and delete."""


@pytest.fixture(scope="module")
def expected() -> Expected:
    return Expected.read()


def test_the_recorded_answers_are_those_of_the_scenarios(expected: Expected) -> None:
    fitting = {scenario.name: digest(scenario) for scenario in SCENARIOS if not misfit(scenario)}
    found = {name: entry.digest for name, entry in expected.scenarios.items()}
    assert found == fitting, "run `python -m tests.certify.record`"
    assert expected.version == "1.12.7"
    assert len(found) >= 130


def test_nearly_all_answers_can_be_compared_on_a_server_that_has_a_past(expected: Expected) -> None:
    steps = [step for entry in expected.scenarios.values() for step in entry.steps]
    assert len(steps) >= 5500
    assert sum("the past" in step.depends for step in steps) <= len(steps) // 40
    assert sum(step.shortened for step in steps) <= 100


@pytest.mark.real
@pytest.mark.parametrize("only", [SOME, pytest.param([], marks=pytest.mark.long)])
def test_the_real_server_has_no_difference(real_program: str, only: list[str], expected: Expected) -> None:
    with RealOrthanc(DicomServerEnabled=True) as real:
        for _ in range(2):  # also when it has a past
            certificate = Certification(real.url, only=only, expected=expected).run()
            assert [str(one) for result in certificate.results for one in result.differing] == []
            assert certificate.compared >= (5000 if not only else 200)
            assert certificate.left == []
        for path in EVERYTHING:
            assert requests.get(real.url + path, timeout=30).json() == []


@pytest.mark.parametrize("only", [SOME, pytest.param([], marks=pytest.mark.long)])
def test_this_server_differs_in_what_its_ledger_lists(only: list[str], expected: Expected) -> None:
    with orthanc_lab.serve() as server:
        certificate = Certification(server.url, only=only, expected=expected, accepted=Ledger.read(LEDGER)).run()
        assert [str(one) for result in certificate.results for one in result.differing] == []
        assert certificate.accepted >= 1
        assert certificate.left == []
        strict = Certification(server.url, only=["browse-paging-errors"], expected=expected).run()
        assert dict(strict.fields()) == {"status": 2}
        for path in EVERYTHING:
            assert server.session.get(server.url + path).json() == []


def test_options_that_are_set_take_away_what_depends_on_them(expected: Expected) -> None:
    users = {"AuthenticationEnabled": True, "RegisteredUsers": {"alice": "secret"}}
    with orthanc_lab.serve(Name="other", OverwriteInstances=True, **users) as server:
        with pytest.raises(TargetError, match="wants a user name and a password"):
            Certification(server.url, expected=expected)
        address = server.url.replace("//", "//alice:secret@")
        one = Certification(address, only=["upload-again"], expected=expected)
        assert one.options == {
            "AuthenticationEnabled": "true",
            "Name": '"other"',
            "OverwriteInstances": "true",
        }
        assert "secret" not in one.plan()
        certificate = one.run()
        assert "the answer depends on OverwriteInstances, which is not at its default" in certificate.skipped
        assert certificate.differing == 0


def test_studies_jobs_settings_peers_stay_as_they_were(expected: Expected) -> None:
    with orthanc_lab.serve(OrthancPeers={"one": ["http://127.0.0.1:1/"]}, JobsHistorySize=100) as server:
        client = orthanc_lab.Client.from_server(server)
        client.upload(samples.path("ct/sharp"))
        server.session.put(f"{server.url}/tools/default-encoding", "Utf8")
        client.studies.find()[0].anonymize().wait()
        before = {path: server.session.get(server.url + path).json() for path in EVERYTHING}
        with pytest.raises(TargetError, match="holds 2 studies"):
            Certification(server.url, expected=expected)
        names = ["system-default-encoding", "browse-deletion", "peers-configuration", "changes", "jobs-success"]
        one = Certification(server.url, only=names, expected=expected, among_studies=True)
        certificate = one.run()
        after = {path: server.session.get(server.url + path).json() for path in EVERYTHING}
        assert set(before.pop("/jobs")) <= set(after.pop("/jobs"))  # those of synchronous requests have no name
        assert after == before
        assert server.session.get(f"{server.url}/tools/default-encoding").text == "Utf8"
        assert certificate.left == []
        assert "the answer tells of the studies that the server held before" in certificate.skipped
        assert set(certificate.not_run) == {
            "change peers, of which the server has some",
            "clear the logs of changes and exports",
            "need a peer or a DICOM node that the configuration names",
        }


def test_a_server_that_recycles_or_holds_the_same_patients_is_refused(expected: Expected) -> None:
    with orthanc_lab.serve(MaximumStorageSize=100) as server:
        client = orthanc_lab.Client.from_server(server)
        client.upload(samples.path("ct/sharp"))
        with pytest.raises(TargetError, match="may delete some to make room"):
            Certification(server.url, expected=expected, among_studies=True)
    with orthanc_lab.serve(ReadOnly=True) as server, pytest.raises(TargetError, match="is read-only"):
        Certification(server.url, expected=expected)
    with orthanc_lab.serve() as server:
        server.session.post(f"{server.url}/instances", written(slice_of("P1", "7", "8", 1)))
        with pytest.raises(TargetError, match="patients that the scenarios upload: bdaf1eca-"):
            Certification(server.url, expected=expected, among_studies=True)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    html, junit = tmp_path / "report.html", tmp_path / "report.xml"
    words = ["--only", "browse-paging-errors", "--html", str(html), "--junit", str(junit), "--only", "limits-wild"]
    with orthanc_lab.serve() as server:
        assert main(["certify", server.url, *words]) == 255
        said = capsys.readouterr()
        assert "It is sent 17 requests in 1 scenarios" in said.out
        assert "--yes says that it may be done" in said.err
        assert not html.exists()
        assert main(["certify", server.url, "--yes", *words]) == 1
        assert "browse-paging-errors: 2 of 17 answers differ" in capsys.readouterr().out
        monkeypatch.setenv("ORTHANC_URL", server.url)
        assert main(["certify", "--yes", "--accept", "orthanc-lab", "--only", "browse-paging-errors"]) == 0
        assert "no difference (17 answers compared)" in capsys.readouterr().out
    page = html.read_text("utf-8")
    assert "2 of 17 answers differ" in page
    assert "GET /studies?since=-1&amp;limit=1" in page
    (suite,) = ET.fromstring(junit.read_text("utf-8"))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "1")
    assert "GET /studies?since=-1&limit=1" in (suite.findtext(".//failure") or "")
    assert suite.find(".//skipped") is not None


def test_what_compared_nothing_is_not_green(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    html, junit = tmp_path / "page.html", tmp_path / "junit.xml"
    with orthanc_lab.serve() as server:
        for words in (["--only", "nothinglikeit"], ["--only", "nothinglikeit", "--only", "browse-paging-errors"]):
            assert main(["certify", server.url, "--among-studies", "--yes", *words]) == 255
            assert "No scenario's name contains 'nothinglikeit'; the names begin with an" in capsys.readouterr().err
        words = ["--only", "limits-wild", "--html", str(html), "--junit", str(junit)]
        assert main(["certify", server.url, "--yes", *words]) == 255
    assert "nothing was compared (0 answers compared)" in capsys.readouterr().out
    assert "<b>Nothing was compared.</b>" in html.read_text("utf-8")
    (suite,) = ET.fromstring(junit.read_text("utf-8"))
    assert (suite.get("tests"), suite.get("errors"), suite.get("skipped")) == ("2", "1", "1")
    assert [error.get("message") for error in suite.iter("error")] == ["nothing was compared"]


def test_a_server_that_goes_away_does_not_pass() -> None:
    same = (ScenarioResult("one", compared=(Compared("GET /studies"),)),)
    gone = ScenarioResult("two", not_run=GONE)
    assert Certificate("http://here", "1.12.7", {}, results=same).passed
    cut = Certificate("http://here", "1.12.7", {}, results=[*same, gone])
    assert not cut.passed
    assert "the server stopped answering (1 answer compared)" in str(cut)
    assert 'errors="1"' in junit(cut)


def test_what_is_no_orthanc_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for address, words in (
        ("ftp://alice:secret@here", "not the address of an HTTP server: here"),
        ("http://alice:secret@here:99999", "not the address of an HTTP server: here:99999"),
        ("http://[here", "not the address of an HTTP server: http://[here"),
        ("http://127.0.0.1:9", "There is no server at http://127.0.0.1:9"),
    ):
        assert main(["certify", address, "--yes"]) == 255
        said = capsys.readouterr().err
        assert words in said
        assert "secret" not in said
    damaged = tmp_path / "answers"
    damaged.write_bytes(b"damaged")
    with pytest.raises(ValueError, match="does not hold recorded answers"):
        Expected.read(damaged)


def test_nothing_that_a_server_says_controls_the_terminal():
    evil, tamed = "a\x1b]0;title\x07", "a\ufffd]0;title\ufffd"
    assert str(Compared(evil)) == f"--- {tamed}"
    assert f"left on the server: {tamed}" in str(Certificate("http://here", "1.12.7", {}, results=[], left=[evil]))


class Rogue(BaseHTTPRequestHandler):
    """Looks like an empty Orthanc, answers nonsense, and is gone after some requests."""

    left = 120

    def do_GET(self) -> None:
        type(self).left -= 1
        if self.left < 0:
            self.close_connection = True
            return
        lists = ("/patients", "/studies", "/jobs", "/peers", "/modalities")
        body = {"/system": b'{"ApiVersion": 27}', "/tools/now": b"20260101T000000"}.get(self.path, b"PK\3\4\xff{[")
        self.send_response(200)
        self.send_header("Content-Type", "application/json; \x01<b>")
        self.end_headers()
        self.wfile.write(b"[]" if self.path in lists else body)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def rogue() -> Iterator[str]:
    Rogue.left = 120
    with ThreadingHTTPServer(("127.0.0.1", 0), Rogue) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_nonsense_is_a_difference_and_a_server_that_goes_away_ends_it(
    rogue: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html, junit = tmp_path / "page.html", tmp_path / "junit.xml"
    assert main(["certify", rogue, "--yes", "--only", "tags-", "--html", str(html), "--junit", str(junit)]) == 1
    assert "come after the server stopped answering" in capsys.readouterr().out
    ET.fromstring(junit.read_text("utf-8"))
    assert "<b>" not in html.read_text("utf-8").replace("<b>", "", 2).partition("<pre>")[2]


def test_the_clock_and_the_zone_of_the_server_do_not_count(expected: Expected) -> None:
    clock = orthanc_lab.ManualClock(datetime(2031, 3, 4, 23, 59, tzinfo=timezone(timedelta(hours=5, minutes=30))))
    with orthanc_lab.serve(clock=clock) as server:
        names = ["upload-tree", "create-bodies", "modify-levels", "jobs-success", "system-tools"]
        certificate = Certification(server.url, only=names, expected=expected, accepted=Ledger.read(LEDGER)).run()
        assert [str(one) for result in certificate.results for one in result.differing] == []


def test_the_examples_run() -> None:
    assert doctest.testmod(certification, optionflags=doctest.ELLIPSIS) == (0, 2)


def test_addresses() -> None:
    target = Target.at("https://alice:p%40ss@example.org/orthanc/", verify=False)
    assert (target.url, target.authorization) == ("https://example.org/orthanc", "Basic YWxpY2U6cEBzcw==")
    assert "p@ss" not in repr(Target.at("localhost:8042"))
