"""Lanes with what each worker did over time."""

from __future__ import annotations

from collections.abc import Iterable
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
    drawing
        All that is shown; assigned by `show`.
    words
        What the lanes did at the line.

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

    def show(self, bars: Iterable[Bar], start: float, end: float, *, cursor: float | None = None) -> None:
        """Show these bars, between two times."""
        # Few lists, and not one a bar: many would bring the next collection of garbage closer each time.
        lanes: list[str] = []
        starts: list[float] = []
        ends: list[float] = []
        texts: list[str] = []
        tones: list[Tone] = []
        now: list[str] = []
        for bar in bars:
            lanes.append(bar.lane)
            starts.append(bar.start)
            ends.append(bar.end)
            texts.append(bar.text)
            tones.append(bar.tone)
            if cursor is not None and bar.start <= cursor < bar.end:
                now.append(f"{bar.lane}: {bar.text}")
        if cursor is not None:
            self.words = ", ".join(now) or "no worker is busy"
        columns = {"lanes": lanes, "starts": starts, "ends": ends, "texts": texts, "tones": tones}
        self.drawing = {"start": start, "end": end, "cursor": cursor, **columns}
