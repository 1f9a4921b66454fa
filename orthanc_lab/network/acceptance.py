"""What of a requested association is accepted: titles, SOP classes, transfer syntaxes, roles."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from orthanc_lab.dicom.dictionary.storage_sop_classes import STORAGE_SOP_CLASSES
from orthanc_lab.network.request import Handler
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, known_uids

__all__ = ["Acceptance", "Answered", "Proposed", "Result"]

_STORED = frozenset(STORAGE_SOP_CLASSES)
_UNCOMPRESSED = (EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE)  # as they are preferred for anything but instances
_NOT_OVER_DICOM = {"1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2"}  # those of mail and XML
_STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"


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
    transfer_syntax: str  # for a refused one the first that was proposed
    roles_may_change: bool = False  # the client may be the provider, if it asks for that


class Acceptance:
    """The rules that are in force when an association is requested.

    Parameters
    ----------
    handlers
        The operations that the server performs.
    """

    def __init__(self, settings: Settings, handlers: Iterable[type[Handler]]) -> None:
        patterns: list[str] = settings["AcceptedTransferSyntaxes"]
        self._syntaxes = {uid for uid in known_uids() if uid not in _NOT_OVER_DICOM and _matches_any(uid, patterns)}
        self._accepted: list[str] = settings["AcceptedSopClasses"]
        self._rejected: list[str] = settings["RejectedSopClasses"]
        self._unknown: bool = settings["UnknownSopClassAccepted"]
        self._own = frozenset[str]().union(*(handler.SOP_CLASSES for handler in handlers))

    def answer(self, proposed: Iterable[Proposed]) -> list[Answered]:
        """Return what becomes of presentation contexts, in their order."""
        return [self._answer(context) for context in proposed]

    def _answer(self, context: Proposed) -> Answered:
        first = next(iter(context.transfer_syntaxes), "")
        refused = Answered(context.id, context.sop_class, Result.SOP_CLASS_REFUSED, first)
        if context.sop_class in self._own:
            chosen = next((uid for uid in _UNCOMPRESSED if uid in context.transfer_syntaxes), None)
            if chosen is None:
                return replace(refused, result=Result.TRANSFER_SYNTAXES_REFUSED)
            changing = context.sop_class == _STORAGE_COMMITMENT
            return Answered(context.id, context.sop_class, Result.ACCEPTED, chosen, changing)
        if self._is_stored(context.sop_class):
            chosen = next((uid for uid in context.transfer_syntaxes if uid in self._syntaxes), None)
            if chosen is not None:
                return Answered(context.id, context.sop_class, Result.ACCEPTED, chosen, True)
        return refused  # instances in a transfer syntax that is not accepted, too: as Orthanc does

    def _is_stored(self, sop_class: str) -> bool:
        if _matches_any(sop_class, self._rejected):
            return False
        if sop_class in _STORED:
            return not self._accepted or _matches_any(sop_class, self._accepted)
        return self._unknown or sop_class in self._accepted


def _matches_any(uid: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(uid, pattern) for pattern in patterns)
