"""08 · Anonymizing for research."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.client.client import Client
from orthanc_lab.client.hierarchy import Study
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require
from orthanc_lab.protocol.jobs import JobState

SERVERS = ("server",)
_SECRETS = (b"doe", b"jane", b"7-4711", b"19810513", b"hill hospital", b"grey", b"r-001")  # of the lesson's Jane


def _studies(servers: Mapping[str, Client]) -> frozenset[str]:
    return frozenset(servers["server"].transport.get("/studies"))


def _another_pseudonym(evidence: Evidence) -> None:
    client, id = evidence.servers["server"], evidence.values["id"]
    require(isinstance(id, str) and id in _studies(evidence.servers), "the server has no such study")
    require(id not in evidence.before, "this study was there before the exercise")
    made = [event for event in evidence.events["server"] if event.after is JobState.SUCCESS]
    require(any(event.kind == "ResourceModification" for event in made), "no job has anonymized anything")
    study = client.studies[str(id)]
    mr = client.studies.find(PatientID="7-4711", ModalitiesInStudy="MR")[0]
    require(len(study.instances) == len(mr.instances), "it is not the whole MR")
    require(study.patient.PatientID == "X-9", "its PatientID is another one")
    require(study.StudyDescription == "Head", "its StudyDescription is another one")
    _tells_nothing(study, mr)


def _tells_nothing(study: Study, original: Study) -> None:
    uids = [original.StudyInstanceUID, *(series.SeriesInstanceUID for series in original.series)]
    secrets = [*_SECRETS, *(uid.encode() for uid in uids)]
    for instance in study.instances:
        content = instance.file().lower()
        require(not any(secret in content for secret in secrets), "a file tells still who the patient is")


def _series_of_r1(client: Client) -> list[set[str]]:
    studies = client.studies.find(PatientID="R-001", ModalitiesInStudy="CT")
    return sorted(({series.SeriesDescription for series in study.series} for study in studies), key=len)


def _split(evidence: Evidence) -> None:
    evidence.new_job(evidence.values["id"], "SplitStudy")
    found = _series_of_r1(evidence.servers["server"])
    require(len(found) == 2 and found[0] == {"Sharp"}, "the series Sharp of R-001 has no study of its own")


def _merged(evidence: Evidence) -> None:
    evidence.new_job(evidence.values["id"], "MergeStudy")
    found = _series_of_r1(evidence.servers["server"])
    require(found == [{"Localizer", "Soft tissue", "Sharp"}], "the CT of R-001 has not all its series in one study")


CRITERIA = {
    1: Criterion({"id": "mine.id"}, _another_pseudonym, _studies),
    2: Criterion({"id": "split.id"}, _split),
    3: Criterion({"id": "merge.id"}, _merged),
}
