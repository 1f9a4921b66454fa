"""The results as a table, a chart and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orthanc_lab.bench.pairing import Result
from orthanc_lab.protocol.optional import needs_extra

__all__ = ["as_json", "bars", "check_chart", "row", "save_chart", "title_row"]

_WIDTH = 40
_NAME = 43  # letters


def title_row() -> str:
    """Return the heading of the table."""
    return (
        f"{'work':<{_NAME}} {'ours/s':>9} {'theirs/s':>9} {'ratio':>6} {'(min … max)':>15} {'goal':>5}"
        f" {'CPU ms':>8} {'theirs':>8}"
    )


def row(result: Result) -> str:
    """Return a line of the table; a ratio above 1 means that ours is better."""
    spread = f"({min(result.ratios):.2f} … {max(result.ratios):.2f})"
    note = "  client-bound" if result.client_bound else ""
    if result.is_memory:
        figures = [f"{result.cost(runs):.0f} MiB" for runs in (result.ours, result.theirs)]
    else:
        figures = [f"{result.per_second(runs):.1f}" for runs in (result.ours, result.theirs)]
    return (
        f"{result.workload.name:<{_NAME}} {figures[0]:>9} {figures[1]:>9}"
        f" {result.ratio:>6.2f} {spread:>15} {result.workload.target:>5g}"
        f" {result.cpu_ms(result.ours):>8.3f} {result.cpu_ms(result.theirs):>8.3f}"
        f" {'ok' if result.reached else 'below'}{note}"
    )


def bars(results: Sequence[Result]) -> str:
    """Return the ratios as a text bar chart; the mark shows the goal."""
    longest = max((max(result.ratio, result.workload.target) for result in results), default=1)
    lines = []
    for result in results:
        length = round(result.ratio / longest * _WIDTH)
        goal = min(round(result.workload.target / longest * _WIDTH), _WIDTH - 1)
        picture = list("█" * length + " " * (_WIDTH - length))
        picture[goal] = "┃"
        lines.append(f"{result.workload.name:<{_NAME}} {''.join(picture)} {result.ratio:.2f}")
    return "\n".join(lines)


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return all figures, for later comparison."""
    return [
        {
            "work": result.workload.name,
            "goal": result.workload.target,
            "ratio": result.ratio,
            "ratios": result.ratios,
            "ours_per_second": result.per_second(result.ours),
            "theirs_per_second": result.per_second(result.theirs),
            "ours_cpu_ms": result.cpu_ms(result.ours),
            "theirs_cpu_ms": result.cpu_ms(result.theirs),
            "ours_memory_mb": result.memory[0],
            "theirs_memory_mb": result.memory[1],
            "client_bound": result.client_bound,
        }
        for result in results
    ]


def check_chart(path: Path) -> None:
    """Check early that a chart can be drawn into this file.

    Raises
    ------
    ModuleNotFoundError
        Without matplotlib.
    ValueError
        If the name has an ending of no kind of picture.
    """
    with needs_extra("The chart", "bench", "matplotlib"):
        from matplotlib.backend_bases import FigureCanvasBase  # noqa: PLC0415 - an extra, and slow to import

    if path.suffix[1:].lower() not in FigureCanvasBase.get_supported_filetypes():
        raise ValueError(f"The name of a chart must end in .png or .svg, not {path.name!r}")


def save_chart(results: Sequence[Result], path: Path) -> None:
    """Draw the ratios as a bar chart; needs matplotlib (``pip install 'orthanc-lab[bench]'``)."""
    with needs_extra("The chart", "bench", "matplotlib"):
        import matplotlib  # noqa: PLC0415 - an extra, and slow to import

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    names = [result.workload.name for result in results][::-1]
    figure, axes = pyplot.subplots(figsize=(9, 0.32 * len(names) + 1.2), layout="constrained")
    axes.barh(names, [result.ratio for result in results][::-1], color="#0072B2")
    axes.scatter([result.workload.target for result in results][::-1], names, marker="|", s=160, color="#D55E00")
    axes.axvline(1, color="#555555", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("cost of the other server / our cost (right of 1: ours is better; | marks the goal)")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
