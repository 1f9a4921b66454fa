"""A sequence diagram: two lifelines, and an arrow for each message."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

__all__ = ["svg"]

_MOST_ARROWS = 60
_WIDTH, _MARGIN, _TOP, _STEP = 640, 60, 46, 26  # pixels


def svg(arrows: Sequence[tuple[str, bool]], left: str, right: str) -> str:
    """Return the diagram as SVG; it follows the colours of the page around it.

    Parameters
    ----------
    arrows
        The text of each message, and whether it goes from left to right.
    left, right
        The names of the two sides.
    """
    shown = arrows[:_MOST_ARROWS]
    height = _TOP + _STEP * (len(shown) + 1)
    lines = [_arrow(_TOP + _STEP * (row + 1), text, rightwards) for row, (text, rightwards) in enumerate(shown)]
    if len(arrows) > len(shown):
        height += _STEP
        lines.append(_text(_WIDTH / 2, height - _STEP / 2, f"… and {len(arrows) - len(shown)} more messages"))
    words = f"Messages between {left} and {right}: {', '.join(text for text, _ in shown)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label={quoteattr(words)} font-family="sans-serif" font-size="13" '
        'fill="currentColor" stroke-width="1.5">'
        f"{_lifeline(_MARGIN, left, height)}{_lifeline(_WIDTH - _MARGIN, right, height)}{''.join(lines)}</svg>"
    )


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle"{style}>{escape(text)}</text>'


def _lifeline(x: float, name: str, height: float) -> str:
    line = f'<line x1="{x:g}" y1="30" x2="{x:g}" y2="{height - 6:g}" stroke="currentColor" stroke-dasharray="4 3"/>'
    return _text(x, 20, name, ' font-weight="bold"') + line


def _arrow(y: float, text: str, rightwards: bool) -> str:
    start, end = (_MARGIN, _WIDTH - _MARGIN) if rightwards else (_WIDTH - _MARGIN, _MARGIN)
    back = -8 if rightwards else 8
    line = f'<line x1="{start:g}" y1="{y:g}" x2="{end:g}" y2="{y:g}" stroke="currentColor"/>'
    head = f'<path d="M {end:g} {y:g} l {back:g} -4 v 8 z"/>'
    return line + head + _text(_WIDTH / 2, y - 5, text)
