"""13 · Your own job."""

from __future__ import annotations

from orthanc_lab.client.client import Client
from orthanc_lab.client.jobs import Job
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require
from orthanc_lab.protocol.job_events import Happened

SERVERS = ("server",)
_SECONDS = 30.0
_STEPS = (Happened.STEPPED, Happened.CHECKPOINTED, Happened.FINISHED)


def _steps(job: Job) -> int:
    return sum(event.event in _STEPS for event in job.story())


def _labeling(evidence: Evidence) -> None:
    """Submit a job of the student's kind, to a server that the lesson has started with it."""
    url = evidence.values["url"]
    require(isinstance(url, str), "no server can be started with it")
    with Client(str(url), retries=0) as client:
        sharp, soft = (client.series.find(SeriesDescription=name)[0] for name in ("Sharp", "Soft tissue"))
        job = client.jobs.submit(f"/series/{sharp.id}/label", {"Label": "graded"})
        job.wait(_SECONDS, progress=False)
        labels = [instance.labels for instance in sharp.instances]
        require(labels == [["graded"]] * 10, "not each of the 10 instances has the label")
        require(not any(instance.labels for instance in soft.instances), "instances of another series have it, too")
        require(_steps(job) == 10, f"it has made {_steps(job)} steps, not one for each instance")


def _paused(evidence: Evidence) -> None:
    client, id = evidence.servers["server"], evidence.values["id"]
    mine = [event for event in evidence.events["server"] if event.job == id]
    require(bool(mine) and mine[0].before is None, "no job with this identifier was submitted during the exercise")
    require(mine[0].kind == "SlowDensities", f"its type is {mine[0].kind}")
    require(mine[0].priority == 5, f"its priority is {mine[0].priority}")
    job = client.jobs[str(id)]
    require(job.state.value == "Paused", f"it is {job.state.value}")
    require(_steps(job) == 4, f"it has made {_steps(job)} steps, not 4")


def _counted(evidence: Evidence) -> None:
    story = evidence.servers["server"].jobs[str(evidence.before["id"])].story()
    require(story[-1].event is Happened.FINISHED, "the job has not come to its end")
    require(evidence.values["it"] == story[-1].step, f"the server has counted {story[-1].step} steps")


CRITERIA = {
    1: Criterion({"url": "start(labeling)[0].url"}, _labeling),
    2: Criterion({"id": "paused.id"}, _paused),
    3: Criterion({"it": "int(count)"}, _counted, before_values={"id": "job.id"}),
}
