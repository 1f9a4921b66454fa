"""04 · DICOM-izing images and documents."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab import samples
from orthanc_lab.client.client import Client
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require

SERVERS = ("server",)


def _instances(servers: Mapping[str, Client]) -> frozenset[str]:
    return Evidence.instances(servers["server"])


def _photo(evidence: Evidence) -> None:
    photo = evidence.instance(evidence.values["id"])
    require(photo.all_tags.get("PatientID") == "EXERCISE", "its PatientID is another one")
    require(samples.path("chart.jpg").read_bytes() in photo.file(), "the JPEG was decoded; see Encapsulate")


def _grey_steps(evidence: Evidence) -> None:
    series = evidence.series(evidence.values["id"])
    require(not {instance.id for instance in series.instances} & evidence.before, "the series was there before")
    means = [float(instance.array().mean()) for instance in series.instances]
    require(means == [50, 100, 150], f"the gray values are {means}")


def _report(evidence: Evidence) -> None:
    report = evidence.instance(evidence.values["id"])
    tags = report.all_tags
    require(tags.get("PatientID") == "PHANTOM-MR", "it is not attached to the MR study")
    require(len(report.series.study.series) > 1, "it is in a study of its own")
    require(tags.get("SeriesDescription") == "Quality report", "its SeriesDescription is another one")
    require(report.pdf() == samples.path("report.pdf").read_bytes(), "its content is not report.pdf")


CRITERIA = {
    1: Criterion({"id": "photo.id"}, _photo, _instances),
    2: Criterion({"id": "steps.id"}, _grey_steps, _instances),
    3: Criterion({"id": "mr_report.id"}, _report, _instances),
}
