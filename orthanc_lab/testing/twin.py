"""The twin runner: runs the same scenario on two servers and compares their responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from orthanc_lab.testing.exchange import Answer, Exchange
from orthanc_lab.testing.holding_peer import HoldingPeer
from orthanc_lab.testing.host import Host, Serve
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.likeness import Difference, Pairs, compare_answers
from orthanc_lab.testing.scenario import Scenario, Send, Special, Wait, parse
from orthanc_lab.testing.side import Node, Side

__all__ = ["Disagreement", "Observer", "Twin", "TwinReport"]

Observer = Callable[[Exchange, Answer, Answer], None]
"""Takes an exchange, our response and the real one."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An exchange to which the two servers responded differently."""

    scenario: str
    line: str  # of the scenario
    differences: list[Difference]
    exchange: Exchange | None = None
    ours: Answer | None = None
    real: Answer | None = None

    def __str__(self) -> str:
        parts = [f"--- {self.line}", *map(str, self.differences)]
        if self.exchange is not None:
            parts += ["> " + str(self.exchange).replace("\n", "\n> ")]
            parts += [f"[ours] {self.ours}", f"[real] {self.real}"]
        return "\n".join(parts)


@dataclass(slots=True)
class TwinReport:
    """The result of a scenario."""

    scenario: str
    exchanges: int = 0  # sent to both
    disagreements: list[Disagreement] = field(default_factory=list)

    def unaccepted(self, ledger: Ledger) -> list[Disagreement]:
        """Return the disagreements, with only those differences that the ledger does not accept."""
        left = []
        for item in self.disagreements:
            differences = [
                difference
                for difference in item.differences
                if not ledger.accepts(self.scenario, item.line, difference.field)
            ]
            if differences:
                left.append(Disagreement(item.scenario, item.line, differences, item.exchange, item.ours, item.real))
        ledger.has_run(self.scenario)
        return left


class Twin:
    """Runs scenarios on our server and on the real one.

    Parameters
    ----------
    ours, real
        Start a server with options, like `orthanc_lab.serve` and `orthanc_lab.testing.real.RealOrthanc`.
    bodies
        The named bodies used in scenarios.
    node
        Makes a DICOM node, for scenarios that need one.
    """

    def __init__(
        self,
        ours: Serve,
        real: Serve,
        bodies: Mapping[str, bytes],
        node: Callable[[], AbstractContextManager[Node]] | None = None,
    ) -> None:
        self._serve = (ours, real)
        self._bodies = bodies
        self._node = node

    def run(self, scenario: Scenario, observer: Observer | None = None) -> TwinReport:
        """Start two fresh servers, send every line to both, and compare the responses.

        Parameters
        ----------
        observer
            Called with each exchange and both responses.
        """
        with ExitStack() as stack:
            ours, real = (self._side(serve, scenario, stack) for serve in self._serve)
            return _Run(scenario, ours, real, observer).all()

    def _side(self, serve: Serve, scenario: Scenario, stack: ExitStack) -> Side:
        peer = stack.enter_context(HoldingPeer()) if scenario.peer else None
        node = None
        if scenario.node:
            assert self._node is not None, "the scenario needs a twin with a DICOM node"
            node = stack.enter_context(self._node())
        folder = None
        if "RESTART" in scenario.text:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="twin-")))
        options: Mapping[str, Any] = Side("", self._bodies, peer, node=node).filled_options(scenario.options)
        host = stack.enter_context(Host(serve, options, folder))
        side = Side(host.url, self._bodies, peer, host, node)
        if peer is not None:
            stack.callback(peer.let_go)  # before the server stops: it may wait for its job
        return side


class _Run:
    def __init__(self, scenario: Scenario, ours: Side, real: Side, observer: Observer | None) -> None:
        self._ours, self._real = ours, real
        self._observer = observer
        self._steps = parse(scenario.before) + parse(scenario.text)
        self._pairs = Pairs()
        self._report = TwinReport(scenario.name)

    def all(self) -> TwinReport:
        for step in self._steps:
            if isinstance(step, Send):
                self._send(step)
            elif isinstance(step, Wait):
                ours, real = self._ours.wait(step), self._real.wait(step)
                self._compare_texts(step.line, "state", ours.state, real.state)
                if not (ours.reached and real.reached):
                    break  # later responses would depend on a job in another state
            else:
                self._special(step)
        return self._report

    def _send(self, step: Send) -> None:
        self._pairs.generated |= step.generates
        exchange, theirs = self._ours.exchange(step), self._real.exchange(step)
        answer, their_answer = self._ours.send(exchange), self._real.send(theirs)
        self._report.exchanges += 1
        if self._observer is not None:
            self._observer(exchange, answer, their_answer)
        differences = compare_answers(answer, their_answer, self._pairs, step.resource)
        self._ours.capture(step.captures, answer)
        self._real.capture(step.captures, their_answer)
        if differences:
            self._disagree(Disagreement(self._report.scenario, step.line, differences, theirs, answer, their_answer))

    def _special(self, step: Special) -> None:
        if step.line == "GENERATES":
            self._pairs.generated = True
            return
        if (options := step.restarts_with) is not None:
            self._ours.restart(options)
            self._real.restart(options)
            return
        if step.line == "SEEN":
            for what, ours_seen, real_seen in zip(
                ("peer", "node"), self._ours.take_seen(), self._real.take_seen(), strict=True
            ):
                self._compare_texts(step.line, f"seen by the {what}", "\n".join(ours_seen), "\n".join(real_seen))
            return
        ours, real = self._ours.peer, self._real.peer
        if ours is None or real is None:
            raise ValueError(f"{step.line} needs a scenario with a peer")
        if step.line == "HOLD":
            ours.hold()
            real.hold()
        else:
            ours.let_go()
            real.let_go()

    def _compare_texts(self, line: str, field: str, ours: str, real: str) -> None:
        if not self._pairs.alike(ours, real):
            difference = Difference.of(field, ours, real)
            self._disagree(Disagreement(self._report.scenario, line, [difference]))

    def _disagree(self, disagreement: Disagreement) -> None:
        self._report.disagreements.append(disagreement)
