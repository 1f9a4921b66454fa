"""How the objects of the client look in a notebook: small tables that follow its theme; all text is escaped."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from orthanc_lab.client.errors import ClientError

if TYPE_CHECKING:
    from orthanc_lab.client.jobs import Job, Jobs
    from orthanc_lab.client.upload_report import UploadReport

__all__ = ["card", "guarded", "job_card", "jobs_table", "picture", "progress_bar", "report_card", "table"]

_MOST_ROWS = 50
_MOST_LETTERS = 200


def guarded(draw: Callable[[], str]) -> str:
    """Return what `draw` does, or what hindered it: a server that is away is no traceback in a notebook."""
    try:
        return draw()
    except ClientError as error:
        return f'<div role="alert" style="color:#c0392b;white-space:pre-wrap">{escape(str(error))}</div>'


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return escape(text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS] + "…")


def card(title: str, rows: Mapping[str, Any], *, below: str = "", beside: str = "") -> str:
    """Return a title, rows of names and values, HTML below them, and HTML at their left."""
    body = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{_cell(value)}</td></tr>'
        for name, value in rows.items()
        if value not in (None, "")
    )
    words = f"<div><strong>{_cell(title)}</strong><table>{body}</table>{below}</div>"
    return f'<div style="display:flex;gap:1em;align-items:flex-start">{beside}{words}</div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, count: int | None = None) -> str:
    """Return a table of at most 50 rows; `count` is their number where `rows` are only the first."""
    lines = [list(row) for row in rows]
    total = len(lines) if count is None else count
    top = "".join(f'<th style="text-align:left">{escape(head)}</th>' for head in heads)
    shown = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{_cell(value)}</td>' for value in line) + "</tr>"
        for line in lines[:_MOST_ROWS]
    )
    more = total - min(len(lines), _MOST_ROWS)
    rest = f"<div>… and {more:,} more</div>" if more > 0 else ""
    return f"<table><thead><tr>{top}</tr></thead><tbody>{shown}</tbody></table>{rest}"


def picture(png: bytes, words: str) -> str:
    """Return a PNG as an image that needs no server, with a text for those who cannot see it; "" for no bytes."""
    if not png:
        return ""
    data = base64.b64encode(png).decode("ascii")
    return f'<img alt="{escape(words)}" style="max-width:128px" src="data:image/png;base64,{data}">'


def progress_bar(percent: int) -> str:
    """Return a progress bar with its number."""
    label = f"{percent} %"
    return f'<progress max="100" value="{percent}" aria-label="{label}">{label}</progress> {label}'


def job_card(job: Job) -> str:
    """Return a job with its progress bar."""
    rows = {
        "Job": job.id,
        "Priority": job.priority,
        "Created": _time(job.created),
        "Completed": _time(job.completed),
        "Expected": _time(job.eta),
        "Ran for": f"{job.runtime:.3f} s",
        "Error": job.error,
    }
    return card(f"{job.type} · {job.state.value}", rows, below=progress_bar(job.progress))


def _time(moment: Any) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def jobs_table(jobs: Jobs) -> str:
    """Return the table of all jobs."""
    heads = ("Job", "Type", "State", "%", "Priority", "Created", "Error")
    return guarded(
        lambda: table(
            heads,
            (
                (job.id, job.type, job.state.value, job.progress, job.priority, _time(job.created), job.error)
                for job in jobs.list()
            ),
        )
    )


def report_card(report: UploadReport) -> str:
    """Return the numbers of an upload, and each file that was refused with the reason."""
    rows = {"Stored": report.stored, "Already there": report.already_stored, "Refused": len(report.refused)}
    return card("Upload", rows, below=table(("File", "Why"), report.refused.items()) if report.refused else "")
