"""Coming from another client: the same task three times prints the same, and leaves the same behind."""

from __future__ import annotations

import contextlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from orthanc_api_client import OrthancApiClient
from orthanc_api_client.job import Job as TheirJob
from pyorthanc import Job as OtherJob
from pyorthanc import Orthanc

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from orthanc_lab.testing.holding_peer import HoldingPeer
from tests.docs.snippets import ADDRESS, Snippet, snippets

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
        self._done: dict[str, str] = {}  # what the tasks have printed
        shutil.copytree(samples.path("ct"), folder / "scans")
        shutil.copy(samples.dicom_files("ct")[0], folder / "scan.dcm")
        shutil.copy(samples.path("report.pdf"), folder / "report.pdf")
        shutil.copy(samples.path("chart.png"), folder / "photo.png")

    def run(self, heading: str, library: str) -> str:
        """Run the tasks of the page up to this one, as far as they have not run; return what it prints."""
        for task, found in TASKS.items():
            if task not in self._done:
                (snippet,) = (item for item in found if item.caption == library)
                with contextlib.chdir(self.folder), contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(snippet.compiled({ADDRESS: self.server.url}), self.names)
                self._done[task] = out.getvalue()
            if task == heading:
                break
        return self._done[heading]

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
        for script in made.values():
            client = script.names["client"]
            getattr(client, "_http_session", client).close()  # orthanc-api-client has no method of its own


def test_each_task_is_there_for_each_library() -> None:
    assert len(TASKS) >= 12
    assert {tuple(snippet.caption for snippet in task) for task in TASKS.values()} == {LIBRARIES}


@pytest.mark.parametrize("heading", TASKS)
def test_the_three_do_the_same(heading: str, scripts: dict[str, Script]) -> None:
    printed = {library: script.run(heading, library) for library, script in scripts.items()}
    assert len(set(printed.values())) == 1, printed
    left = {library: script.left_behind() for library, script in scripts.items()}
    assert left["pyorthanc"] == left["orthanc-api-client"] == left["orthanc-lab"]


def test_no_error_stayed_inside_of_the_servers(scripts: dict[str, Script]) -> None:
    for library, script in scripts.items():
        script.run(list(TASKS)[-1], library)
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
