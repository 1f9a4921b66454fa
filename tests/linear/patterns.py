"""The regular expressions of the package, found by themselves, and texts that make a bad one slow."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import orthanc_lab

__all__ = ["Found", "attacks", "built_at_run_time", "find_patterns", "weaknesses"]

ROOT = Path(orthanc_lab.__file__).parent
SEARCHING = frozenset({"search", "sub", "subn", "finditer", "findall", "split"})
MATCHING = frozenset({"match", "fullmatch"})
MANY = 1000  # a repetition of at least so many counts as one without end
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
BYTES = frozenset(range(256))


@dataclass(frozen=True)
class Found:
    """A pattern, and the methods that its module calls."""

    where: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]


def find_patterns() -> list[Found]:
    return [found for module in _modules() for found in _patterns_of(module)]


def built_at_run_time() -> list[str]:
    """Return the calls of `re` whose pattern is neither a constant nor an attribute of its module."""
    found = []
    for path in _modules():
        constants = {id(node.value) for node in _tree(path).body if isinstance(node, ast.Assign)}
        for call in _calls(_tree(path)):
            if id(call) not in constants and not isinstance(call.args[0], ast.Constant):
                found.append(f"{path.relative_to(ROOT)}: {ast.unparse(call.args[0])}")
    return found


def _modules() -> list[Path]:
    """Return the modules that use `re`, but for the ones that compare servers for the tests."""
    paths = [path for path in sorted(ROOT.rglob("*.py")) if "testing" not in path.parts]
    return [path for path in paths if re.search(r"^import re\b|^from re ", path.read_text(), re.M)]


_trees: dict[Path, ast.Module] = {}


def _tree(path: Path) -> ast.Module:
    if path not in _trees:
        _trees[path] = ast.parse(path.read_text())
    return _trees[path]


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of = node.func.value
            if isinstance(of, ast.Name) and of.id == "re" and node.func.attr in {*SEARCHING, *MATCHING, "compile"}:
                yield node


def _patterns_of(path: Path) -> Iterator[Found]:
    name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    used: dict[str, set[str]] = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
    for attribute, value in vars(importlib.import_module(name)).items():
        if isinstance(value, re.Pattern):
            methods = frozenset(used.get(attribute, set())) & (SEARCHING | MATCHING)
            yield Found(f"{name}.{attribute}", value, methods or SEARCHING | MATCHING)
    assigned = {id(node.value) for node in _tree(path).body if isinstance(node, ast.Assign)}
    for call in _calls(_tree(path)):
        text = call.args[0]
        if isinstance(text, ast.Constant) and id(call) not in assigned:
            assert isinstance(call.func, ast.Attribute)
            method = call.func.attr
            methods = frozenset({method}) if method != "compile" else SEARCHING | MATCHING
            yield Found(f"{name}:{call.lineno}", re.compile(text.value), methods)


# -- structure ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """One step of a pattern, as far as the question goes which letters it takes."""

    letters: frozenset[int]
    optional: bool
    endless: bool = False  # a repetition that gives back what it took
    greedy_only: bool = False  # one that does not
    at_end: bool = False  # no letter: the end of the text


def weaknesses(found: Found) -> list[str]:
    """Return what could make a pattern take more than linear time.

    Two endless repetitions of the same letters share a text in as many ways as it has letters; one inside of the
    other in far more. A search begins anew at each letter of a repetition which is followed by something that is not
    there. Possessive repetitions (``a*+``) and atomic groups never give back, and are safe against the first two.
    """
    tree = parser.parse(found.pattern.pattern, found.pattern.flags & ~re.DEBUG)
    ways = _ways(tree)
    problems = [*_nested(tree, False), *(problem for way in ways for problem in _of_way(way, ways, found.methods))]
    return list(dict.fromkeys(problems))


def _of_way(pieces: Sequence[Piece], ways: Sequence[Sequence[Piece]], methods: frozenset[str]) -> Iterator[str]:
    endless = [place for place, piece in enumerate(pieces) if piece.endless]
    for first, second in itertools.pairwise(endless):
        between = pieces[first + 1 : second]
        both = pieces[first].letters & pieces[second].letters
        if both and all(piece.optional or piece.letters & pieces[first].letters for piece in between):
            yield "two endless repetitions share letters"
    if methods & SEARCHING:
        for place, piece in enumerate(pieces):
            repeats = (piece.endless or piece.greedy_only) and not _goes_on(pieces[: place + 1], ways)
            follows = any(not later.optional for later in pieces[place + 1 :])
            restarts = all(before.optional or before.letters & piece.letters for before in pieces[:place])
            if repeats and follows and restarts:
                yield "a search begins anew inside of a repetition"


def _goes_on(pieces: Sequence[Piece], ways: Sequence[Sequence[Piece]]) -> bool:
    """Tell whether the text always fits after a repetition: whatever follows, or its end."""
    rests = [way[len(pieces) :] for way in ways if way[: len(pieces)] == pieces]
    letters = pieces[-1].letters.union(*(rest[0].letters for rest in rests if rest))
    return letters == BYTES and any(all(piece.optional or piece.at_end for piece in rest) for rest in rests)


def _nested(tree: Any, inside: bool) -> Iterator[str]:
    for code, argument in tree:
        if code in REPEATS:
            _, most, body = argument
            endless = code is not codes.POSSESSIVE_REPEAT and most >= MANY
            if endless and inside:
                yield "an endless repetition inside of another one"
            yield from _nested(body, inside or endless)
        else:
            for part in _parts(code, argument):
                yield from _nested(part, inside and code is not codes.ATOMIC_GROUP)


def _parts(code: Any, argument: Any) -> Sequence[Any]:
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code is codes.BRANCH:
        return list(argument[1])
    if code is codes.ATOMIC_GROUP:
        return [argument]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [argument[1]]
    return []


def _ways(tree: Any) -> list[list[Piece]]:
    """Return the steps of a pattern, for each way through its alternatives."""
    ways: list[list[Piece]] = [[]]
    for code, argument in tree:
        if code in REPEATS:
            least, most, body = argument
            endless, keeps = most >= MANY, code is codes.POSSESSIVE_REPEAT
            steps = [[Piece(_letters(body), least == 0, endless and not keeps, endless and keeps)]]
        elif code is codes.BRANCH:
            steps = [way for part in argument[1] for way in _ways(part)]
        elif code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
            steps = _ways(_parts(code, argument)[0])
        elif code is codes.ASSERT_NOT and argument[0] < 0:
            steps = [[Piece(BYTES - _letters(argument[1]), False)]]
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            continue
        else:  # a letter; or a place, which has none
            end = code is codes.AT and argument in (codes.AT_END, codes.AT_END_STRING)
            steps = [[Piece(_letters([(code, argument)]), False, at_end=end)]]
        ways = [[*before, *after] for before in ways for after in steps]
    return ways


def _letters(tree: Any) -> frozenset[int]:
    """Return the letters up to 255 that any part of a pattern takes; those above count as `255`."""
    found: set[int] = set()
    for code, argument in tree:
        if code is codes.LITERAL:
            found.add(min(argument, 255))
        elif code is codes.NOT_LITERAL:
            found |= BYTES - {argument}
        elif code is codes.ANY:
            found |= BYTES
        elif code is codes.IN:
            found |= {byte for byte in BYTES if _is_in(argument, byte)}
        elif code in REPEATS:
            found |= _letters(argument[2])
        else:
            for part in _parts(code, argument):
                found |= _letters(part)
    return frozenset(found)


def _is_in(items: Any, byte: int) -> bool:
    negated = bool(items) and items[0][0] is codes.NEGATE
    for code, argument in items:
        hit = (
            (code is codes.LITERAL and argument == byte)
            or (code is codes.RANGE and argument[0] <= byte <= argument[1])
            or (code is codes.CATEGORY and re.fullmatch(_CATEGORIES[argument], chr(byte)) is not None)
        )
        if hit:
            return not negated
    return negated


_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


# -- attacks -----------------------------------------------------------------------------------------------------


def attacks(pattern: re.Pattern[Any], size: int) -> Iterator[Any]:
    """Yield texts of about `size` letters: each repetition pumped, before something that does not follow."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    for head, body in _repetitions(tree, ""):
        pump = body or "x"
        for tail in ("", "\0", "x "):
            once = head + pump * (size // len(pump)) + tail
            again = (head + pump * 8) * (size // (len(head) + 8 * len(pump))) + tail
            for attack in (once, again):
                yield attack if isinstance(pattern.pattern, str) else attack.encode("latin-1", "replace")


def _repetitions(tree: Any, head: str) -> Iterator[tuple[str, str]]:
    """Yield each endless repetition as what stands before it, and one text that it takes."""
    for code, argument in tree:
        if code in REPEATS:
            least, most, body = argument
            if most >= MANY:
                yield head, _sample(body)
            yield from _repetitions(body, head)
            head += _sample(body) * max(least, 1)
        else:
            for part in _parts(code, argument):
                yield from _repetitions(part, head)
            head += _sample([(code, argument)])


def _sample(tree: Any) -> str:
    text = ""
    for code, argument in tree:
        if code is codes.LITERAL:
            text += chr(argument)
        elif code in (codes.NOT_LITERAL, codes.ANY, codes.IN):
            letters = _letters([(code, argument)])
            text += next((chr(byte) for byte in (*b"a1 .-", *sorted(letters)) if byte in letters), "")
        elif code in REPEATS:
            text += _sample(argument[2]) * max(argument[0], 1)
        elif code is codes.BRANCH:
            text += _sample(argument[1][0])
        elif code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
            text += _sample(_parts(code, argument)[0])
    return text
