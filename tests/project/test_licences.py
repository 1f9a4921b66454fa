"""What the extras install, with all that it needs in turn, is free to use in products of any kind."""

from __future__ import annotations

import importlib.metadata
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
FOR_USERS = sorted(set(EXTRAS) - {"test", "docs"})

ALLOWED = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|ISCL|HPND|Historical Permission Notice|PSF|PSFL|Python-2\.0|Python Software Foundation"
    r"|Zlib|Unlicense|CC0-1\.0|public domain|LGPL|Lesser General Public|MPL|Mozilla Public)",
    re.IGNORECASE,
)
REFUSED = re.compile(r"\bA?GPL|General Public License|Affero|Proprietary|SSPL|Commons Clause", re.IGNORECASE)
LESSER = re.compile(r"\bLGPL|Lesser General Public License", re.IGNORECASE)

# By name: why it may stand here although its metadata do not say so.
KNOWN = {
    "axe-playwright-python": "its file LICENSE is the MIT licence; axe-core, which it brings, is under the MPL 2.0",
    "simpervisor": "its file LICENSE is the 3-clause BSD licence of Project Jupyter",
}

# Tools of the test suite alone, which nothing of ours imports or ships.
TOOLS = {
    "docutils": "builds the site; its modules are public domain or BSD, the GPL one is a mode for Emacs, not installed"
}


def requirements_of(name: str, extras: frozenset[str]) -> Iterable[str]:
    """Return the requirements of a distribution; those of this project come from its file, not from an old install."""
    if name == PROJECT["name"]:
        return [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return importlib.metadata.requires(name) or []


def installed_by(extras: Iterable[str]) -> set[str]:
    """Return the names of all distributions that the extras of this project need, in turn."""
    seen: set[tuple[str, frozenset[str]]] = set()
    open_ones = [(PROJECT["name"], frozenset(extras))]
    while open_ones:
        name, wanted = open_ones.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            lines = requirements_of(name, wanted)
        except importlib.metadata.PackageNotFoundError:
            missing = f"{name} is not installed: pip install -e '.[test]'"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
        for requirement in map(Requirement, lines):
            if needed(requirement, wanted):
                open_ones.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in seen} - {PROJECT["name"]}


def needed(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Tell whether a requirement counts on this machine."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def licences_of(name: str) -> Iterator[str]:
    """Yield what the metadata of a distribution say: an SPDX expression, else classifiers, else the first line."""
    metadata = importlib.metadata.metadata(name)
    expression = metadata.get("License-Expression")
    if expression:
        yield expression
        return
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License :: ")]
    yield from (line.rpartition(" :: ")[2] for line in classifiers if line != "License :: OSI Approved")
    text = (metadata.get("License") or "").strip()
    if text and "\n" not in text:
        yield text


def is_free(licences: Iterable[str]) -> bool:
    """Tell whether at least one licence is permissive, LGPL or MPL, and none is stricter."""
    found = list(licences)
    return any(ALLOWED.search(text) for text in found) and not any(refuses(text) for text in found)


def refuses(text: str) -> bool:
    """Tell whether a text binds to a stricter licence; one of several to choose from does not."""
    choices = re.split(r"\bor\b", text, flags=re.IGNORECASE)
    return all(REFUSED.search(LESSER.sub("", choice)) for choice in choices)


def offending(extras: Iterable[str]) -> list[str]:
    """Return a line for each distribution that may not be there."""
    lines = []
    for name in sorted(installed_by(extras)):
        licences = list(licences_of(name))
        if name not in KNOWN and not is_free(licences):
            lines.append(f"{name}: {' | '.join(licences) or 'its metadata name no licence'}")
    return lines


@pytest.mark.parametrize("extra", ["", *FOR_USERS])
def test_what_an_extra_installs_is_free(extra: str) -> None:
    found = offending([extra] if extra else [])
    assert not found, "\n".join(found)


def test_what_tests_and_documentation_install_is_free_or_listed() -> None:
    found = [line for line in offending(["test", "docs"]) if line.partition(":")[0] not in TOOLS]
    assert not found, "\n".join(found)


def test_no_line_of_the_lists_is_stale() -> None:
    names = installed_by(EXTRAS)
    assert set(KNOWN) | set(TOOLS) <= names
    assert [name for name in (*KNOWN, *TOOLS) if is_free(licences_of(name))] == []


@pytest.mark.parametrize(
    ("licences", "free"),
    [
        (["MIT"], True),
        (["GNU Lesser General Public License v3 (LGPLv3)"], True),
        (["LGPL-3.0-or-later"], True),
        (["GNU General Public License v3 (GPLv3)"], False),
        (["GPL V3.0"], False),
        (["BSD License", "GNU General Public License v3 (GPLv3)"], False),
        (["MIT OR GPL-2.0-or-later"], True),
        (["MPL-2.0 AND MIT"], True),
        (["AGPL-3.0"], False),
        (["Other/Proprietary License"], False),
        ([], False),
    ],
)
def test_licences_are_told_apart(licences: list[str], free: bool) -> None:
    assert is_free(licences) == free
