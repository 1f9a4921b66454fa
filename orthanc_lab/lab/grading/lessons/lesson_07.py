"""07 · The dashboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from orthanc_lab import samples
from orthanc_lab.client.client import Client
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require

SERVERS = ("server",)


def _two_tabs(evidence: Evidence) -> None:
    titles = evidence.values["titles"]
    require(titles == ["Reading list", "Upload"], f"its tabs are {titles}" if titles else "it is no dashboard")


def _one_more_modality(servers: Mapping[str, Client]) -> None:
    """Store a study that the lesson has not shown: a table that was written down is not of this server."""
    servers["server"].upload(samples.path("us"), progress=False)


def _modalities(evidence: Evidence) -> None:
    rows = evidence.values["rows"]
    require(isinstance(rows, list), "its table has no rows with modality and series")
    true = Counter(series.Modality for series in evidence.servers["server"].series.find())
    require(
        Counter(dict(map(tuple, rows))) == true, f"the server has {dict(true)}, and the table {dict(map(tuple, rows))}"
    )


CRITERIA = {
    1: Criterion({"titles": "[panel.title for panel in two_tabs.panels]"}, _two_tabs),
    2: Criterion(
        {"rows": '[(row["modality"], int(row["series"])) for row in Modalities(client).table.rows]'},
        _modalities,
        _one_more_modality,
    ),
}
