"""Texts of strangers in files that a spreadsheet opens: none of them becomes a formula.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or the end of a line for a formula, which
can start programs and send other cells away. As OWASP recommends ("CSV Injection"), an apostrophe is put before it, and
after a separator inside of a text too, because spreadsheets of half of Europe separate cells by semicolons. Plain
numbers stay as they are.
"""

from __future__ import annotations

import re

__all__ = ["from_cell", "to_cell"]

# The beginning of a text, or of what a spreadsheet may take for the next cell; the apostrophes that it had before; a
# letter that begins a formula, the wide ones of Asia too.
_UNMARKED = re.compile(r"(?:^|(?<=[;\t\r\n]))(?='*[=+\-@\t\r\n\0\uff0b\uff0d\uff1d\uff20])")
_MARKED = re.compile(r"(?:^|(?<=[;\t\r\n]))'(?='*[=+\-@\t\r\n\0\uff0b\uff0d\uff1d\uff20])")
_NUMBER = re.compile(r"[+-][0-9]{1,40}(?:[.,][0-9]{1,40})?")


def to_cell(text: str) -> str:
    r"""Return a text as it is written into a cell.

    Examples
    --------
    >>> to_cell("=1+1"), to_cell("-12.5"), to_cell("chest;=1+1"), to_cell("'=")
    ("'=1+1", '-12.5', "chest;'=1+1", "''=")
    """
    return text if _NUMBER.fullmatch(text) else _UNMARKED.sub("'", text)


def from_cell(cell: str) -> str:
    """Return the text that `to_cell` wrote.

    Examples
    --------
    >>> from_cell("'=1+1"), from_cell("'tis")
    ('=1+1', "'tis")
    """
    return _MARKED.sub("", cell)
