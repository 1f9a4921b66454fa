"""Lanes with what each worker did over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import traitlets

from orthanc_lab.widgets.elements.element import Element
from orthanc_lab.widgets.elements.table import Tone

__all__ = ["Bar", "Lanes"]


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that one lane did for a while."""

    lane: str
    start: float  # Unix time
    end: float
    text: str
    tone: Tone = "plain"


class Lanes(Element, script="lanes"):
    """Bars over time, in lanes below each other, with a line at one moment.

    Attributes
    ----------
    bars
        The bars; assigned by `show`.
    cursor
        Unix time of the line, None for none.

    Examples
    --------
    >>> lanes = Lanes(label="Workers")
    >>> lanes.show([Bar("Worker 1", 3.0, 5.0, "Archive", "good")], 0.0, 10.0, cursor=4.0)
    >>> lanes.words
    'Worker 1: Archive'
    """

    label = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)  # at the line, for screen readers
    drawing: Any = traitlets.Dict().tag(sync=True)  # one message for all

    def show(self, bars: Sequence[Bar], start: float, end: float, *, cursor: float | None = None) -> None:
        """Show these bars, between two times."""
        if cursor is not None:
            now = [f"{bar.lane}: {bar.text}" for bar in bars if bar.start <= cursor < bar.end]
            self.words = ", ".join(now) or "no worker is busy"
        self.drawing = {
            "start": start,
            "end": end,
            "cursor": cursor,
            "bars": [[bar.lane, bar.start, bar.end, bar.text, bar.tone] for bar in bars],
        }
