"""The commands on the pages and in messages work as they stand in zsh, too, and install what can be installed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import program

ROOT = Path(__file__).parents[2]
PROGRAMS = r"pip|curl|orthanc-lab|pytest|python3?|prometheus|jupyter|voila|apt-get|ORTHANC_URL=\S+|\.venv/bin/\S+"
FENCE = re.compile(r"^(`{3,})(?:\{[\w-]+\} *)?([\w.-]*)\n(?::caption:[^\n]*\n)?(.*?)^\1$", re.M | re.S)
WORDS = re.compile(rf"(?<!`)`((?:{PROGRAMS})\s[^`]+)`(?!`)")

# Every program is there and does nothing, but zsh expands what it is given; a comment is none at a prompt.
PROMPT = """\
command_not_found_handler() { [[ $1 != '#' && $* == *' # '* ]] && print -u2 "not a comment: $*"; return 0 }
PATH=
"""


def pages() -> Iterator[tuple[str, str]]:
    """Return the texts that people read, by their names."""
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))):
        yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        yield path.name, "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def blocks(text: str) -> list[str]:
    """Return the commands in the blocks of a page."""
    found = [(language, re.sub(r"^\$ ", "", body, flags=re.M)) for _, language, body in FENCE.findall(text)]
    return [body for language, body in found if language == "sh" or re.match(rf"(?:{PROGRAMS})\s", body)]


PAGES = list(pages())
COMMANDS = [(name, code) for name, text in PAGES for code in (*blocks(text), *WORDS.findall(FENCE.sub("", text)))]


@pytest.mark.parametrize(("page", "code"), COMMANDS, ids=[page for page, _ in COMMANDS])
def test_a_command_works_in_zsh(page: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "handed-in").mkdir()
    (tmp_path / "handed-in" / "anna.ipynb").touch()
    for number in range(4):
        (tmp_path / f"server-{number}").mkdir()
    done = subprocess.run(
        [program("zsh"), "-f", "-i", "-s"],
        cwd=tmp_path, input=f"{PROMPT}{code}\n", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert not re.search("no matches found|not a comment|parse error|bad pattern", done.stderr), done.stderr


def test_commands_are_found() -> None:
    assert {"README.md", "docs/how-to/class.md", "10_several_servers.ipynb"} <= {page for page, _ in COMMANDS}


@pytest.mark.parametrize(("page", "text"), PAGES, ids=[page for page, _ in PAGES])
def test_the_package_is_installed_from_a_checkout(page: str, text: str) -> None:
    """By its name, pip finds it only where it is installed already: there it adds an extra."""
    assert re.findall(r"pip install [^`\n&]*(?<=[ '\"])orthanc-lab(?!\[)", text) == []
    fenced = "".join(body for _, _, body in FENCE.findall(text))
    assert re.findall(r"pip install [^\n&]*(?<=[ '\"])orthanc-lab", fenced) == []


def test_messages_quote_the_brackets_of_an_extra() -> None:
    unquoted = re.compile(r"pip install [^'\"\n]*\[")
    files = (ROOT / "orthanc_lab").rglob("*.py")
    assert [path.name for path in files if unquoted.search(path.read_text("utf-8"))] == []
