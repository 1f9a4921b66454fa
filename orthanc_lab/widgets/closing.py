"""Closing a widget with all in it: ipywidgets closes the outermost one only, and keeps the others for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["close_below", "close_whole"]


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
    for child in list(_all_below(widget)):
        child.close()


def _all_below(widget: Any) -> Iterator[Any]:
    for child in getattr(widget, "children", ()):
        yield child
        yield from _all_below(child)
