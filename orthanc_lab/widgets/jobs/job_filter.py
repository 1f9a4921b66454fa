"""Which jobs a panel shows: by state, type and text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets

from orthanc_lab.client import Job
from orthanc_lab.protocol.jobs import JobState

__all__ = ["JobFilter"]

ALL, ACTIVE, ENDED = "All", "Active", "Ended"


class JobFilter(ipywidgets.HBox):
    """Two menus and a text field.

    Parameters
    ----------
    on_change
        Called when the user changes one of them.

    Examples
    --------
    >>> job = client.studies.find()[0].archive_job().wait()
    >>> shown = JobFilter(lambda: None)
    >>> shown.state.value = "Active"
    >>> shown.chosen([job])
    []
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        states = (ALL, ACTIVE, ENDED, *(state.value for state in JobState))
        menu = {"layout": {"width": "14em"}, "style": {"description_width": "3.5em"}}
        self.state = ipywidgets.Dropdown(options=states, value=ALL, description="State", **menu)
        self.type = ipywidgets.Dropdown(options=(ALL,), value=ALL, description="Type", **menu)
        self.text = ipywidgets.Text(
            placeholder="identifier, description …",
            description="Search",
            layout={"width": "22em"},
            style={"description_width": "4em"},
        )
        super().__init__([self.state, self.type, self.text], layout={"flex_flow": "row wrap"})
        for control in self.children:
            control.observe(lambda change: on_change(), "value")

    def offer_types(self, jobs: Iterable[Job]) -> None:
        """Add the types of these jobs to the menu, keeping earlier ones."""
        new = {job.type for job in jobs}.difference(self.type.options)
        if new:
            kept = self.type.value
            with self.type.hold_sync():
                self.type.options = (ALL, *sorted(new.union(self.type.options[1:])))
                self.type.value = kept

    def chosen(self, jobs: Iterable[Job]) -> list[Job]:
        """Return the jobs to show."""
        words = self.text.value.lower().split()
        return [job for job in jobs if self._has_state(job) and self._has_type(job) and _has_words(job, words)]

    def _has_state(self, job: Job) -> bool:
        match self.state.value:
            case "All":
                return True
            case "Active":
                return not job.state.is_final
            case "Ended":
                return job.state.is_final
            case name:
                return bool(job.state.value == name)

    def _has_type(self, job: Job) -> bool:
        return self.type.value in (ALL, job.type)


def _has_words(job: Job, words: list[str]) -> bool:
    text: Any = f"{job.id} {job.type} {job.error} {job.content.get('Description', '')}".lower()
    return all(word in text for word in words)
