"""Buttons whose states change together, with a single message."""

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
    icon: str  # Font Awesome 4 name
    tooltip: str = ""


class Toolbar(Element, script="toolbar"):
    """Buttons; the browser asks for confirmation before actions that cannot be undone.

    Parameters
    ----------
    tools
        The buttons.
    label
        Its name for screen readers.
    on_press
        Called with the key of the pressed button.

    Attributes
    ----------
    offers
        The buttons that are enabled, each with its confirmation question, ``""`` for none.

    Examples
    --------
    >>> bar = Toolbar([Tool("stop", "Stop", "stop")], label="Server", on_press=print)
    >>> bar.press("stop")  # not enabled: nothing happens
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
        """Act as if a button was pressed; does nothing if it is not enabled."""
        if key in self.offers:
            self._on_press(key)
