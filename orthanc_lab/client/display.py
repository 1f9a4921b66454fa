"""HTML building blocks for showing client objects in a notebook; they follow its theme and escape all text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from orthanc_lab.client.errors import ClientError

__all__ = [
    "Address",
    "amount",
    "card",
    "counted",
    "guarded",
    "moment",
    "paragraph",
    "picture",
    "plain",
    "progress_bar",
    "table",
]

_MOST_ROWS = 50
_MOST_LETTERS = 200
_OF_FORMULAS = ("$", r"\(", r"\[", r"\begin")


class Address(str):
    """An address that is shown as a link; texts of DICOM files never are."""

    __slots__ = ()


def plain(text: str) -> str:
    """Return a text as HTML that a notebook shows as it is: JupyterLab sets what stands between two ``$`` as formulas.

    Examples
    --------
    >>> plain("Doe & Doe"), plain("$x$")
    ('Doe &amp; Doe', '<span class="tex2jax_ignore mathjax_ignore">$x$</span>')
    """
    html = escape(text)
    may_be_set = any(mark in text for mark in _OF_FORMULAS)
    return f'<span class="tex2jax_ignore mathjax_ignore">{html}</span>' if may_be_set else html


def guarded(draw: Callable[[], str]) -> str:
    """Return what `draw` returns, or its error as text: a notebook shows no traceback for a server that is down."""
    try:
        return draw()
    except ClientError as error:
        return f'<div role="alert" style="color:#c0392b;white-space:pre-wrap">{plain(str(error))}</div>'


def _cell(value: Any) -> str:
    if isinstance(value, Address):
        address = escape(value)
        return f'<a href="{address}" target="_blank" rel="noopener">{address}</a>'
    text = "" if value is None else str(value)
    return plain(text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS] + "…")


def amount(size: int) -> str:
    """Return a number of bytes with a unit that fits it.

    Examples
    --------
    >>> amount(1), amount(950), amount(1140), amount(1_054_144), amount(2_500_000_000)
    ('1 byte', '950 bytes', '1.1 kB', '1.1 MB', '2.5 GB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return "1 byte" if size == 1 else f"{size} bytes"


def counted(count: int, one: str, several: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "study", "studies"), counted(2000, "study", "studies")
    ('1 study', '2,000 studies')
    """
    return f"{count:,} {one if count == 1 else several}"


def card(title: str, rows: Mapping[str, Any], *, below: str = "", beside: str = "") -> str:
    """Return a title, rows of names and values, HTML below them, and HTML to their left."""
    body = "".join(
        f'<tr><th style="text-align:left">{plain(name)}</th><td style="text-align:left">{_cell(value)}</td></tr>'
        for name, value in rows.items()
        if value not in (None, "")
    )
    words = f"<div><strong>{_cell(title)}</strong><table>{body}</table>{below}</div>"
    return f'<div style="display:flex;gap:1em;align-items:flex-start">{beside}{words}</div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, count: int | None = None) -> str:
    """Return a table of at most 50 rows; `count` is the total where `rows` holds only the first ones."""
    lines = [list(row) for row in rows]
    total = len(lines) if count is None else count
    top = "".join(f'<th style="text-align:left">{plain(head)}</th>' for head in heads)
    shown = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{_cell(value)}</td>' for value in line) + "</tr>"
        for line in lines[:_MOST_ROWS]
    )
    more = total - min(len(lines), _MOST_ROWS)
    rest = f"<div>… and {more:,} more</div>" if more > 0 else ""
    return f"<table><thead><tr>{top}</tr></thead><tbody>{shown}</tbody></table>{rest}"


def picture(png: bytes, words: str, *, wide: int = 128) -> str:
    """Return a PNG as an inline image with alternative text; "" for no bytes."""
    if not png:
        return ""
    data = base64.b64encode(png).decode("ascii")
    return f'<img alt="{escape(words)}" style="max-width:{wide}px" src="data:image/png;base64,{data}">'


def paragraph(text: str) -> str:
    """Return a text below a table; "" for none."""
    return f"<div>{plain(text)}</div>" if text else ""


def moment(time: datetime | None) -> str:
    """Return a time, to the second; "" for none."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC"


def progress_bar(percent: int) -> str:
    """Return a progress bar labelled with its percentage."""
    label = f"{percent} %"
    return f'<progress max="100" value="{percent}" aria-label="{label}">{label}</progress> {label}'
