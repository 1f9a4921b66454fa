"""The figures of the client: they measure what they say; speed itself is no matter of a test."""

from __future__ import annotations

import pytest

import orthanc_lab
from orthanc_lab.bench.client_figures import Figure, overhead, upload_gain


def test_figures_are_measured() -> None:
    with orthanc_lab.serve() as server:
        figures = [overhead(server.url, pairs=2, calls=3), upload_gain(server.url, pairs=2, files=5)]
    assert [len(figure.ratios) for figure in figures] == [2, 2]
    assert all(ratio > 0 for figure in figures for ratio in figure.ratios)


@pytest.mark.parametrize(("at_most", "reached"), [(True, "NO"), (False, "yes")])
def test_a_goal_is_judged(at_most: bool, reached: str) -> None:
    figure = Figure("x", [1.0, 4.0, 2.0], 1.5, at_most)
    assert figure.row() == f"| x | 2.00 (1.00 to 4.00) | {'≤' if at_most else '≥'} 1.5 | {reached} |"
