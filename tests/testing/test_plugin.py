"""The pytest plug-in, tested as a user has it: in test sessions of their own."""

import re
from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def run(pytester, monkeypatch):
    """Run a test file with this plug-in alone, every warning an error."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(text, *arguments):
        pytester.makepyfile(text)
        plugins = ("-p", "no:cacheprovider", "-p", "orthanc_lab.testing.plugin")
        return pytester.runpytest_subprocess(*plugins, "-W", "error", *arguments)

    return run


UPLOAD = """
    from pathlib import Path
    from pydicom.data import get_testdata_file
    import pytest

    FILE = Path(get_testdata_file("CT_small.dcm")).read_bytes()

    def upload(server):
        assert server.session.post(f"{server.url}/instances", data=FILE).status_code == 200
"""


def test_each_test_has_a_clean_server(run):
    result = run(
        UPLOAD
        + """
    @pytest.mark.parametrize("time", range(3))
    def test_upload(orthanc, time):
        assert orthanc.session.get(f"{orthanc.url}/instances").json() == []
        assert orthanc.session.get(f"{orthanc.url}/changes").json()["Last"] == 0
        upload(orthanc)
        study = orthanc.session.get(f"{orthanc.url}/studies").json()[0]
        orthanc.session.post(f"{orthanc.url}/studies/{study}/archive", json={"Asynchronous": True})

    def test_no_jobs(orthanc):
        assert orthanc.session.get(f"{orthanc.url}/jobs").json() == []
        assert orthanc.session.get(f"{orthanc.url}/tools/metrics-prometheus").text.count("written_bytes") == 0

    def test_one_server_for_all(orthanc):
        URLS.add(orthanc.url)

    def test_one_server_for_all_again(orthanc):
        URLS.add(orthanc.url)
        assert len(URLS) == 1

    URLS = set()
    """
    )
    result.assert_outcomes(passed=6)


def test_settings_are_overridden_in_a_module_or_a_class(run):
    result = run(
        """
    import pytest

    @pytest.fixture
    def orthanc_settings():
        return {"Name": "module"}

    def name(server):
        return server.session.get(f"{server.url}/system").json()["Name"]

    def test_module(orthanc):
        assert name(orthanc) == "module"

    class TestClass:
        @pytest.fixture
        def orthanc_settings(self):
            return {"Name": "class", "AuthenticationEnabled": True, "RegisteredUsers": {"a": "b"}}

        def test_class(self, orthanc):
            assert name(orthanc) == "class"

    def test_module_again(orthanc):
        assert name(orthanc) == "module"
    """
    )
    result.assert_outcomes(passed=3)


def test_a_factory_for_further_servers(run):
    result = run(
        UPLOAD
        + """
    FOLDERS = []

    def test_two(orthanc_factory, orthanc, tmp_path):
        one, two = orthanc_factory(Name="one"), orthanc_factory({"Name": "two"}, folder=tmp_path)
        assert len({one.url, two.url, orthanc.url}) == 3
        upload(one)
        assert two.session.get(f"{two.url}/instances").json() == []
        FOLDERS.append(one.folder)

    def test_they_have_ended():
        assert not FOLDERS[0].exists()
    """
    )
    result.assert_outcomes(passed=2)


BREAK = """
    def broken(*_, **__):
        raise ZeroDivisionError("inside of the server")

    def make_an_error(server, monkeypatch):
        monkeypatch.setattr(server.services.storage, "list_ids", broken)
        assert server.session.get(f"{server.url}/studies").status_code == 500
"""


@pytest.mark.parametrize("fixture", ["orthanc", "orthanc_factory"])
def test_errors_inside_come_back_into_the_test(run, fixture):
    server = fixture if fixture == "orthanc" else f"{fixture}()"
    result = run(
        BREAK
        + f"""
    def test_error(monkeypatch, {fixture}):
        make_an_error({server}, monkeypatch)

    def test_the_next_one_is_not_blamed(orthanc):
        assert orthanc.session.get(f"{{orthanc.url}}/studies").json() == []
    """
    )
    result.assert_outcomes(passed=2, errors=1)
    output = result.stdout.str()
    assert "ZeroDivisionError: inside of the server" in output
    assert re.search(r'File ".*browse\.py", line \d+', output)  # the traceback from in there
    assert "Errors inside the Orthanc server" in output


def test_an_error_that_the_test_expects(run):
    result = run(
        BREAK
        + """
    def test_error(monkeypatch, orthanc):
        make_an_error(orthanc, monkeypatch)
        assert str(orthanc.errors.pop()) == "inside of the server"
    """
    )
    result.assert_outcomes(passed=1)


def test_a_server_that_a_test_stops_is_replaced(run):
    result = run(
        """
    import time

    def test_shutdown(orthanc):
        orthanc.session.post(f"{orthanc.url}/tools/shutdown")
        while orthanc.is_running:
            time.sleep(0.001)

    def test_stop(orthanc):
        orthanc.stop()

    def test_next(orthanc):
        assert orthanc.session.get(f"{orthanc.url}/studies").json() == []
    """
    )
    result.assert_outcomes(passed=3)


def test_it_costs_nothing_where_it_is_not_used(run):
    result = run(
        """
    import sys

    def test_nothing():
        assert not [name for name in sys.modules if name.startswith("orthanc_lab.") and "testing" not in name]
    """
    )
    result.assert_outcomes(passed=1)


def test_pytest_finds_it_by_itself():
    (entry,) = entry_points(group="pytest11", name="orthanc_lab")
    assert entry.load().orthanc


def test_the_fixtures_are_listed(run):
    result = run("def test_nothing(): ...", "--fixtures")
    for fixture in ("orthanc", "orthanc_factory", "orthanc_settings"):
        result.stdout.re_match_lines([rf"{fixture} -- .*"])
