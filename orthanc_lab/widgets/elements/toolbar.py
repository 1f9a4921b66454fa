"""Buttons whose states change together, by one message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["Tool", "Toolbar"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A button of a `Toolbar`."""

    key: str
    label: str
    icon: str  # a name of Font Awesome 4
    tooltip: str = ""


class Toolbar(Element, script="toolbar"):
    """Buttons; the browser asks before what cannot be undone.

    Parameters
    ----------
    tools
        The buttons.
    label
        What a screen reader calls it.
    on_press
        Called with the key of a button.

    Attributes
    ----------
    offers
        The buttons that can be pressed; each with the question that is asked before, ``""`` for none.

    Examples
    --------
    >>> bar = Toolbar([Tool("stop", "Stop", "stop")], label="Server", on_press=print)
    >>> bar.press("stop")  # is not offered
    >>> bar.offers = {"stop": "Stop the server?"}
    >>> bar.press("stop")
    stop
    """

    tools: Any = traitlets.List().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    offers: Any = traitlets.Dict().tag(sync=True)

    def __init__(self, tools: Sequence[Tool], *, label: str, on_press: Callable[[str], object], **traits: Any) -> None:
        super().__init__(tools=[asdict(tool) for tool in tools], label=label, **traits)
        self._on_press = on_press
        self.on_msg(lambda widget, content, buffers: self.press(content["press"]))

    def press(self, key: str) -> None:
        """Do what a press of a button does; nothing if it is not offered (any more)."""
        if key in self.offers:
            self._on_press(key)
