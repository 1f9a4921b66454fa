"""Thumbnails to choose from."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["Gallery", "GalleryItem"]


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One thumbnail."""

    id: str
    label: str
    png: bytes = b""  # empty if there is no image
    words: str = ""  # shown in its place

    def plain(self) -> dict[str, str]:
        """Return the form that the browser draws."""
        data = base64.b64encode(self.png).decode("ascii")
        source = f"data:image/png;base64,{data}" if data else ""
        return {"id": self.id, "label": self.label, "source": source, "words": self.words}


class Gallery(Element, script="gallery"):
    """Thumbnails side by side; the user picks one with the mouse or the keyboard.

    Attributes
    ----------
    items
        The items shown, set by `show`.
    current
        Id of the picked item.

    Examples
    --------
    >>> gallery = Gallery(label="Series")
    >>> gallery.show([GalleryItem("a", "Localizer"), GalleryItem("b", "Axial")])
    >>> [item["label"] for item in gallery.items]
    ['Localizer', 'Axial']
    """

    label = traitlets.Unicode().tag(sync=True)
    items: Any = traitlets.List().tag(sync=True)
    current = traitlets.Unicode().tag(sync=True)

    def show(self, items: Sequence[GalleryItem]) -> None:
        """Replace the thumbnails."""
        self.items = [item.plain() for item in items]
