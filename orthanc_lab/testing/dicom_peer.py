"""A DICOM client for tests of servers: echo, store, find, move, get, each in an association of its own."""

from __future__ import annotations

import gc
import ssl
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from pydicom import DataElement, Dataset
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag

from orthanc_lab.protocol.optional import needs_extra
from orthanc_lab.testing.dicom_answers import Source, data_sets
from orthanc_lab.testing.dicom_connections import prepare_connection

with needs_extra("DicomPeer", "network", "pynetdicom"):
    from pynetdicom import AE, build_context, build_role, evt
    from pynetdicom.association import Association
    from pynetdicom.events import Event, EventHandlerType
    from pynetdicom.presentation import PresentationContext, StoragePresentationContexts
    from pynetdicom.sop_class import (  # type: ignore[attr-defined]
        ModalityWorklistInformationFind,
        PatientRootQueryRetrieveInformationModelFind,
        PatientRootQueryRetrieveInformationModelGet,
        PatientRootQueryRetrieveInformationModelMove,
        StudyRootQueryRetrieveInformationModelFind,
        StudyRootQueryRetrieveInformationModelGet,
        StudyRootQueryRetrieveInformationModelMove,
        Verification,
    )

    from orthanc_lab.testing.dicom_contexts import proposed_for

__all__ = ["DicomPeer", "DicomPeerError", "Retrieval"]

Model = Literal["study", "patient"]

_FIND = {
    "study": StudyRootQueryRetrieveInformationModelFind,
    "patient": PatientRootQueryRetrieveInformationModelFind,
    "worklist": ModalityWorklistInformationFind,
}
_MOVE = {
    "study": StudyRootQueryRetrieveInformationModelMove,
    "patient": PatientRootQueryRetrieveInformationModelMove,
}
_GET = {
    "study": StudyRootQueryRetrieveInformationModelGet,
    "patient": PatientRootQueryRetrieveInformationModelGet,
}
_PENDING = (0xFF00, 0xFF01)
_MOST = 127  # contexts beside the one of C-GET


class DicomPeerError(Exception):
    """The node did not accept the association, or ended it; or it refused a query."""


@dataclass(frozen=True)
class Retrieval:
    """The result of a C-MOVE or C-GET."""

    status: int
    completed: int = 0
    failed: int = 0
    warning: int = 0
    pending: int = 0  # number of responses that told of progress
    datasets: tuple[Dataset, ...] = ()  # what C-GET has brought


