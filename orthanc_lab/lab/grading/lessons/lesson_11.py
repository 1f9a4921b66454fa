"""11 · What can go wrong. The first exercise is a function, which the check of the lesson calls."""

from __future__ import annotations

from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require
from orthanc_lab.protocol.job_events import Happened

SERVERS = ("server",)


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
    2: Criterion({"id": "ended.id"}, _resumed),
    3: Criterion({"refused": "len(noticed.refused)"}, _noticed),
}
