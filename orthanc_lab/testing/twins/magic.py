"""``%%twin``: a cell of a notebook on this server and on another one, side by side."""

from __future__ import annotations

import json
import shlex
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.utils.capture import capture_output

import orthanc_lab
from orthanc_lab.testing.certify.target import TargetError
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.scenarios import LEDGER
from orthanc_lab.testing.twin import Disagreement
from orthanc_lab.testing.twins.cell_page import CellOutput, page, texts
from orthanc_lab.testing.twins.comparing import Passed, compare
from orthanc_lab.testing.twins.other_server import NoOtherServerError, OtherServer
from orthanc_lab.testing.twins.twin_server import TwinServer

__all__ = ["TwinCell", "TwinMagics"]

_NAME = "cell"  # in a ledger
_MISSING = object()


class TwinCell:
    """What ``%%twin`` has found; a notebook shows it side by side.

    Attributes
    ----------
    differences
        The answers that differ in something that is not accepted.
    exchanges
        Number of answers that were compared.
    outputs
        What the cell put out on both sides, as text.
    """

    def __init__(
        self, other: str, outputs: tuple[CellOutput, CellOutput], differences: list[Disagreement], exchanges: int
    ) -> None:
        self._names = ("this server", other)
        self._outputs = outputs
        self.differences = differences
        self.exchanges = exchanges
        self.outputs = texts(outputs)

    def _repr_html_(self) -> str:
        return page(self._names, self._outputs, self.differences, self.exchanges)

    def __repr__(self) -> str:
        sides = [f"[{name}]\n{text}" for name, text in zip(self._names, self.outputs, strict=True)]
        verdict = f"Differences: {len(self.differences)}; answers compared: {self.exchanges}"
        return "\n".join([*sides, verdict, *map(str, self.differences)])


@magics_class
class TwinMagics(Magics):
    """The magic ``%%twin``; ``%load_ext orthanc_lab`` loads it."""

    @cell_magic
    def twin(self, line: str, cell: str) -> TwinCell:
        """Run a cell on this server and on another Orthanc, and show side by side what differs.

        Both servers are empty at first. The cell finds them as ``server`` (with ``url`` and ``session``), ``client``
        and ``url``::

            %%twin [--url URL | --program PATH | --recording FILE] [--ledger FILE] [OPTION=VALUE …]
            client.upload("scan.dcm")
            print(len(client.series))
        """
        chosen = _arguments(line)
        try:
            other = OtherServer(chosen.url, chosen.program, chosen.recording)
            options = dict(_option(word) for word in chosen.options)
            lines = [*Ledger.read(LEDGER).lines, *(Ledger.read(Path(chosen.ledger)).lines if chosen.ledger else [])]
            return self._run(cell, other, options, Ledger(lines))
        except (NoOtherServerError, TargetError, OSError, ValueError) as error:
            raise UsageError(str(error)) from error

    def _run(self, cell: str, other: OtherServer, options: Mapping[str, Any], ledger: Ledger) -> TwinCell:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twin-")))
            server = stack.enter_context(orthanc_lab.serve(options))
            ours = stack.enter_context(TwinServer("ours", server, folder / "ours"))
            real = stack.enter_context(other.start(options, folder / "real"))
            outputs = (self._put_out(cell, ours), self._put_out(cell, real))
            sides: list[list[Passed]] = [ours.exchanges(), real.exchanges()]
        report = compare(_NAME, *sides)
        return TwinCell(str(other), outputs, report.unaccepted(ledger), report.exchanges)

    def _put_out(self, cell: str, server: TwinServer) -> CellOutput:
        assert isinstance(self.shell, InteractiveShell)
        with orthanc_lab.Client.from_server(server) as client:
            names = {"server": server, "client": client, "url": server.url}
            with _names(self.shell.user_ns, names), _errors_printed(self.shell), capture_output() as captured:
                result = self.shell.run_cell(cell, store_history=False)  # type: ignore[no-untyped-call]
        return CellOutput(captured.stdout, [output.data for output in captured.outputs], not result.success)


@contextmanager
def _names(space: dict[str, Any], names: Mapping[str, Any]) -> Iterator[None]:
    """Give names to a cell, and afterwards back to what had them."""
    before = {name: space.get(name, _MISSING) for name in names}
    space.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            space.pop(name, None)
            if value is not _MISSING:
                space[name] = value


@contextmanager
def _errors_printed(shell: Any) -> Iterator[None]:
    """Let a cell that fails print its traceback, as in a terminal; a kernel would send it past the outputs."""
    usual = shell._showtraceback
    shell._showtraceback = lambda kind, error, lines: print("\n".join(lines))
    try:
        yield
    finally:
        shell._showtraceback = usual


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%twin: {message}")


def _arguments(line: str) -> Namespace:
    parser = _Parser(prog="%%twin", add_help=False)
    for name in ("--url", "--program", "--recording", "--ledger"):
        parser.add_argument(name, default="")
    parser.add_argument("options", nargs="*")
    return parser.parse_args(shlex.split(line))


def _option(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals:
        raise UsageError(f"%%twin: {word!r} is no OPTION=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
