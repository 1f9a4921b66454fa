"""A PDF document inside a panel, drawn by the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["PdfView"]


class PdfView(Element, script="pdf_view"):
    """Shows a PDF, which is fetched when a browser asks for it; hidden while there is none.

    Parameters
    ----------
    fetch
        Returns the document of a key; on failure it reports the error itself and returns None.

    Attributes
    ----------
    key
        Tells which document is shown, "" for none.

    Examples
    --------
    >>> view = PdfView(lambda key: b"%PDF-1.4", label="Document")
    >>> view.key = "report"
    """

    label = traitlets.Unicode().tag(sync=True)
    key = traitlets.Unicode().tag(sync=True)

    def __init__(self, fetch: Callable[[str], bytes | None], **traits: Any) -> None:
        self._fetch = fetch
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def _on_message(self, _: object, content: dict[str, Any], buffers: object) -> None:
        key = content.get("key", "")
        pdf = self._fetch(key) if key and key == self.key else None
        if pdf is not None:
            self.send({"key": key}, [pdf])
