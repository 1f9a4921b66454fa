"""01 · Quick tour."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.client.client import Client
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require

SERVERS = ("server",)


def _mr_instances(servers: Mapping[str, Client]) -> int:
    return len(servers["server"].studies.find(ModalitiesInStudy="MR")[0].instances)


def _frames(servers: Mapping[str, Client]) -> int:
    return servers["server"].series.find(Modality="US")[0].instances[0].frames


def _same_number(evidence: Evidence) -> None:
    require(evidence.values["it"] == evidence.before, f"the server says {evidence.before}, not {evidence.values['it']}")


def _rod(servers: Mapping[str, Client]) -> float:
    series = servers["server"].studies.find(ModalitiesInStudy="CT")[0].series[1]
    return float(series.instances[-1].array()[62:66, 62:66].mean())


def _near_the_rod(evidence: Evidence) -> None:
    mean = evidence.values["it"]
    require(isinstance(mean, (int, float)), "it is not a number")
    require(abs(mean - evidence.before) < 5, f"the image of the server has {evidence.before:.0f}, not {mean:.0f}")


CRITERIA = {
    1: Criterion({"it": "int(mr_instances)"}, _same_number, _mr_instances),
    2: Criterion({"it": "int(loop_frames)"}, _same_number, _frames),
    3: Criterion({"it": "float(rod)"}, _near_the_rod, _rod),
}
