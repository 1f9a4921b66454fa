"""A slider with a name, for the keyboard and screen readers too."""

from __future__ import annotations

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["Slider"]


class Slider(Element, script="slider"):
    """A slider from 0 to `max`; the one of ipywidgets has no name that a screen reader could say.

    Attributes
    ----------
    value, max
        Where it stands, and its end.

    Examples
    --------
    >>> slider = Slider(label="Event", max=7)
    >>> slider.value
    0
    """

    label = traitlets.Unicode().tag(sync=True)
    value = traitlets.Int(0, min=0).tag(sync=True)
    max = traitlets.Int(0, min=0).tag(sync=True)
