"""The base class of all elements: loads their files and the shared style."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget

__all__ = ["Element"]

_HERE = Path(__file__).parent
_SHARED = (_HERE / "shared.js").read_text("utf-8")
_STYLE = (_HERE / "style.css").read_text("utf-8")


class Element(anywidget.AnyWidget):
    """A widget with a part in the browser; subclasses are declared with ``script="name"``.

    That part is ``name.js`` in this folder, appended to ``shared.js`` and the scripts that are named as `parts`;
    ``name.css``, if it exists, is appended to ``style.css``.
    """

    def __init_subclass__(cls, script: str = "", parts: Sequence[str] = (), **options: Any) -> None:
        if script:
            texts = [(_HERE / f"{name}.js").read_text("utf-8") for name in (*parts, script)]
            cls._esm = "".join([_SHARED, *texts])
            own = _HERE / f"{script}.css"
            cls._css = _STYLE + (own.read_text("utf-8") if own.exists() else "")
        super().__init_subclass__(**options)
