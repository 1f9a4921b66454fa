"""What a cell did on two servers, as HTML: the outputs side by side, then the answers that differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from orthanc_lab.testing.twin import Disagreement

__all__ = ["CellOutput", "page"]

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_GRID = "display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:.3rem 1.2rem"
_PRE = '<pre style="white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0">'


@dataclass(frozen=True, slots=True)
class CellOutput:
    """What a cell has put out on one side."""

    printed: str
    shown: Sequence[Mapping[str, Any]] = ()  # MIME bundles
    failed: bool = False


def page(
    names: tuple[str, str], outputs: tuple[CellOutput, CellOutput], left: Sequence[Disagreement], count: int
) -> str:
    """Return the HTML.

    Parameters
    ----------
    names
        Of the two servers.
    outputs
        What the cell has put out on them.
    left
        What differs, without what is accepted.
    count
        Number of answers that were compared.
    """
    heads = "".join(
        f"<b>{escape(name)}{' (the cell failed)' if output.failed else ''}</b>"
        for name, output in zip(names, outputs, strict=True)
    )
    columns = "".join(f"<div>{''.join(_output(output))}</div>" for output in outputs)
    verdict = f"Differences: {len(left)}; answers compared: {count}"
    return f'<div style="{_GRID}">{heads}{columns}</div><p><b>{verdict}</b></p>{"".join(map(_difference, left))}'


def _output(output: CellOutput) -> Iterator[str]:
    if output.printed:
        yield f"{_PRE}{escape(_ESCAPES.sub('', output.printed))}</pre>"
    for bundle in output.shown:
        if "text/html" in bundle:
            yield str(bundle["text/html"])
        elif "image/png" in bundle:
            yield f'<img alt="" src="data:image/png;base64,{escape(str(bundle["image/png"]).strip())}">'
        else:
            yield f"{_PRE}{escape(str(bundle.get('text/plain', '')))}</pre>"


def _difference(one: Disagreement) -> str:
    rows = "".join(
        f"<div>{_PRE}{escape(value)}</pre></div>"
        for difference in one.differences
        for value in (f"{difference.field}: {difference.ours}", f"{difference.field}: {difference.real}")
    )
    whole = "".join(f"<div>{_PRE}{escape(str(answer or ''))}</pre></div>" for answer in (one.ours, one.real))
    return (
        f'<p style="margin:.8rem 0 0"><code>{escape(one.line)}</code></p><div style="{_GRID}">{rows}</div>'
        f'<details><summary>whole answers</summary><div style="{_GRID}">{whole}</div></details>'
    )


def texts(outputs: Iterable[CellOutput]) -> list[str]:
    """Return what was printed, and the plain text of what was shown."""
    return [
        _ESCAPES.sub("", output.printed) + "\n".join(str(bundle.get("text/plain", "")) for bundle in output.shown)
        for output in outputs
    ]
