"""Closing a widget and everything in it: ipywidgets closes only the outermost widget and keeps the others forever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["all_below", "close_below", "close_whole"]


def close_whole(widget: Any) -> None:
    """Close a widget and all widgets inside it.

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
    """Close all widgets inside a widget, but not the widget itself."""
    for child in list(all_below(widget)):
        child.close()


def all_below(widget: Any) -> Iterator[Any]:
    """Iterate over all widgets inside a widget, at any depth."""
    for child in getattr(widget, "children", ()):
        yield child
        yield from all_below(child)
