"""11 · What can go wrong."""

from __future__ import annotations

from orthanc_lab.lab.grading.busy_server import BusyServer
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require
from orthanc_lab.protocol.job_events import Happened

SERVERS = ("server",)


def _patient(evidence: Evidence) -> None:
    """Let the student's function ask servers of our own, under the name that ``careless`` of the lesson knows."""
    notebook = evidence.notebook
    for times in (2, 0):
        with BusyServer(times) as busy:
            notebook.run(f"server, _kept = __import__('types').SimpleNamespace(url={busy.url!r}), server")
            found = notebook.values({"it": "patient_get('/a/path')"})["it"]
            notebook.run("server = _kept")
        require(bool(busy.requests), "it sends no request")
        require(all(line == "GET /a/path" for line, _ in busy.requests), "it asks for something else")
        require(all("python-requests" in who for _, who in busy.requests), "it does not ask with careless")
        asked = len(busy.requests)
        require(asked == times + 1, f"after {times} times 503, it should have asked {times + 1} times, not {asked}")
        require(found == busy.document, "it does not return the JSON of the good answer")


def _resumed(evidence: Evidence) -> None:
    id = evidence.new_job(evidence.values["id"], "Archive")
    happened = [event.event for event in evidence.events["server"] if event.job == id]
    require(Happened.PAUSE in happened, "this job was never paused")
    require(Happened.RESUME in happened, "nobody has let this job go on")


def _noticed(evidence: Evidence) -> None:
    require(bool(evidence.values["refused"]), "the report does not say that anything was lost")
    client = evidence.servers["server"]
    require(not client.series.find(Modality="US"), "the image was not lost: it is on the server")


CRITERIA = {
    1: Criterion({}, _patient),
    2: Criterion({"id": "ended.id"}, _resumed),
    3: Criterion({"refused": "len(noticed.refused)"}, _noticed),
}
