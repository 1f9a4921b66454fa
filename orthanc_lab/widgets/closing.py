"""Closing a widget with all in it: ipywidgets closes the outermost one only, and keeps the others for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["all_below", "close_below", "close_whole"]


def close_whole(widget: Any) -> None:
    """Close a widget, and all widgets in it.

    Examples
    --------
    >>> import ipywidgets
    >>> button = ipywidgets.Button()
    >>> close_whole(ipywidgets.HBox([button]))
    >>> button.comm is None
    True
    """
    close_below(widget)
    widget.close()


def close_below(widget: Any) -> None:
    """Close all widgets in a widget, and leave itself to the caller."""
    for child in list(all_below(widget)):
        child.close()


def all_below(widget: Any) -> Iterator[Any]:
    """Give all widgets in a widget, at any depth."""
    for child in getattr(widget, "children", ()):
        yield child
        yield from all_below(child)
