"""What of a requested association is accepted: titles, SOP classes, transfer syntaxes, roles."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.storage_sop_classes import STORAGE_SOP_CLASSES
from orthanc_lab.network.request import Handler
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, known_uids

__all__ = ["Acceptance", "Answered", "Proposed", "Result"]

_STORED = frozenset(STORAGE_SOP_CLASSES)
_UNCOMPRESSED = (EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE)


class Result:
    """Results of presentation contexts (PS3.8 section 9.3.3.2)."""

    ACCEPTED = 0
    SOP_CLASS_REFUSED = 3
    TRANSFER_SYNTAXES_REFUSED = 4


@dataclass(frozen=True, slots=True)
class Proposed:
    """A presentation context as it is requested."""

    id: int
    sop_class: str
    transfer_syntaxes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What becomes of it."""

    id: int
    sop_class: str
    result: int
    transfer_syntax: str
    is_stored: bool = False  # of instances, which may also be sent to the client


class Acceptance:
    """The rules that are in force when an association is requested.

    Parameters
    ----------
    handlers
        The operations that the server performs.
    """

    def __init__(self, settings: Settings, handlers: Iterable[type[Handler]]) -> None:
        patterns: list[str] = settings["AcceptedTransferSyntaxes"]
        self._syntaxes = {uid for uid in known_uids() if _matches_any(uid, patterns)}
        self._accepted: list[str] = settings["AcceptedSopClasses"]
        self._rejected: list[str] = settings["RejectedSopClasses"]
        self._unknown: bool = settings["UnknownSopClassAccepted"]
        self._own = frozenset[str]().union(*(handler.SOP_CLASSES for handler in handlers))

    def answer(self, proposed: Iterable[Proposed]) -> list[Answered]:
        """Return what becomes of presentation contexts, in their order."""
        return [self._answer(context) for context in proposed]

    def _answer(self, context: Proposed) -> Answered:
        if context.sop_class in self._own:
            chosen = next((uid for uid in _UNCOMPRESSED if uid in context.transfer_syntaxes), None)
            is_stored = False
        elif self._is_stored(context.sop_class):
            chosen = next((uid for uid in context.transfer_syntaxes if uid in self._syntaxes), None)
            is_stored = True
        else:
            return Answered(context.id, context.sop_class, Result.SOP_CLASS_REFUSED, "")
        result = Result.TRANSFER_SYNTAXES_REFUSED if chosen is None else Result.ACCEPTED
        return Answered(context.id, context.sop_class, result, chosen or "", is_stored)

    def _is_stored(self, sop_class: str) -> bool:
        if _matches_any(sop_class, self._rejected):
            return False
        if sop_class in _STORED:
            return not self._accepted or _matches_any(sop_class, self._accepted)
        return self._unknown or sop_class in self._accepted


def _matches_any(uid: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(uid, pattern) for pattern in patterns)
