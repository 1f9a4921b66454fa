"""The studies of the server as a table, with filters; the latest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import ipywidgets

from orthanc_lab.client import Client, Study
from orthanc_lab.widgets.elements.table import Column, Table
from orthanc_lab.widgets.latest import Latest
from orthanc_lab.widgets.resource_branches import date_words, person_words
from orthanc_lab.widgets.search_words import date_range, pattern
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["StudyList", "study_query", "study_row"]

_PAGE = 100
_COLUMNS = (
    Column("date", "Date"),
    Column("patient", "Patient"),
    Column("number", "Patient ID"),
    Column("description", "Study", "words"),
    Column("modalities", "Modalities"),
    Column("accession", "Accession number"),
    Column("series", "Series", "number"),
)


def study_query(date: str, modality: str, accession: str) -> dict[str, str]:
    r"""Return the query for ``/tools/find``; empty filters match everything.

    Raises
    ------
    ValueError
        If the date is not a date or range.

    Examples
    --------
    >>> study_query("2026-01", "ct, mr", "LAB")
    {'StudyDate': '20260101-20260131', 'ModalitiesInStudy': 'CT\\MR', 'AccessionNumber': '*LAB*'}
    """
    query: dict[str, str] = {}
    if date.strip():
        query["StudyDate"] = date_range(date.strip())
    if modalities := modality.replace(",", " ").upper().split():
        query["ModalitiesInStudy"] = "\\".join(modalities)
    if accession.strip():
        query["AccessionNumber"] = pattern(accession.strip())
    return query


def study_row(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a study, as ``/tools/find`` describes it."""
    tags = {**item.get("PatientMainDicomTags", {}), **item["MainDicomTags"], **item.get("RequestedTags", {})}
    return {
        "id": item["ID"],
        "date": date_words(tags.get("StudyDate", "")),
        "patient": person_words(tags.get("PatientName", "")),
        "number": tags.get("PatientID", ""),
        "description": tags.get("StudyDescription", ""),
        "modalities": tags.get("ModalitiesInStudy", "").replace("\\", ", "),
        "accession": tags.get("AccessionNumber", ""),
        "series": len(item["Series"]),
    }


class StudyList(ipywidgets.VBox):
    """A table of studies; the user sorts it by a heading, and filters it while typing. A click picks a study.

    Parameters
    ----------
    client
        Asks the server.
    attempt
        Runs an action that may fail, with a description of it, and reports errors.
    pick
        Called with the study that was selected.

    Attributes
    ----------
    date, modality, accession
        The filters.
    table
        The table; ``table.selected`` holds the identifier of the study that is picked.
    more_button
        Loads the next page.
    """

    def __init__(
        self,
        client: Client,
        attempt: Callable[[Callable[[], None], str], object],
        pick: Callable[[Study], object],
    ) -> None:
        self._client = client
        self._attempt = attempt
        self._pick = pick
        self._requests = Latest()
        self._queue: SerialQueue[object] = SerialQueue()
        self.date = _filter("Date", "2026-01, or 2025 - 2026-01")
        self.modality = _filter("Modality", "CT, MR")
        self.accession = _filter("Accession number", "part of it")
        self.table = Table(_COLUMNS, label="Studies", empty="No matching studies")
        self.more_button = ipywidgets.Button(description="Show more", layout={"width": "auto", "display": "none"})
        filters = ipywidgets.HBox([self.date, self.modality, self.accession], layout={"flex_flow": "row wrap"})
        super().__init__([filters, self.table, self.more_button])
        for control in (self.date, self.modality, self.accession):
            control.observe(lambda change: self.load(), "value")
        self.table.observe(lambda change: self._follow(change["new"]), "selected")
        self.more_button.on_click(lambda _: self.load(len(self.table.rows) + _PAGE))

    def load(self, count: int = _PAGE) -> None:
        """Load the latest studies that match, in the background."""
        number = self._requests.begin()
        self._queue.submit(
            lambda: (
                self._requests.is_latest(number)
                and self._attempt(partial(self._load, number, count), "Listing the studies")
            )
        )

    def reload(self) -> None:
        """Load what is shown again."""
        self.load(max(_PAGE, len(self.table.rows)))

    def wait_until_shown(self) -> None:
        """Wait until the studies are shown."""
        self._queue.submit(lambda: None).result()

    def _load(self, number: int, count: int) -> None:
        body = {
            "Level": "Study",
            "Expand": True,
            "Query": study_query(self.date.value, self.modality.value, self.accession.value),
            "RequestedTags": ["ModalitiesInStudy"],
            "OrderBy": [{"Type": "DicomTag", "Key": "StudyDate", "Direction": "DESC"}],
            "Limit": count + 1,
        }
        found = self._client.transport.json("POST", "/tools/find", json=body, again=True)
        if self._requests.is_latest(number):
            self.table.rows = [study_row(item) for item in found[:count]]
            self.more_button.layout.display = None if len(found) > count else "none"
            self.table.note = f"The latest {count} studies" if len(found) > count else ""

    def _follow(self, selected: list[str]) -> None:
        if len(selected) == 1:
            self._pick(Study(self._client.transport, selected[0]))

    def close(self) -> None:
        """Stop loading, and remove it from the notebook."""
        self._queue.close()
        super().close()


def _filter(name: str, example: str) -> ipywidgets.Text:
    return ipywidgets.Text(
        description=name, placeholder=example, style={"description_width": "initial"}, layout={"flex": "1 1 200px"}
    )
