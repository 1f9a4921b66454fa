"""What a person sees first: errors without foreign chains, names that are offered, tables instead of walls of text."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import traceback

import pytest

import orthanc_lab
import orthanc_lab.client
import orthanc_lab.frames
import orthanc_lab.widgets
from orthanc_lab import Client, testing
from orthanc_lab.client.upload_report import UploadReport


def test_a_server_that_is_away_is_said_in_few_lines():
    with pytest.raises(orthanc_lab.UnreachableError) as caught:
        _ = Client("http://127.0.0.1:1", retries=0).system
    text = "".join(traceback.format_exception(caught.value))
    assert "site-packages/urllib3" not in text
    assert text.count("\n") < 40


@pytest.mark.parametrize(
    "error",
    [
        orthanc_lab.OrthancError(15, "This is a letter", status=409),
        orthanc_lab.UnreachableError("http://a", "refused"),
        orthanc_lab.ConnectionLostError("http://a", "GET /x", "10 of 20 bytes", was_silent=True),
        orthanc_lab.DamagedDownloadError(["a.dcm"], 2),
        orthanc_lab.NotOrthancError("GET http://a", "text/html"),
        orthanc_lab.NoClusterError("http://a"),
        orthanc_lab.NoEventLogError("http://a"),
        orthanc_lab.NotFoundError(404, 7, "No such item", "study", "GET http://a/x"),
        orthanc_lab.CanceledError("1-2-3", "Media", 37, "Canceled", ""),
        orthanc_lab.JobPausedError("1-2-3"),
        orthanc_lab.JobRetryError("1-2-3", "refused"),
        orthanc_lab.JobForgottenError("1-2-3"),
        orthanc_lab.JobTimeoutError("1-2-3", "Running", 40, 60),
        orthanc_lab.UploadInterruptedError(UploadReport(), KeyboardInterrupt()),
        orthanc_lab.VolumeError("one", "two", advice="three"),
        testing.ScheduleError("it fails", "orthanc-lab schedule 1", "1:7"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_reaches_another_process_as_it_is(error):
    error.add_note("a note")
    for other in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert (type(other), str(other), other.args) == (type(error), str(error), error.args)
        assert repr(vars(other)) == repr(vars(error))


def test_parts_of_the_package_need_no_second_import():
    code = "import orthanc_lab as o; print(o.samples.dicom_files()[0].name, o.frames.jobs, o.widgets.Panel, o.client)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_what_is_meant_is_offered():
    assert {"Client", "serve", "samples", "frames", "widgets"} <= set(dir(orthanc_lab))
    assert set(dir(orthanc_lab)) <= {*orthanc_lab.__all__, *orthanc_lab._MODULES}
    for module in (orthanc_lab.client, orthanc_lab.frames, orthanc_lab.widgets):
        assert set(dir(module)) <= {*module.__all__, "charts"}


def test_what_was_found_is_a_table_and_one_of_it(client, study):
    found = client.studies.find(PatientName="Phantom*")
    assert found == [study]
    assert found.one() == study
    assert "<table>" in found._repr_html_()
    with pytest.raises(LookupError, match="Nothing was found"):
        client.studies.find(PatientName="nobody").one()
    with pytest.raises(LookupError, match="Found 3 instead of one"):
        client.series.find().one()
    assert "Nothing was found" in client.studies.find(PatientName="nobody")._repr_html_()


def test_what_is_empty_or_unknown_says_so(client):
    assert "No studies yet" in client.studies._repr_html_()
    assert "No jobs yet" in client.jobs._repr_html_()
    with pytest.raises(KeyError, match="No study has the Orthanc identifier 'nope'"):
        client.studies["nope"]
    with pytest.raises(KeyError, match="The server knows no job 'nope'"):
        client.jobs["nope"]
    with pytest.raises(
        KeyError, match=r"The server knows no modality 'nope'; its names are in list\(client\.modalities"
    ):
        client.modalities["nope"]
    with pytest.raises(KeyError, match="The server keeps no query 'nope'"):
        client.queries["nope"]
    assert [key in client.modalities for key in ("nope", "", 0)] == [False] * 3


def test_a_path_begins_with_a_slash(client):
    with pytest.raises(ValueError, match=r"A path begins with a slash, unlike 'studies': transport\.get\('/studies'\)"):
        client.transport.get("studies")


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("orthanc_lab.frames", "pandas", "frames"),
        ("orthanc_lab.frames.charts", "matplotlib", "frames"),
        ("orthanc_lab.widgets", "ipywidgets", "notebook"),
        ("orthanc_lab.testing.dicom_node", "pynetdicom", "network"),
        ("orthanc_lab.testing.dicom_peer", "pynetdicom", "network"),
    ],
)
def test_a_missing_package_is_said_with_its_extra(module, package, extra):
    code = f"import sys; sys.modules[{package!r}] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.strip().rpartition("\n")[2]
    assert last.startswith("ModuleNotFoundError: ")
    assert last.endswith(f" needs {package}: pip install 'orthanc-lab[{extra}]'")


def test_servers_say_where_they_are():
    with orthanc_lab.serve() as server:
        link = f'<a href="{server.url}" target="_blank" rel="noopener">{server.url}</a>'
        assert repr(server) == f"<Orthanc running at {server.url}>"
        assert link in server._repr_html_()
        client = Client.from_server(server)
        assert link in client._repr_html_()
        client.create_dicom(None, {"PatientName": "http://example.org"})
        assert "<a " not in client.studies._repr_html_()
    assert repr(server) == f"<Orthanc (stopped) at {server.url}>"
    assert "<a " not in server._repr_html_()
    with orthanc_lab.in_process() as server:
        assert repr(server) == "<Orthanc without a socket in this process: use its session>"
