"""The conformance statement (PS3.2) of the server as a DICOM node, in short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orthanc_lab.dicom.dictionary.storage_sop_classes import STORAGE_SOP_CLASSES
from orthanc_lab.dicom.dictionary.uid_names import name_of_uid
from orthanc_lab.dimse.query_models import FIND_MODELS, GET_MODELS, MOVE_MODELS, WORKLIST_FIND
from orthanc_lab.protocol.transfer_syntaxes import find_transfer_syntax, known_uids

__all__ = ["conformance_statement"]

_VERIFICATION = ("1.2.840.10008.1.1",)
_COMMITMENT = ("1.2.840.10008.1.20.1",)
_SERVICES: Sequence[tuple[str, Iterable[str]]] = (
    ("C-ECHO, as user (SCU) and provider (SCP)", _VERIFICATION),
    ("C-FIND, as user and provider", FIND_MODELS),
    ("C-FIND, as user", (WORKLIST_FIND,)),
    ("C-MOVE, as user and provider", MOVE_MODELS),
    ("C-GET, as user and provider", GET_MODELS),
    ("Storage commitment (N-ACTION, N-EVENT-REPORT), as user and provider", _COMMITMENT),
    ("C-STORE, as user and provider", STORAGE_SOP_CLASSES),
)


def conformance_statement() -> str:
    """Return the services with their SOP classes, and the transfer syntaxes."""
    parts = [_underlined("DICOM conformance statement", "=")]
    for service, uids in _SERVICES:
        parts += [_underlined(service, "-"), _table((name_of_uid(uid) or uid, uid) for uid in uids)]
    syntaxes = ((found.name, uid) for uid in known_uids() if (found := find_transfer_syntax(uid)))
    parts += [
        _underlined("Transfer syntaxes", "-"),
        _table(syntaxes),
        "The options AcceptedSopClasses, RejectedSopClasses, UnknownSopClassAccepted and\n"
        "AcceptedTransferSyntaxes say what is accepted of these, or beyond.",
    ]
    return "\n\n".join(parts) + "\n"


def _underlined(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    listed = sorted(rows)
    width = max(len(name) for name, _ in listed)
    return "\n".join(f"  {name:{width}} | {uid}" for name, uid in listed)
