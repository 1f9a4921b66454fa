"""02 · Jobs."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.client.client import Client
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require

SERVERS = ("server",)


def _archive_of_the_mr_study(evidence: Evidence) -> None:
    client = evidence.servers["server"]
    id = evidence.new_job(evidence.values["id"], "Archive")
    submitted = next(event for event in evidence.events["server"] if event.job == id)
    require(submitted.priority == 7, f"its priority is {submitted.priority}")
    mr = client.studies.find(ModalitiesInStudy="MR")[0]
    count = client.jobs[id].content["InstancesCount"]
    require(count == len(mr.instances), f"it has {count} instances, and the MR study {len(mr.instances)}")


def _failures(servers: Mapping[str, Client]) -> int:
    return len(servers["server"].jobs.list("Failure"))


def _same_number(evidence: Evidence) -> None:
    require(evidence.values["it"] == evidence.before, f"the server says {evidence.before}, not {evidence.values['it']}")


def _durations(servers: Mapping[str, Client]) -> dict[str, float]:
    ended = [job for job in servers["server"].jobs if job.created and job.completed]
    return {job.id: (job.completed - job.created).total_seconds() for job in ended if job.completed and job.created}


def _longest(evidence: Evidence) -> None:
    id, durations = evidence.values["id"], evidence.before
    require(id in durations, "the history of the server has no such job")
    require(durations[id] == max(durations.values()), "another job took longer")


CRITERIA = {
    1: Criterion({"id": "mine.id"}, _archive_of_the_mr_study),
    2: Criterion({"it": "int(failed)"}, _same_number, _failures),
    3: Criterion({"id": "longest"}, _longest, _durations),
}
