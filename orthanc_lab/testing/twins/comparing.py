"""Comparing what one program did with two servers: which requests it sent, and what they answered."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from orthanc_lab.testing.exchange import Answer, Exchange
from orthanc_lab.testing.likeness import Difference, Pairs, compare_answers
from orthanc_lab.testing.recordings import RecordedExchange
from orthanc_lab.testing.scenario import generates
from orthanc_lab.testing.twin import Disagreement, TwinReport

__all__ = ["Passed", "compare", "passed"]

_GENERATED = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{8}(?:-[0-9a-f]{8}){4}|\d+(?:\.\d+){6,}"
)
_MOST = 5000  # exchanges that are put in order; the time for that grows with their square


@dataclass(frozen=True, slots=True)
class Passed:
    """A request and its answer."""

    exchange: Exchange
    answer: Answer

    @property
    def key(self) -> str:
        """Method and path, without identifiers: each server makes up its own."""
        return f"{self.exchange.method} {_GENERATED.sub('*', self.exchange.path)}"


def passed(recording: Iterable[RecordedExchange]) -> list[Passed]:
    """Return the exchanges of a recording; of a request that is repeated until its answer changes, the last one."""
    found: list[Passed] = []
    for one in recording:
        exchange = Exchange(one.method, one.target, None if one.body is None else one.body.read(), dict(one.headers))
        body = b"" if one.answer is None else one.answer.read()
        answer = Answer(one.status, dict(one.answer_headers), body, one.complete)
        if (
            found
            and one.method == "GET"
            and (found[-1].exchange.method, found[-1].exchange.path) == ("GET", one.target)
        ):
            found.pop()
        found.append(Passed(exchange, answer))
    return found


def compare(name: str, ours: Sequence[Passed], real: Sequence[Passed]) -> TwinReport:
    """Return what differs.

    Parameters
    ----------
    name
        Of the test, for the ledger.
    ours, real
        What passed between the program and the two servers.
    """
    report = TwinReport(name)
    pairs = Pairs()
    for mine, theirs in _in_pairs(ours, real):
        one = mine or theirs
        assert one is not None
        if mine is None or theirs is None:
            sent = ("not sent", "sent") if mine is None else ("sent", "not sent")
            differences = [Difference("request", *sent)]
        else:
            report.exchanges += 1
            pairs.generated |= generates(mine.exchange.path)
            last = mine.exchange.path.partition("?")[0].rpartition("/")[2]
            differences = compare_answers(mine.answer, theirs.answer, pairs, last)
        if differences:
            line = f"{one.exchange.method} {one.exchange.path}"
            ours_, real_ = (None if side is None else side.answer for side in (mine, theirs))
            report.disagreements.append(Disagreement(name, line, differences, one.exchange, ours_, real_))
    return report


def _in_pairs(ours: Sequence[Passed], real: Sequence[Passed]) -> Iterator[tuple[Passed | None, Passed | None]]:
    """Yield what belongs together, in the order of ours; None where one side has no counterpart."""
    partners = dict(_aligned(ours, real))
    left = defaultdict(list)
    for index in sorted(set(range(len(real))) - set(partners.values()), reverse=True):
        left[real[index].key, real[index].exchange.body].append(index)
    for index, one in enumerate(ours):  # sent in another order, as threads do
        if index not in partners and (others := left[one.key, one.exchange.body]):
            partners[index] = others.pop()
    for index, one in enumerate(ours):
        yield one, real[partners[index]] if index in partners else None
    for index in sorted(set(range(len(real))) - set(partners.values())):
        yield None, real[index]


def _aligned(ours: Sequence[Passed], real: Sequence[Passed]) -> Iterator[tuple[int, int]]:
    keys = [one.key for one in ours[:_MOST]], [one.key for one in real[:_MOST]]
    for block in SequenceMatcher(None, *keys, autojunk=False).get_matching_blocks():
        yield from zip(range(block.a, block.a + block.size), range(block.b, block.b + block.size), strict=True)
