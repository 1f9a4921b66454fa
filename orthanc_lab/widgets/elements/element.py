"""What all elements have: their two files, and the style they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget

__all__ = ["Element"]

_HERE = Path(__file__).parent
_STYLE = (_HERE / "style.css").read_text("utf-8")


class Element(anywidget.AnyWidget):
    """A widget with a part in the browser: ``name.js`` beside this file, for a subclass made with ``script="name"``."""

    def __init_subclass__(cls, script: str = "", **options: Any) -> None:
        if script:
            cls._esm = (_HERE / f"{script}.js").read_text("utf-8")
            cls._css = _STYLE
        super().__init_subclass__(**options)
