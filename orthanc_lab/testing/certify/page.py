"""A certificate as a page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from orthanc_lab.testing.certify.results import Certificate, Compared, ScenarioResult

__all__ = ["page"]

_MOST_FIELDS = 30
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #8886; padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0; font-size: 13px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.pair > * { min-width: 0; border-left: 3px solid #8886; padding-left: .6rem; }
summary { cursor: pointer; }
.same { color: #16833a; } .differs { color: #c62828; } .note { color: #777; }
"""


def page(certificate: Certificate) -> str:
    """Return the page."""
    verdict = (
        f'<p class="same"><b>No difference</b> in {certificate.compared:,} answers.</p>'
        if certificate.passed
        else f'<p class="differs"><b>{certificate.verdict[0].upper()}{certificate.verdict[1:]}.</b></p>'
    )
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><meta charset="utf-8"><title>{escape(certificate.url)} and Orthanc</title>',
        f"<style>{_STYLE}</style>",
        f"<h1>{escape(certificate.url)}, compared with Orthanc {escape(certificate.version)}</h1>",
        verdict,
        _facts(certificate),
        *_scenarios(certificate.results),
        *_accepted(certificate.results),
        *_counts("Not compared", "answers", certificate.skipped.most_common()),
        *_counts("Not run: scenarios that …", "scenarios", certificate.not_run.most_common()),
        "</html>\n",
    ]
    return "\n".join(parts)


def _facts(certificate: Certificate) -> str:
    rows = [
        ("Version", str(certificate.system.get("Version"))),
        ("ApiVersion", str(certificate.system.get("ApiVersion"))),
    ]
    rows += certificate.options.items()
    rows += [("Left on the server", what) for what in certificate.left]
    fields = certificate.fields()
    more = [("…", sum(count for _, count in fields[_MOST_FIELDS:]))] if len(fields) > _MOST_FIELDS else []
    return _table(("the server", ""), rows) + "".join(
        _counts("What differs", "answers", [*fields[:_MOST_FIELDS], *more])
    )


def _counts(title: str, what: str, counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    rows = [(name, f"{count:,}") for name, count in counts]
    if rows:
        yield f"<h2>{escape(title)}</h2>{_table(('', what), rows, numbers=True)}"


def _table(heads: tuple[str, str], rows: Iterable[tuple[str, str]], *, numbers: bool = False) -> str:
    mark = ' class="number"' if numbers else ""
    body = "".join(f"<tr><td>{escape(name)}</td><td{mark}>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table><tr><th>{escape(heads[0])}</th><th>{escape(heads[1])}</th></tr>{body}</table>"


def _scenarios(results: Iterable[ScenarioResult]) -> Iterator[str]:
    yield "<h2>Scenarios</h2>"
    for result in results:
        if result.not_run:
            continue
        count = len(result.differing)
        if not count:
            yield f'<div><span class="same">✓</span> {escape(result.name)}'
            yield f'<span class="note">{len(result.compared)}</span></div>'
        else:
            yield f'<details><summary><span class="differs">✗</span> {escape(result.name)}'
            yield f'<span class="note">{count} of {len(result.compared)}</span></summary>'
            yield from map(_difference, result.differing)
            yield "</details>"


def _difference(one: Compared) -> str:
    rows = "".join(
        f"<tr><td>{escape(difference.field)}</td><td><pre>{escape(difference.ours)}</pre></td>"
        f"<td><pre>{escape(difference.real)}</pre></td></tr>"
        for difference in one.differences
    )
    hint = f'<p class="note">May come from the option {escape(", ".join(one.options))}.</p>' if one.options else ""
    whole = ""
    if one.exchange is not None:
        sides = "".join(f"<pre>{escape(str(answer))}</pre>" for answer in (one.answer, one.expected))
        whole = (
            "<details><summary class='note'>whole answers</summary>"
            f"<pre>{escape(str(one.exchange))}</pre><div class='pair'>{sides}</div></details>"
        )
    heads = "<tr><th></th><th>this server</th><th>Orthanc</th></tr>"
    return f"<h3><code>{escape(one.line)}</code></h3><table>{heads}{rows}</table>{hint}{whole}"


def _accepted(results: Iterable[ScenarioResult]) -> Iterator[str]:
    reasons: dict[str, int] = {}
    for result in results:
        for reason in {accepted.reason for one in result.compared for accepted in one.accepted}:
            reasons[reason] = reasons.get(reason, 0) + 1
    yield from _counts("Accepted differences", "scenarios", sorted(reasons.items(), key=lambda item: -item[1]))