class DicomPeer:
    """A service class user that speaks to one node.

    Parameters
    ----------
    port
        Port of the node.
    aet
        Its own AE title.
    called_aet
        AE title of the node.
    host
        Address of the node.
    tls
        A context for TLS; the certificate of the node must be for `host`.
    timeout
        Seconds to wait for a connection, an association and a response.

    Examples
    --------
    >>> from orthanc_lab import samples
    >>> from orthanc_lab.testing.dicom_node import DicomNode
    >>> with DicomNode(samples.path("mr"), aet="ARCHIVE") as node:
    ...     peer = DicomPeer(node.port, called_aet="ARCHIVE")
    ...     peer.echo()
    ...     [answer.PatientID for answer in peer.find("STUDY", PatientID="")]
    ...     peer.get("STUDY", PatientID="PHANTOM-MR").completed
    0
    ['PHANTOM-MR']
    12
    """

    def __init__(
        self,
        port: int,
        *,
        aet: str = "PEER",
        called_aet: str = "ORTHANC",
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._address = (host, port)
        self._called_aet = called_aet
        self._tls = tls
        self._ae = AE(ae_title=aet)
        self._ae.connection_timeout = self._ae.acse_timeout = self._ae.dimse_timeout = timeout

    @contextmanager
    def associate(
        self, contexts: list[PresentationContext], handlers: Sequence[EventHandlerType] = (), **options: Any
    ) -> Iterator[Association]:
        """Open an association, for messages that have no method of their own.

        It is released at the end, and aborted if an exception ends the block.

        Raises
        ------
        DicomPeerError
            If it is not accepted.
        """
        host, port = self._address
        is_connected = threading.Event()

        def connected(event: Event) -> None:
            is_connected.set()
            prepare_connection(event)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # pynetdicom leaves the socket open if nobody listens
            association = self._ae.associate(
                host,
                port,
                contexts,
                self._called_aet,
                tls_args=(self._tls, host) if self._tls else None,
                evt_handlers=[(evt.EVT_CONN_OPEN, connected), *handlers],
                **options,
            )
            if not is_connected.is_set():
                gc.collect()  # the error of the connection holds the socket
        if not association.is_established:
            why = _why(association) if is_connected.is_set() else "does not answer"
            raise DicomPeerError(f"{self._called_aet} at {host}:{port} {why}")
        try:
            yield association
        except BaseException:
            if association.is_established:
                association.abort()  # the node may have done so: a release would wait in vain for its answer
            raise
        if association.is_established:
            association.release()

    def __repr__(self) -> str:
        host, port = self._address
        return f"<DicomPeer {self._ae.ae_title} of {self._called_aet} at {host}:{port}>"

    def echo(self) -> int:
        """Send a C-ECHO, and return the status.

        Raises
        ------
        DicomPeerError
            If the node does not accept the association, or ends it.
        """
        with self.associate([build_context(Verification)]) as association:
            return self._status(association.send_c_echo())

    def store(self, *sources: Source) -> list[int]:
        """Send instances in one association, in their own transfer syntaxes, and return the statuses.

        Parameters
        ----------
        *sources
            DICOM files, folders, bytes, data sets.

        Raises
        ------
        DicomPeerError
            If the node does not accept the association, or ends it.
        """
        found = list(data_sets(sources))
        with self.associate(proposed_for(found)) as association:
            return [self._status(self._store(association, dataset)) for dataset in found]

    def _store(self, association: Association, dataset: Dataset) -> Dataset:
        try:
            return association.send_c_store(dataset)
        except ValueError as error:  # pynetdicom's words: there is no context for it
            raise DicomPeerError(str(error)) from error

    def find(
        self,
        level: str | None,
        keys: Mapping[str, Any] | None = None,
        *,
        model: Literal["study", "patient", "worklist"] = "study",
        limit: int | None = None,
        **more: Any,
    ) -> list[Dataset]:
        """Send a C-FIND, and return the answers.

        Parameters
        ----------
        level
            ``PATIENT``, ``STUDY``, ``SERIES`` or ``IMAGE``; None sends no level.
        keys, **more
            Values to match by keyword; "" asks for a value.
        model
            The information model.
        limit
            Number of answers after which to send a C-CANCEL.

        Raises
        ------
        DicomPeerError
            If the node refuses it, does not accept the association, or ends it.
        """
        answers: list[Dataset] = []
        with self.associate([build_context(_FIND[model])]) as association:
            for response, answer in association.send_c_find(_identifier(level, keys, more), _FIND[model]):
                status = self._status(response)
                if status in _PENDING and answer is not None:
                    answers.append(answer)
                    if len(answers) == limit:
                        association.send_c_cancel(1, None, _FIND[model])
                elif status not in (0x0000, 0xFE00):
                    raise DicomPeerError(f"{self._called_aet} has refused the query with status {status:04X}")
        return answers

    def move(
        self,
        destination: str,
        level: str,
        keys: Mapping[str, Any] | None = None,
        *,
        model: Model = "study",
        **more: Any,
    ) -> Retrieval:
        """Send a C-MOVE, and return its result.

        Parameters
        ----------
        destination
            AE title of the node that is to be sent the instances.
        level, keys, **more
            As in `find`.

        Raises
        ------
        DicomPeerError
            If the node does not accept the association, or ends it.
        """
        with self.associate([build_context(_MOVE[model])]) as association:
            responses = association.send_c_move(_identifier(level, keys, more), destination, _MOVE[model])
            return self._result([response for response, _ in responses], [])

    def get(
        self, level: str, keys: Mapping[str, Any] | None = None, *, model: Model = "study", **more: Any
    ) -> Retrieval:
        """Send a C-GET, and return its result with the data sets.

        Parameters
        ----------
        level, keys, **more
            As in `find`.

        Raises
        ------
        DicomPeerError
            If the node does not accept the association, or ends it.
        """
        brought: list[Dataset] = []

        def take(event: Event) -> int:
            dataset = event.dataset
            dataset.file_meta = event.file_meta
            brought.append(dataset)
            return 0x0000

        storage = StoragePresentationContexts[:_MOST]
        roles = [build_role(context.abstract_syntax or "", scp_role=True) for context in storage]
        contexts = [build_context(_GET[model]), *storage]
        with self.associate(contexts, [(evt.EVT_C_STORE, take)], ext_neg=roles) as association:
            responses = association.send_c_get(_identifier(level, keys, more), _GET[model])
            return self._result([response for response, _ in responses], brought)

    def _result(self, responses: list[Dataset], datasets: list[Dataset]) -> Retrieval:
        statuses = [self._status(response) for response in responses]
        last = responses[-1]
        return Retrieval(
            statuses[-1],
            int(last.get("NumberOfCompletedSuboperations") or 0),
            int(last.get("NumberOfFailedSuboperations") or 0),
            int(last.get("NumberOfWarningSuboperations") or 0),
            sum(status in _PENDING for status in statuses),
            tuple(datasets),
        )

    def _status(self, response: Dataset) -> int:
        if "Status" not in response:
            raise DicomPeerError(f"{self._called_aet} has ended the association without a response")
        return int(response.Status)


def _identifier(level: str | None, keys: Mapping[str, Any] | None, more: Mapping[str, Any]) -> Dataset:
    identifier = Dataset()
    if level is not None:
        identifier.QueryRetrieveLevel = level
    for name, value in {**(keys or {}), **more}.items():
        tag = Tag(name)
        vr = dictionary_VR(tag)
        identifier[tag] = DataElement(tag, vr, value, validation_mode=IGNORE)  # patterns are no values of their VR
    return identifier


def _why(association: Association) -> str:
    if association.is_rejected:
        answer: Any = association.acceptor.primitive
        return f"has rejected the association: {answer.result_str}, {answer.reason_str}"
    if association.acceptor.primitive is not None:
        return "has accepted none of the presentation contexts"
    return "has ended the connection, or answers in no DICOM"
