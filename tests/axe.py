"""axe-core, which looks for what keeps people out of a web page: WCAG 2.2, levels A and AA."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from tests.programs import missing

__all__ = ["expression_for", "lines_of", "script"]

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def script() -> str:
    """Return the JavaScript to evaluate in a page first; without the package the test is skipped, in CI it fails."""
    try:
        return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    except ModuleNotFoundError:
        missing("axe-core is not installed: pip install axe-playwright-python")


def expression_for(selector: str) -> str:
    """Return the JavaScript that checks what is inside; its value is for `lines_of`."""
    options = {"resultTypes": ["violations"], "preload": False, "runOnly": {"type": "tag", "values": _RULES}}
    return f"axe.run({json.dumps(selector)}, {json.dumps(options)}).then((found) => found.violations)"


def lines_of(violations: list[dict[str, Any]]) -> list[str]:
    """Return a line for each element that breaks a rule: the rule, the element, what is wrong."""
    return [
        f"{violation['id']}: {node['html'][:200]} ({node['target']}): {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]
