"""The pytest plug-in, tested as a user has it: in test sessions of their own."""

import re
from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def run(pytester, monkeypatch):
    """Run a test file with this plug-in alone, every warning an error."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(*arguments, **files):
        pytester.makepyfile(**files)
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


EACH_TEST_HAS_A_CLEAN_SERVER = (
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

SETTINGS_ARE_OVERRIDDEN_IN_A_MODULE_OR_A_CLASS = """
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

    class TestPaths:
        @pytest.fixture
        def orthanc_settings(self, tmp_path):
            return {"StorageDirectory": tmp_path / "files"}

        def test_path(self, orthanc, tmp_path):
            assert orthanc.folder == tmp_path / "files"
    """

SETTINGS_ARE_PARAMETERS = """
    import pytest

    @pytest.mark.parametrize("orthanc_settings", [{"Name": "one"}])
    def test_direct(orthanc):
        assert orthanc.session.get(f"{orthanc.url}/system").json()["Name"] == "one"

    @pytest.mark.parametrize("orthanc_settings", [{"Name": "two"}], indirect=True)
    def test_indirect(orthanc):
        assert orthanc.session.get(f"{orthanc.url}/system").json()["Name"] == "two"
    """

A_FACTORY_FOR_FURTHER_SERVERS = (
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

BREAK = """
    def broken(*_, **__):
        raise ZeroDivisionError("inside of the server")

    def make_an_error(server, monkeypatch):
        monkeypatch.setattr(server.services.storage, "list_ids", broken)
        assert server.session.get(f"{server.url}/studies").status_code == 500
"""

AN_ERROR_THAT_THE_TEST_EXPECTS = (
    BREAK
    + """
    def test_error(monkeypatch, orthanc):
        make_an_error(orthanc, monkeypatch)
        assert str(orthanc.errors.pop()) == "inside of the server"
    """
)

A_SERVER_THAT_A_TEST_STOPS_IS_REPLACED = """
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


def test_what_the_fixtures_promise(run):
    result = run(
        "-v",
        test_clean=EACH_TEST_HAS_A_CLEAN_SERVER,
        test_settings=SETTINGS_ARE_OVERRIDDEN_IN_A_MODULE_OR_A_CLASS,
        test_parameters=SETTINGS_ARE_PARAMETERS,
        test_factory=A_FACTORY_FOR_FURTHER_SERVERS,
        test_expected_error=AN_ERROR_THAT_THE_TEST_EXPECTS,
        test_stopped=A_SERVER_THAT_A_TEST_STOPS_IS_REPLACED,
    )
    result.assert_outcomes(passed=18)


def an_error_inside(fixture):
    server = fixture if fixture == "orthanc" else f"{fixture}()"
    return (
        BREAK
        + f"""
    def test_error(monkeypatch, {fixture}):
        make_an_error({server}, monkeypatch)

    def test_the_next_one_is_not_blamed(orthanc):
        assert orthanc.session.get(f"{{orthanc.url}}/studies").json() == []
    """
    )


def test_errors_inside_come_back_into_the_test(run):
    fixtures = ("orthanc", "orthanc_factory")
    result = run(**{f"test_{fixture}": an_error_inside(fixture) for fixture in fixtures})
    result.assert_outcomes(passed=4, errors=2)
    output = result.stdout.str()
    for part in re.split(r"_ ERROR at teardown of test_error _+", output)[1:]:
        assert "ZeroDivisionError: inside of the server" in part
        assert re.search(r'File ".*browse\.py", line \d+', part)  # the traceback from in there
        assert "Errors inside the Orthanc server" in part
    assert len(re.findall("_ ERROR at teardown of test_error _", output)) == 2


def test_settings_that_are_no_dictionary(run):
    result = run(
        test_file="""
    import pytest

    @pytest.fixture
    def orthanc_settings():
        {"Name": "forgotten"}

    def test_name(orthanc):
        pass
    """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*The fixture orthanc_settings must return a dictionary of options, not None"])


def test_it_costs_nothing_where_it_is_not_used(run):
    result = run(
        test_file="""
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
    result = run("--fixtures", test_file="def test_nothing(): ...")
    for fixture in ("orthanc", "orthanc_factory", "orthanc_settings"):
        result.stdout.re_match_lines([rf"{fixture} -- .*"])


FAULTS = """
    import pytest
    import requests

    def get(server):
        return requests.get(f"{server.url}/system").status_code

    BUSY = "503 without Retry-After"

    @pytest.mark.parametrize("orthanc_faults", [BUSY, {"name": BUSY, "nth": 2}, [BUSY]], indirect=True)
    def test_in_force_from_the_beginning(orthanc, orthanc_faults):
        assert 503 in [get(orthanc), get(orthanc)]

    def test_switched_off_at_the_end(orthanc, orthanc_faults):
        assert orthanc_faults.in_force == ()
        assert get(orthanc) == 200
        orthanc_faults.on(BUSY)
        assert get(orthanc) == 503

    def test_of_one_server_alone(orthanc):
        assert get(orthanc) == 200

    @pytest.mark.parametrize("orthanc_faults", [{"name": "index locked", "optional": True}], indirect=True)
    def test_optional(orthanc, orthanc_faults):
        assert get(orthanc) == 200

    DRAWN = []

    @pytest.mark.parametrize("orthanc_faults", 2 * [{"name": BUSY, "probability": 0.5}], indirect=True)
    def test_drawn_anew_for_each_test(orthanc, orthanc_faults):
        DRAWN.append([get(orthanc) for _ in range(12)])
        assert DRAWN[-1] == DRAWN[0]

    @pytest.mark.parametrize("orthanc_faults", ["disk full at a byte"], indirect=True)
    def test_what_a_fault_leads_to_is_no_error(orthanc, orthanc_faults):
        file = requests.post(f"{orthanc.url}/tools/create-dicom", json={"Tags": {}})
        assert file.status_code == 507
    """


def test_the_faults_of_the_fixture(run):
    run(test_faults=FAULTS).assert_outcomes(passed=9)


NEVER = """
    import pytest

    @pytest.mark.parametrize("orthanc_faults", ["index locked"], indirect=True)
    def test_without_its_fault(orthanc, orthanc_faults):
        pass

    @pytest.mark.parametrize("orthanc_faults", ["index loked"], indirect=True)
    def test_an_unknown_one(orthanc, orthanc_faults):
        pass

    @pytest.mark.parametrize("orthanc_faults", ["index locked"])
    def test_one_that_is_not_switched_on(orthanc, orthanc_faults):
        pass

    @pytest.mark.parametrize("orthanc_faults", [7, [["index locked"]]], indirect=True)
    def test_what_is_no_name(orthanc, orthanc_faults):
        pass
    """


def test_a_fault_that_never_happened_or_is_unknown_fails_the_test(run):
    found = run(test_never=NEVER)
    found.assert_outcomes(passed=1, failed=1, errors=4)
    found.stdout.fnmatch_lines("*There is no fault 7; there are: *")
    found.stdout.fnmatch_lines("*There is no fault [[]'index locked'[]]; did you mean 'index locked'*")
    found.stdout.fnmatch_lines("No fault is in force: parametrize orthanc_faults with indirect=True")
    found.stdout.fnmatch_lines("*The fault 'index locked' has never happened: there were no changes of the index*")
    found.stdout.fnmatch_lines("*There is no fault 'index loked'; did you mean 'index locked'*")
