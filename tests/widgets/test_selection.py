"""Check boxes of a tree that is loaded in part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.widgets.selection import Selection

TREE = {
    "p": ["s", "t"],
    "s": ["s1", "s2"],
    "t": ["t1"],
    "s1": [],
    "s2": [],
    "t1": [],
}
PARENTS = {child: parent for parent, children in TREE.items() for child in children} | {"p": ""}
LEAVES = {"s1", "s2", "t1"}


def below(id):
    return list(TREE[id])


def leaves(id):
    return {id} if id in LEAVES else {leaf for child in TREE[id] for leaf in leaves(child)}


@pytest.fixture
def selection():
    made = Selection()
    made.learn(PARENTS)
    return made


def test_a_checked_one_covers_all_below(selection):
    selection.toggle("p", below)
    assert [selection.state(id) for id in TREE] == ["true"] * 6
    assert list(selection.checked) == ["p"]


def test_above_a_checked_one_is_mixed(selection):
    selection.toggle("s1", below)
    assert selection.mixed == ["p", "s"]
    assert (selection.state("p"), selection.state("s2"), selection.state("t")) == ("mixed", "false", "false")


def test_unchecking_one_below_keeps_its_neighbours(selection):
    selection.toggle("p", below)
    selection.toggle("s1", below)
    assert set(selection.checked) == {"t", "s2"}


def test_all_below_checked_is_the_whole_where_all_is_known(selection):
    selection.toggle("s1", below)
    selection.toggle("s2", below, complete=lambda id: below(id) if id == "s" else None)
    assert list(selection.checked) == ["s"]


def test_what_is_gone_is_checked_no_more(selection):
    selection.toggle("s", below)
    selection.drop({"s", "unknown"})
    assert (selection.checked, selection.mixed) == ({}, [])


def test_when_the_server_does_not_answer_nothing_changes(selection):
    def away(id):
        raise OSError("away")

    selection.toggle("p", below)
    with pytest.raises(OSError, match="away"):
        selection.toggle("s1", away)
    assert list(selection.checked) == ["p"]


@given(st.lists(st.sampled_from(sorted(TREE))), st.booleans())
def test_it_always_means_a_set_of_leaves(clicks, all_known):
    selection = Selection()
    selection.learn(PARENTS)
    meant: set[str] = set()
    for id in clicks:
        meant = meant - leaves(id) if selection.state(id) == "true" else meant | leaves(id)
        selection.toggle(id, below, complete=below if all_known else lambda id: None)
        assert {leaf for leaf in LEAVES if selection.state(leaf) == "true"} == meant
        covered = [leaf for one in selection.checked for leaf in leaves(one)]
        assert sorted(covered) == sorted(meant)  # each one once
        assert all(selection.state(one) == "mixed" for one in selection.mixed)
