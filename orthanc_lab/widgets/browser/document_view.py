"""A PDF document that is encapsulated in an instance: shown, and downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets

from orthanc_lab.client import Client, Instance
from orthanc_lab.client.download import Bytes
from orthanc_lab.widgets.elements.download import Download
from orthanc_lab.widgets.elements.pdf_view import PdfView

__all__ = ["DocumentView"]

_LARGEST = 32_000_000  # bytes; a larger document is only downloaded


class DocumentView(ipywidgets.VBox):
    """Shows the document of an instance; nothing for none.

    Parameters
    ----------
    client
        Fetches the document.
    guard
        Runs an action that may fail, and reports errors.

    Attributes
    ----------
    pdf
        The document, if it is not too large.
    download
        The button for downloading it.
    """

    def __init__(self, client: Client, guard: Callable[[Callable[[], None], str], object]) -> None:
        self._client = client
        self._guard = guard
        self._instance: Instance | None = None
        self.pdf = PdfView(self._fetch, label="Encapsulated PDF")
        self.download = Download("Download the PDF", self._save)
        super().__init__([self.pdf, self.download])
        self.show(None)

    def show(self, instance: Instance | None) -> bool:
        """Show the document of an instance; returns whether more than the button is shown."""
        self._instance = instance
        is_small = instance is not None and int(instance.document["FileSize"]) <= _LARGEST
        self.pdf.key = instance.id if instance is not None and is_small else ""
        self.download.layout.display = "none" if instance is None else None
        return bool(self.pdf.key)

    def _fetch(self, id: str) -> bytes | None:
        found: list[bytes] = []
        self._guard(lambda: found.append(Instance(self._client.transport, id).pdf()), "Reading the PDF")
        return found[0] if found else None

    def _save(self, folder: Path, progress: Bytes) -> Path:
        if self._instance is None:
            raise ValueError("No document is selected")
        return self._instance.save_pdf(folder / f"{self._instance.id}.pdf")
