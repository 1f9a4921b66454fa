"""Each extension of the how-to page works in a copy of the package, and touches as many files as its heading tells."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import Snippet, snippets

ROOT = Path(__file__).parents[2]
PAGE = "extend.md"
EXTENSIONS = list(dict.fromkeys(snippet.heading for snippet in snippets(PAGE)))
FILES = {"A kind of job": 3, "A route": 2, "An option": 2, "A transfer syntax": 2, "A panel": 3}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "orthanc_lab", tmp_path / "orthanc_lab")  # with its bytecode, as times are kept
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


def edited(text: str, diff: str) -> str:
    """Return a text after the hunks of a diff; each must stand in it once."""
    for hunk in re.split(r"(?m)^@@.*\n", diff)[1:]:
        lines = [line or " " for line in hunk.splitlines()]
        old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
        new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
        assert text.count(old) == 1, f"not there once:\n{old}"
        text = text.replace(old, new)
    return text


def extend(folder: Path, snippet: Snippet) -> None:
    path = folder / snippet.caption
    if snippet.language == "diff":
        path.write_text(edited(path.read_text("utf-8"), snippet.code), "utf-8")
    else:
        assert not path.exists(), "a new file"
        path.parent.mkdir(exist_ok=True)
        path.write_text(snippet.code.lstrip("\n"), "utf-8")


def test_the_page_shows_every_extension() -> None:
    assert {heading.partition(":")[0] for heading in EXTENSIONS} == set(FILES)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("heading", EXTENSIONS)
def test_an_extension(heading: str, copy: Path) -> None:
    steps = [snippet for snippet in snippets(PAGE) if snippet.heading == heading]
    touched = {step.caption for step in steps if step.caption}
    name, _, promise = heading.partition(": ")
    assert (len(touched), promise) == (FILES[name], f"{FILES[name]} files")
    checks = [step.code for step in steps if not step.caption]
    assert checks, "nothing shows that it works"
    for step in steps:
        if step.caption:
            extend(copy, step)
    for check in checks:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", check], cwd=copy, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
