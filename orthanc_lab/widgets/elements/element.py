"""The base class of all elements: loads their files and the shared style."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget

__all__ = ["Element"]

_HERE = Path(__file__).parent
_SHARED = (_HERE / "shared.js").read_text("utf-8")
_STYLE = (_HERE / "style.css").read_text("utf-8")


class Element(anywidget.AnyWidget):
    """A widget with a part in the browser; subclasses are declared with ``script="name"``.

    That part is ``name.js`` in this folder, appended to ``shared.js``; ``name.css``, if it exists, is appended to
    ``style.css``.
    """

    def __init_subclass__(cls, script: str = "", **options: Any) -> None:
        if script:
            cls._esm = _SHARED + (_HERE / f"{script}.js").read_text("utf-8")
            own = _HERE / f"{script}.css"
            cls._css = _STYLE + (own.read_text("utf-8") if own.exists() else "")
        super().__init_subclass__(**options)
