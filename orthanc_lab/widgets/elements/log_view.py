"""The end of a log, which stays at its end."""

from __future__ import annotations

from typing import Any

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["LogView"]


class LogView(Element, script="log_view"):
    """Lines of a log; it scrolls with them, unless a person has scrolled back.

    Attributes
    ----------
    lines
        The lines; those that begin with W or E, as Orthanc writes them, are marked.

    Examples
    --------
    >>> view = LogView(label="Log of the server")
    >>> view.lines = server.tail(10)
    >>> view.lines[-1]
    'W... Orthanc has started'
    """

    lines: Any = traitlets.List(traitlets.Unicode()).tag(sync=True)
    label = traitlets.Unicode("Log").tag(sync=True)
