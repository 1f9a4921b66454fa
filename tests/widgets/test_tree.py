"""The tree, without a browser: what is loaded, and what the browser is sent."""

from __future__ import annotations

from itertools import count

import pytest

from orthanc_lab.widgets.elements.tree import Node, Tree


class Family:
    """Branches that count what is asked of them."""

    def __init__(self, **lines: list[str]) -> None:
        self.lines = {"": lines.pop("roots"), **lines}
        self.asked: list[str] = []

    def children(self, id):
        for name in self.lines.get(id, []):
            self.asked.append(name)
            yield Node(name, name.capitalize(), parent=id)


class Endless:
    """Branches without an end."""

    def __init__(self) -> None:
        self.asked = 0

    def children(self, id):
        for number in count():
            self.asked += 1
            yield Node(f"{id}{number},", str(number), parent=id)


def heard(tree: Tree) -> list[dict]:
    """Let a browser say hello, and return the list of what it is sent from then on."""
    sent: list[dict] = []
    tree.send = lambda message, buffers=None: sent.append(message)
    tree._handle_custom_msg({"kind": "hello"}, [])
    return sent


def test_a_page_at_a_time():
    branches = Endless()
    tree = Tree(branches, label="Numbers", page=10)
    sent = heard(tree)
    assert (len(tree.level()), tree.has_more(), branches.asked) == (10, True, 11)
    tree._handle_custom_msg({"kind": "more", "id": ""}, [])
    assert [node.label for node in tree.level()] == [str(number) for number in range(20)]
    assert branches.asked == 21
    assert [message["kind"] for message in sent] == ["levels", "more"]
    assert len(sent[1]["nodes"]) == 10


def test_the_end_of_a_long_list_is_soon_reached():
    tree = Tree(Endless(), label="Numbers", page=100)
    for _ in range(6):
        tree.more("")
    assert len(tree.level()) == 6400, "5,000 patients in six clicks"


def test_one_message_for_an_opened_level():
    tree = Tree(Family(roots=["a", "b"], a=["c", "d"]), label="Letters")
    sent = heard(tree)
    sent.clear()
    tree.opened = ["a"]
    assert len(sent) == 1
    assert [node["label"] for node in sent[0]["levels"][0]["nodes"]] == ["C", "D"]
    tree.opened = []
    tree.opened = ["a"]
    assert len(sent) == 1


def test_a_browser_that_comes_later_is_told_all_in_one_message():
    tree = Tree(Family(roots=["a", "b"], a=["c", "d"]), label="Letters")
    tree.opened = ["a"]
    sent = heard(tree)
    assert [level["parent"] for level in sent[0]["levels"]] == ["", "a"]
    assert len(sent) == 1


def test_only_a_level_that_differs_is_sent_again():
    branches = Family(roots=["a", "b"], a=["c", "d"], b=["e"])
    tree = Tree(branches, label="Letters")
    tree.opened = ["a", "b"]
    sent = heard(tree)
    sent.clear()
    tree.reload()
    assert sent == []
    branches.lines["b"].append("f")
    tree.reload()
    assert [[level["parent"] for level in message["levels"]] for message in sent] == [["b"]]


def test_a_closed_level_is_forgotten_not_read_again():
    branches = Family(roots=["a"], a=["c"])
    tree = Tree(branches, label="Letters")
    tree.opened = ["a"]
    tree.opened = []
    sent = heard(tree)
    branches.asked.clear()
    tree.reload()
    assert branches.asked == ["a"]
    assert sent[1:] == [{"kind": "forget", "parent": "a"}]


def test_what_vanished_takes_its_branches_along():
    branches = Family(roots=["a", "b"], a=["c"], c=["d"])
    tree = Tree(branches, label="Letters")
    tree.opened = ["a", "c"]
    branches.lines[""].remove("a")
    tree.reload()
    assert [node.id for node in tree.level()] == ["b"]
    assert tree.level("a") == tree.level("c") == []
    assert tree.opened == []


def test_removal_unchecks_and_unpicks():
    tree = Tree(Family(roots=["a", "b"], a=["c"]), label="Letters", mode="check", current="a")
    tree.toggle("a")
    tree.remove({"a"})
    assert (tree.checked, tree.current, [node.id for node in tree.level()]) == ([], "", ["b"])


def test_checking_by_the_browser():
    tree = Tree(Family(roots=["a", "b"], a=["c", "d"]), label="Letters", mode="check")
    tree.opened = ["a"]
    tree._handle_custom_msg({"kind": "toggle", "id": "c"}, [])
    assert (tree.checked, tree.mixed) == (["c"], ["a"])
    tree._handle_custom_msg({"kind": "toggle", "id": "d"}, [])
    assert (tree.checked, tree.mixed) == (["a"], [])
    tree._handle_custom_msg({"kind": "toggle", "id": "c"}, [])
    assert tree.checked == ["d"]


def test_what_cannot_be_opened_closes_again_and_is_said():
    class Away(Family):
        def children(self, id):
            if id:
                raise OSError("away")
            return super().children(id)

    said = []

    def guard(action, doing):
        try:
            action()
        except OSError as error:
            said.append(f"{doing}: {error}")

    tree = Tree(Away(roots=["a"]), label="Letters", guard=guard)
    tree.opened = ["a"]
    assert (said, tree.opened) == (["Opening: away"], [])
    with pytest.raises(OSError, match="away"):
        Tree(Away(roots=["a"]), label="Letters").opened = ["a"]


def test_letters_typed_in_an_element_are_no_commands_of_the_notebook():
    assert "keepKeys(el);" in Tree(Endless(), label="Numbers", page=1)._esm
    assert Tree._esm.startswith("// Prepended")
