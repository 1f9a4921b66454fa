"""Twin tests of users: the marker ``twin`` in test sessions of their own, and the magic ``%%twin``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing import Recorder

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]

TESTS = """
    import orthanc_lab
    import pytest
    from orthanc_lab import samples

    @pytest.fixture
    def client(orthanc):  # each side has its own
        with orthanc_lab.Client.from_server(orthanc) as client:
            client.upload(samples.path("ct/sharp"))
            yield client
            client.studies.find()[0].delete()

    @pytest.mark.twin
    def test_jobs(client):
        new = client.studies.find()[0].anonymize().wait().content["ID"]
        assert client.studies[new].series

    @pytest.mark.twin
    @pytest.mark.parametrize("since", [0, -1])
    def test_pages(orthanc, since):
        orthanc.session.get(f"{orthanc.url}/studies?since={since}&limit=1")

    @pytest.mark.twin
    class TestSettings:
        @pytest.fixture
        def orthanc_settings(self):
            return {"Name": "Twin", "AuthenticationEnabled": True, "RegisteredUsers": {"alice": "secret"}}

        def test_name(self, orthanc):
            assert orthanc.side in ("ours", "real")
            assert orthanc.session.get(f"{orthanc.url}/system").json()["Name"] == "Twin"
            assert not hasattr(orthanc, "services")

    @pytest.mark.twin(ledger="more.toml")
    def test_accepted(orthanc):
        for path in ("studies?since=-1&limit=1", "series?since=-1&limit=1", "changes?since=x"):
            orthanc.session.get(f"{orthanc.url}/{path}")

    @pytest.mark.twin
    def test_requests(orthanc):
        orthanc.session.get(f"{orthanc.url}/{'patients' if orthanc.side == 'ours' else 'studies'}")

    def test_plain(orthanc):
        assert orthanc.services
    """


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test file with this plug-in alone, every warning an error."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(tests: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_mine=tests)
        plugins = ("-p", "no:cacheprovider", "-p", "orthanc_lab.testing.plugin", "--strict-markers")
        return pytester.runpytest_subprocess(*plugins, "-W", "error", *arguments)

    return run


@pytest.mark.real
def test_the_program_orthanc_is_the_other_side(run: Run, real_program: str, pytester: pytest.Pytester) -> None:
    for name, place in (("accepted", "GET /studies*"), ("more", "GET /series*")):
        line = f'[[accepted]]\nscenario = "*::test_accepted"\nexchange = "{place}"\nreason = "a wrong number"\n'
        stale = f'[[accepted]]\nscenario = "*::test_*"\nexchange = "GET /{name}-nothing"\nreason = "stale"\n'
        pytester.path.joinpath(f"{name}.toml").write_text(line + stale)
    found = run(TESTS, "--twin-program", real_program, "--twin-ledger", "accepted.toml")
    found.assert_outcomes(passed=11, failed=2)
    found.stdout.fnmatch_lines_random([
        "This server (ours) and the other one (real): differences: 1; answers compared: 1",
        "    ours: 400 *",
        "    real: 500 *",
        'scenario = "test_mine.py::test_pages"',
        "exchange = '''GET /studies?since=-1&limit=1'''",
        "--- GET /patients",
        "    ours: sent",
        "FAILED test_mine.py::test_pages[[]real--1] *",
        "FAILED test_mine.py::test_requests[[]real] *",
        "*[*]::test_[*]: GET /accepted-nothing: [*]",
        "*[*]::test_[*]: GET /more-nothing: [*]",
    ])  # fmt: skip


def test_a_server_at_an_address_is_the_other_side_and_is_cleaned(run: Run) -> None:
    with orthanc_lab.serve(OverwriteInstances=True) as other:
        run(TESTS, "--twin-url", other.url, "-k", "jobs or pages or plain").assert_outcomes(passed=7)
        for path in ("patients", "jobs"):
            assert other.session.get(f"{other.url}/{path}").json() == []


def test_a_recording_is_the_other_side(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pages.recording"
    with orthanc_lab.serve() as server, Recorder(server.url, path) as proxy:
        server.session.get(f"{proxy.url}/studies?since=0&limit=1")
    found = run(TESTS, "--twin-recording", str(path), "-k", "pages")
    found.assert_outcomes(passed=3, failed=1)
    found.stdout.fnmatch_lines(["The recording does not hold these requests:", "*since=-1*"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--twin-url", "http://"], "not the address of an HTTP server: http://"),
        (["--twin-program", "nothing"], "There is no program nothing"),
        (["--twin-recording", "nothing"], "There is no file nothing"),
        (["--twin-recording", "test_mine.py"], "test_mine.py is not a recording"),
        (["--twin-ledger", "nothing"], "There is no file */nothing"),
        (["--twin-ledger", "test_mine.py"], "*/test_mine.py is not a TOML file: *"),
        (["--twin-url", "a", "--twin-program", "b"], "The other server is at an address, or a program, *"),
    ],
)
def test_an_option_that_cannot_be_used_is_said_once_before_any_test(run: Run, arguments: list[str], words: str) -> None:
    found = run(TESTS, *arguments)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"ERROR: {words}"])
    assert len([line for line in found.errlines if line]) == 1


def test_a_server_that_is_away_and_a_ledger_that_is_missing_fail_with_a_sentence(run: Run) -> None:
    test = "import pytest\n@pytest.mark.twin(ledger='nothing.toml')\ndef test_mine(orthanc):\n    pass\n"
    found = run(test, "--twin-url", "http://127.0.0.1:1")
    found.assert_outcomes(passed=1, errors=1)
    found.stdout.fnmatch_lines(["There is no server at http://127.0.0.1:1: *"])
    with orthanc_lab.serve() as other:
        found = run(test, "--twin-url", other.url)
    found.stdout.fnmatch_lines(["There is no file */nothing.toml"])
    assert "pathlib" not in found.stdout.str()


@pytest.mark.long
def test_a_twin_test_needs_the_fixture(run: Run) -> None:
    found = run("import pytest\n@pytest.mark.twin\ndef test_none():\n    pass\n")
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*a twin test needs the fixture 'orthanc'"])


@pytest.mark.parametrize("given", ["legder='accepted.toml'", "'accepted.toml'"])
def test_what_the_marker_does_not_take(run: Run, given: str) -> None:
    found = run(f"import pytest\n@pytest.mark.twin({given})\ndef test_one(orthanc):\n    pass\n")
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*::test_one: the marker twin takes nothing but ledger=…, the name of a file"])


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "orthanc_lab")
    yield shell
    InteractiveShell.clear_instance()


def cell(shell: InteractiveShell, text: str) -> Any:
    """Run a cell with the magic; return what it gives to be shown, None after an error."""
    words, _, body = text.removeprefix("%%twin").partition("\n")
    shell.user_ns.update(words=words.strip(), body=body)
    shell.run_cell("found = get_ipython().run_cell_magic('twin', words, body)")
    return shell.user_ns.pop("found", None)


CELL = """\
%%twin {where} OverwriteInstances=true
from orthanc_lab import samples
print(client.upload(samples.path("ct/sharp")).stored)
client.transport.get("/system")["OverwriteInstances"]
"""


@pytest.mark.real
def test_a_cell_on_both_servers(shell: InteractiveShell, real_program: str) -> None:
    shell.user_ns["client"] = "mine"
    found = cell(shell, CELL.format(where=""))
    assert found.differences == []
    assert found.exchanges == 2
    assert found.outputs == ["10\nTrue", "10\nTrue"]
    assert shell.user_ns["client"] == "mine"
    assert "url" not in shell.user_ns
    found = cell(shell, '%%twin\nserver.session.get(url + "/studies?since=-1&limit=1").status_code')
    assert found.outputs == ["400", "500"]
    assert [difference.field for one in found.differences for difference in one.differences] == ["status"]
    assert "Differences: 1; answers compared: 1" in found._repr_html_()
    assert "GET /studies?since=-1&amp;limit=1" in found._repr_html_()


def test_a_cell_and_a_server_at_an_address(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with orthanc_lab.serve(Name="<b>other") as other:
        text = f'%%twin --url {other.url}\nprint("<i>")\nclient.transport.get("/system")["Name"]\n1 / 0'
        found = cell(shell, text)
        (one,) = found.differences
        assert [difference.field for difference in one.differences] == ["body $.Name"]
        assert "ZeroDivisionError" in found.outputs[0]
        html = found._repr_html_()
        assert html.count("(the cell failed)") == 2
        assert "<i>" not in html
        assert "<b>other" not in html
        orthanc_lab.Client.from_server(other).upload(samples.path("ct/sharp"))
        cell(shell, f"%%twin --url {other.url}\n1")
        assert "holds studies (1); twin tests need one that is empty" in capsys.readouterr().err
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"damaged")
    for words, said in (
        (f"--recording {damaged}", "damaged is not a recording"),
        (f"--ledger {damaged}", "Expected '=' after a key"),
        ("--url http://127.0.0.1:9", "Connection refused"),
        ("--nope", "unrecognized arguments: --nope"),
        ("Name", "'Name' is no OPTION=VALUE"),
        ("--url x --recording y", "only one of them"),
    ):
        cell(shell, f"%%twin {words}\n1")
        assert said in capsys.readouterr().err
