"""One spelling, the American one, in everything that a user reads: pages, lessons, and the texts of the program."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEMS = (
    *("colour", "grey", "centre", "behaviour", "neighbour", "labelled", "cancelled", "cancelling", "honour", "favour"),
    *("licence", "catalogue", "metre", "anonymis", "authoris", "capitalis", "initialis", "normalis", "organis"),
    *("recognis", "serialis", "synchronis"),
)
BRITISH = re.compile(rf"\b(?:(?:centi|milli)?(?:{'|'.join(STEMS)}))(?:s|ed|e|es|ing|ation)?\b", re.IGNORECASE)
OF_OTHERS = ("Grey^Meredith", "by Dr. Grey", "title not recognised")  # a name, and words of pynetdicom
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
LESSONS = sorted(ROOT.glob("notebooks/*.ipynb"))
MODULES = sorted(ROOT.glob("orthanc_lab/**/*.py"))
SCRIPTS = [*ROOT.glob("orthanc_lab/**/*.js"), *ROOT.glob("orthanc_lab/**/*.html")]


def _may_be_british(text: str) -> bool:
    """Tell so quickly: few texts are looked at closely."""
    small = text.lower()
    return any(stem in small for stem in STEMS)


def _british(text: str) -> list[str]:
    if not _may_be_british(text):
        return []
    for words in OF_OTHERS:
        text = text.replace(words, "")
    return BRITISH.findall(text)


def _texts_of_module(path: Path) -> Iterator[str]:
    """Yield the texts of a module that are not documentation: messages and labels, which have several words."""
    source = path.read_text("utf-8")
    if not _may_be_british(source):
        return
    tree = ast.parse(source)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in alone:
            continue
        if " " in node.value:
            yield node.value


def _texts_of_script(path: Path) -> Iterator[str]:
    for quoted in re.findall(r'"[^"\n]*"|`[^`\n]*`', path.read_text("utf-8")):
        text = re.sub(r"\w*\$\{[^}]*\}", "", quoted)
        if len(text.strip('"`').split()) > 2:  # not the names of classes
            yield text


def test_pages() -> None:
    assert {str(path): found for path in PAGES if (found := _british(path.read_text("utf-8")))} == {}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lessons(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    texts = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert _british(texts) == []


def test_texts_of_the_program() -> None:
    found = {(path.name, text) for path in MODULES for text in _texts_of_module(path) if _british(text)}
    found |= {(path.name, text) for path in SCRIPTS for text in _texts_of_script(path) if _british(text)}
    assert found == set()
