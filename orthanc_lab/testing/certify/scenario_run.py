"""One scenario on the server that is certified: each answer beside the one that Orthanc 1.12.7 gave."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from orthanc_lab.testing.certify.configuration import CONNECTION, PAST, VISIBLE
from orthanc_lab.testing.certify.expected import ExpectedScenario, ExpectedStep
from orthanc_lab.testing.certify.fitting import tells_of
from orthanc_lab.testing.certify.results import AcceptedDifference, Compared, ScenarioResult
from orthanc_lab.testing.certify.target import Target
from orthanc_lab.testing.certify.traces import Traces
from orthanc_lab.testing.exchange import Answer, Exchange
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.likeness import Difference, Pairs, compare_answers
from orthanc_lab.testing.scenario import Scenario, Send, Special, Wait, parse
from orthanc_lab.testing.side import Side

__all__ = ["Circumstances", "run_scenario"]

_OF_THE_CONNECTION = frozenset(f"header {name}" for name in CONNECTION)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all scenarios of a certification share."""

    target: Target
    traces: Traces
    bodies: Mapping[str, bytes]
    ledger: Ledger
    now: datetime  # by the clock of the server
    held: Collection[str] = ()  # kinds of things that the server held before
    options: Collection[str] = ()  # that are not at their defaults


def run_scenario(scenario: Scenario, expected: ExpectedScenario, around: Circumstances) -> ScenarioResult:
    """Send every line of a scenario, and compare the answers."""
    start = time.monotonic()
    compared = tuple(_Run(scenario, expected, around).all())
    return ScenarioResult(scenario.name, compared, seconds=time.monotonic() - start)


class _Run:
    def __init__(self, scenario: Scenario, expected: ExpectedScenario, around: Circumstances) -> None:
        self._scenario = scenario
        self._around = around
        self._expected = expected
        self._pairs = Pairs(around.now - expected.recorded)
        self._side = Side(around.target.url, around.bodies, reach=self._reach)

    def all(self) -> Iterator[Compared]:
        wanted = iter(self._expected.steps)
        for step in parse(self._scenario.before) + parse(self._scenario.text):
            if isinstance(step, Special):
                self._pairs.generated = True  # no other one fits
            elif isinstance(step, Wait):
                result = self._wait(step, next(wanted))
                yield result
                if result.differences:
                    return  # later answers would depend on a job in another state
            else:
                exchange = self._side.exchange(step)
                if self._around.traces.protects(exchange):
                    yield Compared(step.line, skipped="the request would change what the server held before")
                    return
                yield self._send(step, exchange, next(wanted))

    def _reach(self, url: str, exchange: Exchange) -> Answer:
        try:
            answer = self._around.target.reach(url, exchange)
        except OSError as error:  # the server closed the connection, or did not answer in time: a difference
            return Answer(0, {}, str(error).encode(), complete=False)
        self._around.traces.note(exchange, answer)
        return answer

    def _wait(self, step: Wait, expected: ExpectedStep) -> Compared:
        waited = self._side.wait(step)
        if waited.state == expected.state:
            return Compared(step.line)
        return self._judged(step.line, [Difference.of("state", waited.state, expected.state)], expected)

    def _send(self, step: Send, exchange: Exchange, expected: ExpectedStep) -> Compared:
        assert expected.answer is not None
        self._pairs.generated |= step.generates
        answer = self._side.send(exchange)
        if expected.shortened and answer.status == expected.answer.status:
            differences = []
        else:
            differences = _differences(answer, expected.answer, self._pairs, step.resource)
        self._side.capture(step.captures, answer)
        if skipped := self._why_not(step, expected):
            return Compared(step.line, skipped=skipped)
        return self._judged(step.line, differences, expected, (exchange, answer, expected.answer))

    def _why_not(self, step: Send, expected: ExpectedStep) -> str:
        if PAST in expected.depends:
            return "the answer depends on what the server did before"
        if kind := tells_of(step, self._around.held):
            return f"the answer tells of the {kind} that the server held before"
        if options := [option for option in expected.depends if option in self._around.options]:
            return f"the answer depends on {options[0]}, which is not at its default"
        return ""

    def _judged(
        self,
        line: str,
        differences: list[Difference],
        expected: ExpectedStep,
        answers: tuple[Exchange, Answer, Answer] | None = None,
    ) -> Compared:
        if "KeepAlive" in self._around.options:
            differences = [one for one in differences if one.field not in _OF_THE_CONNECTION]
        if not differences:
            return Compared(line)
        left, accepted = [], []
        for difference in differences:
            reason = self._around.ledger.reason(self._scenario.name, line, difference.field)
            if reason is None:
                left.append(difference)
            else:
                accepted.append(AcceptedDifference(difference, reason))
        exchange, answer, wanted = answers or (None, None, None)
        unseen = tuple(option for option in expected.depends if option not in VISIBLE)
        return Compared(line, tuple(left), tuple(accepted), "", unseen, exchange, answer, wanted)


def _differences(answer: Answer, expected: Answer, pairs: Pairs, name: str) -> list[Difference]:
    try:
        return compare_answers(answer, expected, pairs, name)
    except Exception as error:  # an answer may be malformed in any way; that is a difference, too
        return [Difference.of("unreadable", repr(error), f"HTTP {expected.status}")]
