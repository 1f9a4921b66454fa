"""Presentation contexts: what a `DicomNode` agrees to, and what it proposes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pydicom import Dataset
from pynetdicom import build_context
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class import (
    BasicWorklistManagementServiceClass,
    QueryRetrieveServiceClass,
    StorageServiceClass,
    VerificationServiceClass,
)
from pynetdicom.service_class_n import StorageCommitmentServiceClass
from pynetdicom.sop_class import uid_to_service_class

__all__ = ["agreed", "proposed_for"]

_SERVICES = (
    BasicWorklistManagementServiceClass,
    QueryRetrieveServiceClass,
    StorageCommitmentServiceClass,
    StorageServiceClass,
    VerificationServiceClass,
)
_MOST = 128  # in one association


def agreed(request: A_ASSOCIATE, refused: Collection[str] | None) -> list[PresentationContext]:
    """Return the contexts to support in an association: all that are proposed, without the refused abstract syntaxes.

    Parameters
    ----------
    request
        The request for the association.
    refused
        UIDs of abstract syntaxes; None refuses all.
    """
    found: dict[str, PresentationContext] = {}
    for proposal in request.presentation_context_definition_list:
        uid = proposal.abstract_syntax
        if uid is None or refused is None or uid in refused or not issubclass(uid_to_service_class(uid), _SERVICES):
            continue
        context = found.setdefault(uid, build_context(uid, []))
        for syntax in proposal.transfer_syntax:
            context.add_transfer_syntax(syntax)
        context.scu_role = context.scp_role = True  # as C-GET needs it; means nothing where no role is proposed
    return list(found.values())


def proposed_for(datasets: Iterable[Dataset]) -> list[PresentationContext]:
    """Return a context for each SOP class and transfer syntax of some data sets; so many as fit into an association."""
    pairs = {(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID): None for dataset in datasets}
    return [build_context(sop_class, [syntax]) for sop_class, syntax in list(pairs)[:_MOST]]
