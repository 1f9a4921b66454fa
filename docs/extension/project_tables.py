"""Tables generated from the project's own code, so that they always agree with it."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.napoleon import NumpyDocstring
from sphinx.util.docutils import SphinxDirective

from orthanc_lab.frames.columns import COLUMNS
from orthanc_lab.server.api_document import openapi
from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.testing import plugin
from orthanc_lab.testing.faults.kinds import KINDS
from orthanc_lab.testing.scenarios import LEDGER

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("get", "post", "put", "delete")

Row = Sequence[str]


class Table(SphinxDirective):
    """A table whose cells are text in the page's markup."""

    has_content = False
    optional_arguments = 1
    final_argument_whitespace = True
    heads: Row
    widths: Sequence[int]

    def rows(self) -> Iterable[Row]:
        """Return the cells."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = list(self.rows())
        if not rows:
            raise self.error(f"The table {self.name} of {self.arguments} is empty")
        group = nodes.tgroup(cols=len(self.heads))
        group.extend(nodes.colspec(colwidth=width) for width in self.widths)
        group += nodes.thead("", self._row(self.heads))
        group += nodes.tbody("", *map(self._row, rows))
        return [nodes.table("", group, classes=[self.name, "from-project", "colwidths-given"])]

    def _row(self, cells: Row) -> nodes.row:
        return nodes.row("", *(nodes.entry("", *self.parse_text_to_nodes(cell)) for cell in cells))


class Settings(Table):
    """The configuration options that are supported or, with the argument ``not``, those that are not."""

    heads = ("Option", "Default", "What it does")
    widths = (38, 20, 42)

    def rows(self) -> Iterable[Row]:
        """One row for each option, by name."""
        honoured = self.arguments != ["not"]
        for option in sorted(OPTIONS.values(), key=lambda option: option.name.lower()):
            if option.honoured is honoured:
                default = "not set" if option.default is None else f"`{json.dumps(option.default)}`"
                yield f"`{option.name}`", default, option.meaning


class Routes(Table):
    """Routes of the REST API below a path."""

    heads = ("Route", "Verb", "What it does")
    widths = (54, 12, 34)

    def rows(self) -> Iterable[Row]:
        """One row for each route and verb, as in ``orthanc-lab --openapi``."""
        for path, verbs in routes().items():
            if family(path) == self.arguments[0]:
                told = [(verb, verbs[verb]["summary"].replace("``", "`")) for verb in VERBS if verb in verbs]
                for index, (verb, summary) in enumerate(told):
                    yield "" if index else f"`{path}`", verb.upper(), summary


class Columns(Table):
    """Columns of the frames."""

    heads = ("Column", "Type", "Unit", "Meaning")
    widths = (20, 15, 10, 55)

    def rows(self) -> Iterable[Row]:
        """One row for each column."""
        for name, column in COLUMNS.items():
            yield f"`{name}`", f"`{getattr(column.dtype, 'name', column.dtype)}`", column.unit, column.meaning


class Ledger(Table):
    """Accepted differences from Orthanc, under a heading of the ledger."""

    heads = ("Where", "What differs", "Why")
    widths = (30, 25, 45)

    def rows(self) -> Iterable[Row]:
        """One row for each line of the ledger."""
        for entry in ledger()[self.arguments[0]]:
            where = entry.get("exchange") or (f"scenario {entry['scenario']}" if "scenario" in entry else "everywhere")
            yield f"`` {where} ``", f"`` {entry.get('field', 'anything')} ``", entry["reason"]


class Faults(Table):
    """The faults that can be switched on."""

    heads = ("Fault", "What happens", "What a good client does", "Takes")
    widths = (22, 34, 34, 10)

    def rows(self) -> Iterable[Row]:
        """One row for each fault."""
        for kind in KINDS.values():
            yield f"`{kind.name}`", kind.what, kind.good_client, ", ".join(f"`{name}`" for name in kind.when)


class Parts(SphinxDirective):
    """A section for each part of a table: a heading, and the directive for that part."""

    part: str

    def headings(self) -> Iterable[str]:
        """Return the names of the parts, in order."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        text = "\n\n".join(f"## {heading}\n\n```{{{self.part}}} {heading}\n```" for heading in self.headings())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class LedgerParts(Parts):
    """The whole ledger."""

    part = "ledger-part"

    def headings(self) -> Iterable[str]:
        """Headings of the ledger that have lines."""
        return [heading for heading, lines in ledger().items() if lines]


class RouteParts(Parts):
    """All routes."""

    part = "routes-below"

    def headings(self) -> Iterable[str]:
        """First parts of the paths."""
        return sorted({family(path) for path in routes()})


class CommandLine(SphinxDirective):
    """What ``orthanc-lab --help`` prints, or a sub-command (argument)."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the text unchanged."""
        command = [sys.executable, "-m", "orthanc_lab", *self.arguments, "--help"]
        environment = {**os.environ, "COLUMNS": "90", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return [nodes.literal_block("", done.stdout, language="text", classes=["command-line"])]


class Fixtures(SphinxDirective):
    """The fixtures of the pytest plug-in, from their docstrings."""

    def run(self) -> list[nodes.Node]:
        """Return one entry for each fixture."""
        return self.parse_text_to_nodes("\n\n".join(map(self._entry, plugin.__all__)))

    def _entry(self, name: str) -> str:
        text = str(NumpyDocstring(inspect.getdoc(getattr(plugin, name)) or "", self.config))
        body = "\n".join(f"   {line}" for line in text.splitlines())
        return f"```{{eval-rst}}\n.. py:data:: {name}\n   :module: orthanc_lab.testing.plugin\n\n{body}\n```"


@cache
def routes() -> dict[str, dict[str, dict[str, str]]]:
    """Return a description of each verb of each route."""
    found: dict[str, dict[str, dict[str, str]]] = json.loads(openapi())["paths"]
    return found


def family(path: str) -> str:
    """Return the first part of a path."""
    return "/" + path.split("/")[1]


@cache
def ledger() -> dict[str, list[dict[str, str]]]:
    """Return the lines of the ledger by heading."""
    return dict(_parts(LEDGER.read_text("utf-8")))


def _parts(text: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    for part in text.split("\n# --- ")[1:]:
        heading, _, lines = part.partition("\n")
        yield heading.strip(" -"), tomllib.loads(lines).get("accepted", [])


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    for name, directive in {
        "settings": Settings,
        "routes": RouteParts,
        "routes-below": Routes,
        "columns": Columns,
        "ledger": LedgerParts,
        "ledger-part": Ledger,
        "command-line": CommandLine,
        "faults": Faults,
        "fixtures": Fixtures,
    }.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
