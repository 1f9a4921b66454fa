"""The ledger of accepted differences: each with its reason, none of them stale."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

__all__ = ["Accepted", "Ledger"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A line of the ledger: where the servers may differ, and why that is acceptable.

    ``*`` and ``?`` are wildcards in the three patterns; brackets are not.
    """

    scenario: str
    exchange: str
    field: str
    reason: str

    def covers(self, scenario: str, exchange: str, field: str) -> bool:
        """Whether this line covers a difference."""
        return _matches(scenario, self.scenario) and _matches(exchange, self.exchange) and _matches(field, self.field)

    def concerns(self, scenario: str) -> bool:
        """Whether this line is about a scenario."""
        return _matches(scenario, self.scenario)


class Ledger:
    """The accepted differences of a suite; it records which of them occurred.

    The file is TOML, with ``[[accepted]]`` tables that have ``scenario``, ``exchange``, ``field`` (each
    ``"*"`` if omitted) and ``reason``.
    """

    def __init__(self, lines: Iterable[Accepted]) -> None:
        self.lines = list(lines)
        self._seen: set[Accepted] = set()
        self._ran: set[str] = set()

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Read a ledger file.

        Raises
        ------
        ValueError
            If it is not TOML, or a line has no reason, or an unknown key.
        """
        lines = []
        try:
            document = tomllib.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is not a TOML file: {error}") from None
        for entry in document.get("accepted", []):
            unknown = set(entry) - {"scenario", "exchange", "field", "reason"}
            if unknown or not str(entry.get("reason", "")).strip():
                raise ValueError(f"{path}: a line needs a reason, and nothing but scenario, exchange, field: {entry}")
            lines.append(Accepted(*(entry.get(name, "*") for name in ("scenario", "exchange", "field", "reason"))))
        return cls(lines)

    def accepts(self, scenario: str, exchange: str, field: str) -> bool:
        """Whether a difference is accepted; the lines that cover it are recorded."""
        return self.reason(scenario, exchange, field) is not None

    def reason(self, scenario: str, exchange: str, field: str) -> str | None:
        """Return why a difference is accepted, None if it is not; the lines that cover it are recorded."""
        covering = [line for line in self.lines if line.covers(scenario, exchange, field)]
        self._seen.update(covering)
        return covering[0].reason if covering else None

    @property
    def ran(self) -> frozenset[str]:
        """The scenarios that were run to their ends."""
        return frozenset(self._ran)

    def has_run(self, scenario: str) -> None:
        """Record that a scenario was run to its end."""
        self._ran.add(scenario)

    def stale(self, scenarios: Iterable[str]) -> list[Accepted]:
        """Return the lines that covered no difference, among those whose scenarios have all run.

        Parameters
        ----------
        scenarios
            The names of all scenarios in the suite.
        """
        names = list(scenarios)
        stale = []
        for line in self.lines:
            concerned = set(filter(line.concerns, names))
            if line not in self._seen and concerned <= self._ran:
                stale.append(line)
        return stale


def _matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))
