"""Coming from another client: the same task three times prints the same, and leaves the same behind."""

from __future__ import annotations

import contextlib
import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from orthanc_api_client import OrthancApiClient
from orthanc_api_client.job import Job as TheirJob
from pyorthanc import Job as OtherJob
from pyorthanc import Orthanc

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.server.embedded import EmbeddedServer
from orthanc_lab.testing.holding_peer import HoldingPeer
from tests.docs.snippets import Snippet, snippets

PAGE = "coming-from.md"
LIBRARIES = ("pyorthanc", "orthanc-api-client", "orthanc-lab")
TASKS: dict[str, list[Snippet]] = {}
for _snippet in snippets(PAGE):
    TASKS.setdefault(_snippet.heading, []).append(_snippet)


class Script:
    """The snippets of one library, run one after the other on a server of their own."""

    def __init__(self, server: EmbeddedServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.names: dict[str, Any] = {}
        shutil.copytree(samples.path("ct"), folder / "scans")
        shutil.copy(samples.dicom_files("ct")[0], folder / "scan.dcm")
        shutil.copy(samples.path("report.pdf"), folder / "report.pdf")
        shutil.copy(samples.path("chart.png"), folder / "photo.png")

    def run(self, snippet: Snippet, chdir: Callable[[Path], None]) -> str:
        """Run a snippet in the folder; return what it prints."""
        chdir(self.folder)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(snippet.compiled(self.server.url), self.names)
        return out.getvalue()

    def left_behind(self) -> dict[str, Any]:
        """Return what the server holds now, and the files of the folder."""
        session, url = self.server.session, self.server.url
        counts = session.get(f"{url}/statistics").json()
        return {
            "counts": {name: value for name, value in counts.items() if name.startswith("Count")},
            "labels": session.get(f"{url}/tools/labels").json(),
            "files": {path.name: _content(path) for path in sorted(self.folder.iterdir()) if path.is_file()},
        }


def _content(path: Path) -> Any:
    if path.suffix != ".zip":
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sorted((item.filename, item.CRC) for item in archive.infolist() if item.filename != "DICOMDIR")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Script]]:
    with contextlib.ExitStack() as stack:
        users = {"AuthenticationEnabled": True, "RegisteredUsers": {"alice": "secret"}}
        made = {
            library: Script(stack.enter_context(orthanc_lab.serve(users)), tmp_path_factory.mktemp(library))
            for library in LIBRARIES
        }
        yield made
        made["pyorthanc"].names["client"].close()
        made["orthanc-api-client"].names["client"]._http_session.close()  # it has no method of its own
        made["orthanc-lab"].names["client"].close()


def test_each_task_is_there_for_each_library() -> None:
    assert len(TASKS) >= 12
    assert {tuple(snippet.caption for snippet in task) for task in TASKS.values()} == {LIBRARIES}


@pytest.mark.parametrize("heading", TASKS)
def test_the_three_do_the_same(heading: str, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch) -> None:
    printed = {item.caption: scripts[item.caption].run(item, monkeypatch.chdir) for item in TASKS[heading]}
    assert len(set(printed.values())) == 1, printed
    left = {library: script.left_behind() for library, script in scripts.items()}
    assert left["pyorthanc"] == left["orthanc-api-client"] == left["orthanc-lab"]


def test_no_error_stayed_inside_of_the_servers(scripts: dict[str, Script]) -> None:
    assert [script.server.errors for script in scripts.values()] == [[], [], []]


@pytest.fixture
def paused(orthanc: EmbeddedServer) -> Iterator[orthanc_lab.client.Job]:
    """A job that is Paused: the only worker is busy with a peer that does not answer."""
    with HoldingPeer() as peer, orthanc_lab.Client.from_server(orthanc) as client:
        orthanc.session.put(f"{orthanc.url}/peers/busy", json={"Url": peer.url}).raise_for_status()
        client.upload(samples.dicom_files("ct")[0])
        peer.hold()
        client.jobs.submit("/peers/busy/store", {"Resources": [next(iter(client.studies)).id]})
        job = next(iter(client.studies)).archive_job().pause()
        assert job.state.value == "Paused"
        yield job
        peer.let_go()


@pytest.mark.parametrize("orthanc_settings", [{"ConcurrentJobs": 1}])
def test_what_the_page_says_of_waits_for_a_paused_job(orthanc: EmbeddedServer, paused: Any) -> None:
    with Orthanc(orthanc.url) as client:
        OtherJob(paused.id, client).wait_until_completion(time_interval=1)  # returns, though nothing is done
        assert client.get_jobs_id(paused.id)["State"] == "Paused"
    theirs = OrthancApiClient(orthanc.url)
    assert not TheirJob(theirs, paused.id).wait_completed(timeout=0.05, polling_interval=0.01)
    theirs._http_session.close()
    with pytest.raises(orthanc_lab.JobPausedError):
        paused.wait()
