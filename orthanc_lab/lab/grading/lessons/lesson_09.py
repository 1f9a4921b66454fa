"""09 · The DICOM network."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.client.client import Client
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require

SERVERS = ("server", "clinic_server")


def _series_of_the_ct_study(servers: Mapping[str, Client]) -> int:
    return len(servers["server"].studies.find(PatientID="PHANTOM-CT")[0].series)


def _same_number(evidence: Evidence) -> None:
    require(
        evidence.values["it"] == evidence.before, f"the hospital has {evidence.before}, not {evidence.values['it']}"
    )


def _only_sharp(evidence: Evidence) -> None:
    clinic = evidence.servers["clinic_server"]
    evidence.new_job(evidence.values["id"], "DicomMoveScu", "DicomGetScu", at="clinic_server")
    found = clinic.series.find(SeriesDescription="Sharp")
    require(bool(found) and len(found[0].instances) == 10, "the clinic has not the whole series")
    require(not clinic.series.find(SeriesDescription="Soft tissue"), "more than this series was fetched")


def _title(servers: Mapping[str, Client]) -> str:
    return str(servers["server"].transport.get("/system")["DicomAet"])


def _the_title(evidence: Evidence) -> None:
    require(evidence.values["it"] == evidence.before, "the hospital calls under another title")


CRITERIA = {
    1: Criterion({"it": "int(count)"}, _same_number, _series_of_the_ct_study),
    2: Criterion({"id": "sharp.id"}, _only_sharp),
    3: Criterion({"it": "caller"}, _the_title, _title),
}
