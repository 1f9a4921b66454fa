"""The results of a certification."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orthanc_lab.protocol.visible import visible
from orthanc_lab.testing.exchange import Answer, Exchange
from orthanc_lab.testing.likeness import Difference

__all__ = ["GONE", "AcceptedDifference", "Certificate", "Compared", "ScenarioResult"]

GONE = "come after the server stopped answering"
"""Why scenarios at the end were not run."""

_INDEX = re.compile(r"\[\d+\]")
_LENGTHS = re.compile(r" length \d+ != \d+")


@dataclass(frozen=True, slots=True)
class AcceptedDifference:
    """A difference that a line of a ledger accepts."""

    difference: Difference
    reason: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison of one answer with that of Orthanc 1.12.7."""

    line: str  # of the scenario
    differences: tuple[Difference, ...] = ()
    accepted: tuple[AcceptedDifference, ...] = ()
    skipped: str = ""  # why it could not be compared
    options: tuple[str, ...] = ()  # that may explain a difference
    exchange: Exchange | None = None  # these three only where something differs
    answer: Answer | None = None
    expected: Answer | None = None

    def __str__(self) -> str:
        parts = [f"--- {self.line}", *map(str, self.differences)]
        if self.options:
            parts.append(f"(may come from the option {', '.join(self.options)})")
        if self.exchange is not None:
            parts += [f"> {self.exchange}", f"[this server] {self.answer}", f"[Orthanc] {self.expected}"]
        return visible("\n".join(parts))


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The result of a scenario."""

    name: str
    compared: tuple[Compared, ...] = ()
    not_run: str = ""  # why it was not run
    seconds: float = 0.0

    @property
    def differing(self) -> list[Compared]:
        """The answers that differ in something that is not accepted."""
        return [one for one in self.compared if one.differences]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What differs between a server and Orthanc 1.12.7.

    Attributes
    ----------
    url
        Address of the server, without credentials.
    system
        What the server says of itself.
    options
        Options that are not at their defaults, as far as a client can see.
    results
        One for each scenario, also for those that were not run.
    left
        What could not be taken away again.
    """

    url: str
    version: str  # of the Orthanc that it is compared with
    system: Mapping[str, object]
    options: Mapping[str, str] = field(default_factory=dict)
    results: Sequence[ScenarioResult] = ()
    left: Sequence[str] = ()

    @property
    def differing(self) -> int:
        """Number of answers that differ."""
        return sum(len(result.differing) for result in self.results)

    @property
    def compared(self) -> int:
        """Number of answers that were compared."""
        return sum(not one.skipped for one in self._all())

    @property
    def accepted(self) -> int:
        """Number of answers that differ only in what a ledger accepts."""
        return sum(bool(one.accepted) and not one.differences for one in self._all())

    @property
    def skipped(self) -> Counter[str]:
        """Number of answers that could not be compared, by reason."""
        return Counter(one.skipped for one in self._all() if one.skipped)

    @property
    def not_run(self) -> Counter[str]:
        """Number of scenarios that were not run, by reason."""
        return Counter(result.not_run for result in self.results if result.not_run)

    @property
    def passed(self) -> bool:
        """Whether answers were compared, none differs, and the server answered to the end."""
        return self.compared > 0 and not self.differing and GONE not in self.not_run

    @property
    def verdict(self) -> str:
        """What came out, in a few words."""
        if self.differing:
            return f"{self.differing:,} of {self.compared:,} answers differ"
        if not self.compared:
            return "nothing was compared"
        return "no difference" if self.passed else "the server stopped answering"

    def fields(self) -> list[tuple[str, int]]:
        """Return what differs (``status``, ``header server`` …) with the number of answers, the most frequent first."""
        found = ({_without_numbers(difference.field) for difference in one.differences} for one in self._all())
        return Counter(field for fields in found for field in fields).most_common()

    def _all(self) -> Iterator[Compared]:
        return (one for result in self.results for one in result.compared)

    def __str__(self) -> str:
        compared = f"{self.compared:,} {'answer' if self.compared == 1 else 'answers'} compared"
        lines = [f"{self.url}, compared with Orthanc {self.version}: {self.verdict} ({compared})"]
        if self.accepted:
            lines.append(f"{self.accepted} answers differ only in what the ledger accepts")
        lines += [f"{count} answers not compared: {reason}" for reason, count in self.skipped.most_common()]
        lines += [f"{count} scenarios not run: {reason}" for reason, count in self.not_run.most_common()]
        lines += [f"left on the server: {what}" for what in self.left]
        return visible("\n".join(lines))


def _without_numbers(field: str) -> str:
    return _LENGTHS.sub(" length", _INDEX.sub("[*]", field))
