"""The form for a query of a DICOM node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.network.answer_rows import ASKED
from orthanc_lab.widgets.search_words import date_range, pattern

__all__ = ["QueryForm", "offer_names"]

_ROW = {"flex_flow": "row wrap", "align_items": "center"}


class QueryForm(ipywidgets.VBox):
    """Fields for a query; what is left empty matches everything.

    Parameters
    ----------
    on_ask
        Called when the user presses *Query*.

    Attributes
    ----------
    node
        The node to ask.
    level, name, patient_id, date, modality, accession
        The fields.
    button
        The button *Query*.

    Examples
    --------
    >>> form = QueryForm(lambda: None)
    >>> form.name.value, form.date.value = "doe", "2026-01"
    >>> {name: value for name, value in form.tags.items() if value}
    {'PatientName': '*doe*', 'StudyDate': '20260101-20260131'}
    """

    def __init__(self, on_ask: Callable[[], object]) -> None:
        free = {"description_width": "initial"}
        narrow = {"width": "14em"}

        def text(label: str, hint: str) -> ipywidgets.Text:
            return ipywidgets.Text(
                description=label, placeholder=hint, style=free, layout=ipywidgets.Layout(width="18em")
            )

        self.node = ipywidgets.Dropdown(description="Node", style=free, layout=narrow)
        levels = [(level.plural.capitalize(), level) for level in (Level.PATIENT, Level.STUDY, Level.SERIES)]
        self.level = ipywidgets.Dropdown(
            description="Find", options=levels, value=Level.STUDY, style=free, layout=narrow
        )
        self.name = text("Patient's name", "part of it")
        self.patient_id = text("Patient ID", "with * and ?")
        self.date = text("Study date", "2025 - 2026-01")
        self.modality = text("Modality", "CT")
        self.accession = text("Accession number", "with * and ?")
        self.button = ipywidgets.Button(
            description="Query", icon="search", button_style="primary", tooltip="Ask the node", layout={"width": "auto"}
        )
        self.button.on_click(lambda _: on_ask())
        fields = [self.name, self.patient_id, self.date, self.modality, self.accession]
        super().__init__([_row([self.node, self.level, self.button]), _row(fields)])

    @property
    def tags(self) -> dict[str, str]:
        """The query: what is asked for, with the values to match.

        Raises
        ------
        ValueError
            If the date is not one.
        """
        level = self.level.value
        query = dict.fromkeys(ASKED[level], "")
        name, dates = self.name.value.strip(), self.date.value.strip()
        given = {
            "PatientName": pattern("*".join(name.split())) if name else "",
            "PatientID": self.patient_id.value.strip(),
            "AccessionNumber": self.accession.value.strip(),
            "StudyDate": date_range(dates) if dates else "",
            "ModalitiesInStudy" if level is Level.STUDY else "Modality": self.modality.value.strip().upper(),
        }
        return query | {tag: value for tag, value in given.items() if value}


def offer_names(menu: ipywidgets.Dropdown, names: list[str]) -> None:
    """Offer names in a menu; the chosen one stays if it is among them."""
    if list(menu.options) != names:
        kept = menu.value
        with menu.hold_sync():
            menu.options = names
            menu.value = kept if kept in names else (names[0] if names else None)


def _row(widgets: list[Any]) -> ipywidgets.HBox:
    return ipywidgets.HBox(widgets, layout=ipywidgets.Layout(**_ROW))
