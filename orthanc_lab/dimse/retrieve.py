"""C-MOVE and C-GET: a node sends what it has, to another one or to us. It loads pynetdicom when it is needed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Protocol

from orthanc_lab.dicom.dictionary.storage_sop_classes import STORAGE_SOP_CLASSES
from orthanc_lab.dicom.files.data_set import DataSet, encode, encode_head
from orthanc_lab.dicom.files.deflated_padding import without_padding
from orthanc_lab.dimse import failures
from orthanc_lab.dimse.association import Proposal, RequestedAssociation, open_association
from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.interruption import Interruption
from orthanc_lab.dimse.message import Message
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.dimse.query_models import (
    MOVE_MODELS,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
)
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE, IMPLICIT_LE
from orthanc_lab.storage.ports import Ingest
from orthanc_lab.storage.records import Origin

__all__ = ["Retrieval", "RetrievedStore", "get", "move", "open_get", "open_move"]

_log = logging.getLogger("orthanc_lab.dicom")
_PENDING = (0xFF00, 0xFF01)
_SUCCESS, _OUT_OF_RESOURCES, _SOP_CLASS_NOT_SUPPORTED, _UNABLE_TO_PROCESS = 0x0000, 0xA700, 0x0122, 0xC000
_LONGEST_TITLE = 16
_LONGEST_WITHOUT_PROGRESS = 3600.0  # seconds
_NOT_FOUND = " (unable to process - resource not found ?)"
_ROOT = "1.2.840.10008.5.1.4."
_YOUNGEST = """
1.1.104.3 1.1.104.4 1.1.104.5 1.1.11.10 1.1.11.11 1.1.11.12 1.1.11.6 1.1.11.7 1.1.11.8 1.1.11.9 1.1.13.1.4 1.1.13.1.5
1.1.200.2 1.1.200.8 1.1.30 1.1.481.10 1.1.481.11 1.1.481.12 1.1.481.13 1.1.481.14 1.1.481.15 1.1.481.16 1.1.481.17
1.1.481.18 1.1.481.19 1.1.481.20 1.1.481.21 1.1.481.22 1.1.481.23 1.1.481.24 1.1.481.25 1.1.501.1 1.1.501.2.1
1.1.501.2.2 1.1.501.3 1.1.501.4 1.1.501.5 1.1.501.6 1.1.6.3 1.1.601.1 1.1.601.2 1.1.601.3 1.1.601.4 1.1.66.6 1.1.66.7
1.1.66.8 1.1.77.1.5.5 1.1.77.1.5.6 1.1.77.1.5.7 1.1.77.1.5.8 1.1.77.1.7 1.1.77.1.8 1.1.77.1.9 1.1.82.1 1.1.88.1
1.1.88.2 1.1.88.3 1.1.88.35 1.1.88.4 1.1.88.68 1.1.88.71 1.1.88.72 1.1.88.73 1.1.88.74 1.1.88.75 1.1.88.76 1.1.88.77
1.1.9.1 1.1.9.1.4 1.1.9.6.2 1.1.9.7.1 1.1.9.7.2 1.1.9.7.3 1.1.9.7.4 1.1.9.8.1 1.1.90.1 1.1.91.1 34.1 34.10
"""
# An association has room for 128 contexts; these SOP classes are seldom seen.
_LEFT_OUT = frozenset(_ROOT + suffix for suffix in _YOUNGEST.split())
RETRIEVED_SOP_CLASSES = tuple(uid for uid in STORAGE_SOP_CLASSES if uid not in _LEFT_OUT)
"""What a node may send in the course of a C-GET."""


def open_move(
    modality: Modality,
    options: DicomOptions,
    *,
    local_aet: str | None = None,
    timeout: int | None = None,
    interruption: Interruption | None = None,
) -> RequestedAssociation:
    """Open an association for C-MOVE; the arguments are those of `open_association`."""
    proposals = [Proposal(model) for model in MOVE_MODELS]
    return open_association(
        modality, options, proposals, local_aet=local_aet, timeout=timeout, interruption=interruption
    )


def open_get(
    modality: Modality,
    options: DicomOptions,
    *,
    local_aet: str | None = None,
    timeout: int | None = None,
    interruption: Interruption | None = None,
) -> RequestedAssociation:
    """Open an association for C-GET, on which the node may send us instances that are not compressed."""
    proposals = [Proposal(model) for model in (STUDY_ROOT_GET, PATIENT_ROOT_GET)]
    proposals += [Proposal(uid, (EXPLICIT_LE, IMPLICIT_LE)) for uid in RETRIEVED_SOP_CLASSES]
    return open_association(
        modality,
        options,
        proposals,
        local_aet=local_aet,
        timeout=timeout,
        scp_roles=RETRIEVED_SOP_CLASSES,
        interruption=interruption,
    )


def move(association: RequestedAssociation, level: Level, identifier: DataSet, target_aet: str) -> Retrieval:
    """Ask the node to send a resource to another one.

    Raises
    ------
    OrthancError
        9 if there is no context for it.
    """
    model = PATIENT_ROOT_MOVE if level is Level.PATIENT else STUDY_ROOT_MOVE
    target: Command = {Field.MOVE_DESTINATION: target_aet[:_LONGEST_TITLE]}
    return Retrieval(association, Operation.C_MOVE, model, identifier, fields=target)


def get(association: RequestedAssociation, level: Level, identifier: DataSet, storage: Ingest) -> Retrieval:
    """Ask the node to send resources to us, over the same association.

    Raises
    ------
    OrthancError
        9 if there is no context for it.
    """
    model = PATIENT_ROOT_GET if level is Level.PATIENT else STUDY_ROOT_GET
    return Retrieval(association, Operation.C_GET, model, identifier, store=RetrievedStore(storage, association))


class Store(Protocol):
    """Takes the instances that a node sends."""

    error: OrthancError | None  # why an instance could not be stored

    def take(self, request: Message) -> int:
        """Take an instance; return the status of the response."""
        ...


class Retrieval:
    """A C-MOVE or C-GET that is under way."""

    def __init__(
        self,
        association: RequestedAssociation,
        operation: Operation,
        model: str,
        identifier: DataSet,
        *,
        fields: Command | None = None,
        store: Store | None = None,
    ) -> None:
        self._association = association
        self._operation = operation
        self._service = operation.name.replace("_", "-")
        self._store = store
        self._done = 0  # sub-operations
        self._progress = time.monotonic()
        self.fraction = 0.0
        """The share of the sub-operations that are done, as far as the node has told."""
        context = association.context(model)
        if context is None or context.context_id is None:
            raise failures.association_error(self._service, association.modality.aet, failures.no_context(model))
        self._context_id = context.context_id
        command = {Field.AFFECTED_SOP_CLASS_UID: model, Field.PRIORITY: 0, **(fields or {})}
        data = b"".join(encode(identifier, str(context.transfer_syntax[0])))
        self._request = association.send(context, operation, command, data)

    def step(self) -> bool:
        """Take the next message of the node; return True while more are to come.

        Raises
        ------
        OrthancError
            9 if the node fails; what the storage raised if an instance could not be stored.
        """
        message = self._association.receive_some(self._service)
        if message is None:
            return True  # a node that takes its time does not hold up who cancels or pauses
        if self._store is not None and message.field == Operation.C_STORE:
            status = self._store.take(message)
            self._respond(message, status)
            self._note_progress(is_any=status == _SUCCESS)
            return True
        self._association.check_response(message, self._operation, self._request)
        before = self._done
        self._count(message)
        if message.status in _PENDING:
            self._note_progress(is_any=self._done != before)
            return True
        self._check(message.status)
        return False

    def cancel(self) -> None:
        """Tell the node that nothing more is wanted."""
        command: Command = {
            Field.COMMAND_FIELD: Operation.C_CANCEL,
            Field.MESSAGE_ID_BEING_RESPONDED_TO: self._request,
        }
        self._association.dimse.send(self._context_id, command)

    def _note_progress(self, *, is_any: bool) -> None:
        """Give up a node that has nothing to say, and says it without end."""
        now = time.monotonic()
        if is_any:
            self._progress = now
        elif now - self._progress > _LONGEST_WITHOUT_PROGRESS:
            self._association.abort()
            words = "The node sends responses without end, and nothing else"
            raise failures.association_error(self._service, self._association.modality.aet, words)

    def _check(self, status: int) -> None:
        """Refuse a final status that is no success."""
        if self._store is not None and self._store.error is not None:
            raise self._store.error
        # As Orthanc, which does not mind if there is nothing to get.
        nothing_there = self._operation is Operation.C_GET and status == _UNABLE_TO_PROCESS and not self._done
        if status != _SUCCESS and not nothing_there:
            remark = _NOT_FOUND if status == _UNABLE_TO_PROCESS else ""
            raise failures.status_error(self._service, self._association.modality.aet, status, remark)

    def _count(self, message: Message) -> None:
        self._done = sum(message.number(field) for field in _DONE)
        total = self._done + message.number(Field.REMAINING_SUBOPERATIONS)
        self.fraction = self._done / total if total else self.fraction

    def _respond(self, request: Message, status: int) -> None:
        command: Command = {
            Field.AFFECTED_SOP_CLASS_UID: request.text(Field.AFFECTED_SOP_CLASS_UID),
            Field.COMMAND_FIELD: Operation.C_STORE.response,
            Field.MESSAGE_ID_BEING_RESPONDED_TO: request.message_id,
            Field.STATUS: status,
            Field.AFFECTED_SOP_INSTANCE_UID: request.text(Field.AFFECTED_SOP_INSTANCE_UID),
        }
        self._association.dimse.send(request.context_id, command)


_DONE = (Field.COMPLETED_SUBOPERATIONS, Field.FAILED_SUBOPERATIONS, Field.WARNING_SUBOPERATIONS)


@dataclass(slots=True)
class RetrievedStore:
    """Stores what a node sends in the course of a C-GET, as it comes."""

    storage: Ingest
    association: RequestedAssociation
    error: OrthancError | None = None  # the first one

    def take(self, request: Message) -> int:
        """Store an instance; return the status of the response."""
        contexts = {context.context_id: context for context in self.association.accepted_contexts}
        context = contexts.get(request.context_id)
        if context is None or context.abstract_syntax not in RETRIEVED_SOP_CLASSES or not request.has_data:
            return _SOP_CLASS_NOT_SUPPORTED
        syntax = str(context.transfer_syntax[0])
        sop_class, instance = (
            request.text(field) for field in (Field.AFFECTED_SOP_CLASS_UID, Field.AFFECTED_SOP_INSTANCE_UID)
        )
        node = self.association.modality
        # As in Orthanc, the titles are those of the association, which is ours.
        origin = Origin("DicomProtocol", self._address, self.association.requestor.ae_title, node.aet)
        try:
            data = without_padding(request.data, syntax)
            self.storage.store(b"".join((encode_head(syntax, sop_class, instance), data)), origin)
        except OrthancError as error:
            _log.error("An instance of %s was not stored: %s", node.aet, error.details or error.text)
            self.error = self.error or error
            return _OUT_OF_RESOURCES if error.code == ErrorCode.FULL_STORAGE else _UNABLE_TO_PROCESS
        return _SUCCESS

    @property
    def _address(self) -> str:
        return self.association.acceptor.address or ""
