"""06 · Metrics. The recordings are in the notebook: it is asked for what is true before the student's cells run."""

from __future__ import annotations

from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require

SERVERS = ("server",)
_RATE = 12  # (420 - 300) / 10 s; what lies between 90 and 300 is a gap


def _scrapes(evidence: Evidence) -> None:
    true = evidence.before["it"]
    require(evidence.values["it"] == true, f"{true} scrapes got no answer, not {evidence.values['it']}")


def _rate(evidence: Evidence) -> None:
    require(evidence.values["it"] == _RATE, f"the highest rate is not {evidence.values['it']}")


def _chart(evidence: Evidence) -> None:
    titles = evidence.values["titles"]
    require(titles == ["Jobs"], f"it shows {titles}" if titles else "it is no chart of metrics")


CRITERIA = {
    1: Criterion(
        {"it": "int(without_answer)"},
        _scrapes,
        before_values={"it": "sum(1 for scrape in watch.scrapes if scrape.reason)"},
    ),
    2: Criterion({"it": "float(greatest_rate)"}, _rate),
    3: Criterion({"titles": '[axes.get_title(loc="left") for axes in jobs_chart if axes.lines]'}, _chart),
}
