"""The end of a log, scrolled to the last line."""

from __future__ import annotations

from typing import Any

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["LogView"]


class LogView(Element, script="log_view"):
    """Lines of a log; the view follows new lines, unless the user has scrolled back.

    Attributes
    ----------
    lines
        The lines; warnings and errors (those that begin with W or E, as Orthanc writes them) are highlighted.

    Examples
    --------
    >>> view = LogView(label="Log of the server")
    >>> view.lines = server.tail(1000)
    >>> [line for line in view.lines if "started" in line]
    ['W... Orthanc has started']
    """

    lines: Any = traitlets.List(traitlets.Unicode()).tag(sync=True)
    label = traitlets.Unicode("Log").tag(sync=True)
