"""Small pictures to pick one from."""

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
    """One small picture."""

    id: str
    label: str
    png: bytes = b""  # nothing where there is no picture

    def plain(self) -> dict[str, str]:
        """Return what the browser draws."""
        data = base64.b64encode(self.png).decode("ascii")
        return {"id": self.id, "label": self.label, "source": f"data:image/png;base64,{data}" if data else ""}


class Gallery(Element, script="gallery"):
    """Small pictures side by side; a person picks one with mouse or keyboard.

    Attributes
    ----------
    items
        What is drawn, set by `show`.
    current
        Id of the picked one.

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
        """Draw other pictures."""
        self.items = [item.plain() for item in items]
