"""The snippets of a page, as they stand in its source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

__all__ = ["ADDRESS", "HOW_TO", "Snippet", "snippets"]

ADDRESS = "http://localhost:8042"
"""Where the pages say that the server is."""

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"

_FENCE = re.compile(r"^(?P<fence>`{3,})(?:\{code-block\} *)?(?P<language>\w+)\n(?P<body>.*?)^(?P=fence)$", re.M | re.S)
_HEADING = re.compile(r"^#{1,2} (.+)$", re.M)
_OPTION = re.compile(r"\A:(\w+): *(.+)\n")


@dataclass(frozen=True)
class Snippet:
    """One block of code of a page."""

    page: str
    heading: str  # the last one before it
    language: str
    caption: str  # "" for none
    code: str
    line: int  # of the first line of the code, from 1

    def compiled(self, addresses: Mapping[str, str]) -> CodeType:
        """Return the code with other addresses; a traceback shows the line of the page."""
        code = self.code
        for shown, real in addresses.items():
            code = code.replace(shown, real)
        return compile("\n" * (self.line - 1) + code, str(HOW_TO / self.page), "exec")


def snippets(page: str) -> Iterator[Snippet]:
    """Return the blocks of a page in their order."""
    text = (HOW_TO / page).read_text("utf-8")
    blocks = list(_FENCE.finditer(text))
    headings = [
        (match.start(), match[1])
        for match in _HEADING.finditer(text)
        if not any(block.start() < match.start() < block.end() for block in blocks)  # a comment in code
    ]
    for match in blocks:
        body, options = match["body"], {}
        while option := _OPTION.match(body):
            options[option[1]] = option[2]
            body = body[option.end() :]
        heading = [words for start, words in headings if start < match.start()][-1]
        line = text.count("\n", 0, match.end() - len(match["fence"]) - len(body)) + 1
        yield Snippet(page, heading, match["language"], options.get("caption", ""), body, line)
