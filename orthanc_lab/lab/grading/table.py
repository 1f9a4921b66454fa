"""Verdicts as a table for a teacher: text, CSV, HTML."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from orthanc_lab.lab.grading.session import Mark, Verdict
from orthanc_lab.protocol.formulas import to_cell

__all__ = ["FORMS", "Row"]

_SIGNS = {Mark.RIGHT: "✓", Mark.WRONG: "✗", Mark.NONE: "–", Mark.ERROR: "!"}
_HEADS = ("Notebook", "Lesson", "Exercise", "Mark", "Remark")
_STYLE = "table{border-collapse:collapse}th,td{border:1px solid #999;padding:2px 8px;text-align:left}"


@dataclass(frozen=True, slots=True)
class Row:
    """One notebook."""

    name: str
    lesson: str  # "" if it could not be graded
    verdicts: Sequence[Verdict]
    problem: str = ""  # why it could not be graded, or not to its end

    @property
    def points(self) -> str:
        """How many answers are right, of how many."""
        right = sum(verdict.mark is Mark.RIGHT for verdict in self.verdicts)
        return f"{right}/{len(self.verdicts)}"


def _text(rows: Sequence[Row]) -> str:
    width = max((len(row.name) for row in rows), default=0)
    lines = []
    for row in rows:
        signs = " ".join(_SIGNS[verdict.mark] for verdict in row.verdicts)
        lines.append(f"{_plain(row.name):<{width}}  {row.points if row.verdicts else '':<4} {signs}".rstrip())
        for number, verdict in enumerate(row.verdicts, 1):
            if verdict.mark is not Mark.RIGHT or verdict.words:
                lines.append(f"  {number}: {verdict.mark.value}{': ' if verdict.words else ''}{_plain(verdict.words)}")
        if row.problem:
            lines.append(f"  {_plain(row.problem)}")
    return "\n".join(lines) + "\n"


def _csv(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_HEADS)
    table.writerows([to_cell(_plain(cell)) for cell in line] for line in _lines(rows))
    return out.getvalue()


def _html(rows: Sequence[Row]) -> str:
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(_plain(cell))}</td>" for cell in line) + "</tr>" for line in _lines(rows)
    )
    points = "".join(f"<li>{escape(_plain(row.name))}: {row.points}</li>" for row in rows if row.verdicts)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>Grades</title><style>{_STYLE}</style>\n'
        f"<ul>{points}</ul>\n<table><tr>{heads}</tr>\n{body}\n</table></html>\n"
    )


def _lines(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for row in rows:
        for number, verdict in enumerate(row.verdicts, 1):
            lines.append((row.name, row.lesson, str(number), verdict.mark.value, verdict.words))
        if row.problem:
            lines.append((row.name, row.lesson, "", "", row.problem))
    return lines


def _plain(text: str) -> str:
    """Return a text on one line, without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


FORMS: Mapping[str, Callable[[Sequence[Row]], str]] = {"text": _text, "csv": _csv, "html": _html}
