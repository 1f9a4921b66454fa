"""10 · Several servers."""

from __future__ import annotations

from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require
from orthanc_lab.protocol.job_events import Happened
from orthanc_lab.protocol.jobs import JobState

SERVERS = ("server", "spare")  # those that live on when the third one is killed
_COUNT = 6


def _moved(evidence: Evidence) -> None:
    id = evidence.before["id"]
    require(evidence.values["id"] == id, "it is not the job that was waiting")
    mine = [event for events in evidence.events.values() for event in events if event.job == id]
    require(any(event.event is Happened.TAKEN_OVER for event in mine), "no other server has taken this job over")
    require(any(event.after is JobState.SUCCESS for event in mine), "the job has not succeeded")


def _six(evidence: Evidence) -> None:
    ids, client = evidence.values["ids"], evidence.servers["server"]
    require(isinstance(ids, list) and len(set(ids)) == _COUNT, f"these are not {_COUNT} jobs")
    require(not set(ids) & set(evidence.before["ids"]), "some of them were submitted before the exercise")
    known = {job.id: job for job in client.jobs}
    for id in ids:
        require(id in known, "the servers do not know one of them")
        require(known[id].type == "Archive", f"the type of one is {known[id].type}")
        require(known[id].state is JobState.SUCCESS, "one of them has not succeeded")


CRITERIA = {
    1: Criterion({"id": "ended.id"}, _moved, before_values={"id": "waiting.id"}),
    2: Criterion(
        {"ids": "[job.id for job in six]"}, _six, before_values={"ids": "[job.id for job in clients[0].jobs]"}
    ),
}
