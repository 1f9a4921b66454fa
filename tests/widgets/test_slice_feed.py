"""Which slices are sent, and which dropped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.widgets.elements.slice_feed import SliceFeed


def fill(feed, at, size=1):
    sent = []
    while (number := feed.missing(at)) is not None:
        sent.append(number)
        feed.put(at, number, size)
    return sent


def test_the_nearest_comes_first():
    assert fill(SliceFeed(10, ahead=2), 4) == [4, 5, 3, 6, 2]
    assert fill(SliceFeed(3), 0) == [0, 1, 2]
    assert fill(SliceFeed(0), 0) == []


def test_a_step_on_sends_what_is_new():
    feed = SliceFeed(10, ahead=2)
    fill(feed, 4)
    assert fill(feed, 5) == [7]


def test_the_farthest_goes():
    feed = SliceFeed(10, ahead=1, budget=300)
    fill(feed, 1, size=100)
    assert feed.missing(5) == 5
    assert feed.put(5, 5, 100) == [0]


def test_one_that_is_larger_than_the_budget_is_sent_alone():
    feed = SliceFeed(5, budget=10)
    assert fill(feed, 2, size=100) == [2]
    assert feed.put(3, 3, 100) == [2]


def test_a_browser_that_began_anew_is_sent_all_again():
    feed = SliceFeed(2)
    fill(feed, 0)
    feed.forget()
    assert fill(feed, 0) == [0, 1]


@given(st.lists(st.integers(0, 49), min_size=1), st.integers(1, 12), st.integers(1, 500))
def test_what_is_held_is_bounded_and_what_is_seen_is_there(positions, ahead, budget):
    feed = SliceFeed(50, ahead=ahead, budget=budget)
    held: dict[int, int] = {}
    for at in positions:
        steps = 0
        while (number := feed.missing(at)) is not None:
            held[number] = 40
            for dropped in feed.put(at, number, 40):
                del held[dropped]
            steps += 1
            assert steps <= 2 * ahead + 1  # it comes to an end
        assert at in held
        assert sum(held.values()) <= max(budget, 80)
