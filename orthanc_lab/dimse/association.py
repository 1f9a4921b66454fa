"""An association with another DICOM node, requested by us. It loads pynetdicom, so it is loaded when it is needed."""

from __future__ import annotations

import ssl
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from pydicom.uid import UID
from pynetdicom import AE, build_context, build_role
from pynetdicom._globals import MODE_REQUESTOR
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation

from orthanc_lab.dicom.files.data_set import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from orthanc_lab.dimse.failures import ABORTED, NO_RESPONSE, REJECTED, association_error, connection_words
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.dimse.transport import ConnectedSocket, dial
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Proposal", "RequestedAssociation", "open_association"]

_CONNECTING = "DicomAssociation - connecting"
_LONGEST_TITLE = 16


class Proposal(NamedTuple):
    """A presentation context that we propose."""

    sop_class: str
    transfer_syntaxes: Sequence[str]


class RequestedAssociation(Association):
    """An association that the node has accepted; it is released at the end of a ``with`` block, aborted by an error.

    Its service calls (`send_c_find` …) and `ask` are made on one thread; nothing is received between them.
    """

    def __init__(self, ae: AE, modality: Modality) -> None:
        super().__init__(ae, MODE_REQUESTOR)
        self.modality = modality

    def __enter__(self) -> RequestedAssociation:
        return self

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(aborting=error is not None)

    def context(self, sop_class: str, transfer_syntax: str = "") -> PresentationContext | None:
        """Return an accepted context of a SOP class, in a certain transfer syntax if it is given."""
        for context in self.accepted_contexts:
            if context.abstract_syntax == sop_class and transfer_syntax in ("", context.transfer_syntax[0]):
                return context
        return None

    def ask(self, request: Any, context: PresentationContext, doing: str) -> Any:
        """Send a request, and return the response: both primitives of pynetdicom.

        Parameters
        ----------
        doing
            For the error, as in `association_error`.

        Raises
        ------
        OrthancError
            9 if there is no response, or one of another kind.
        """
        assert context.context_id is not None
        self.dimse.send_msg(request, context.context_id)
        _, response = self.dimse.get_msg(block=True)
        if not isinstance(response, type(request)) or not response.is_valid_response:
            silent = response is None and not self.acse.is_aborted()
            raise association_error(doing, self.modality.aet, NO_RESPONSE if silent else ABORTED)
        return response

    def close(self, *, aborting: bool = False) -> None:
        """Release or abort the association; nothing happens if it has ended."""
        if aborting:
            self.abort()
        elif self.is_established:
            self.acse.negotiate_release()
        self.kill()


def open_association(
    modality: Modality,
    options: DicomOptions,
    contexts: Sequence[Proposal],
    *,
    local_aet: str = "",
    timeout: int | None = None,
    scp_roles: Collection[str] = (),
) -> RequestedAssociation:
    """Connect to a node and negotiate.

    Parameters
    ----------
    contexts
        At most 128.
    local_aet
        Our title, if it is to be another one than that of the modality and of the options.
    timeout
        Seconds, if they are to be others than those of the modality and of the options; 0 for no limit.
    scp_roles
        The SOP classes of which the node may send instances to us (C-GET).

    Raises
    ------
    OrthancError
        9 if it does not come about, 2015 if the node accepts none of the contexts.
    """
    seconds = (modality.timeout or options.scu_timeout) if timeout is None else timeout
    limit = float(seconds) if seconds else None
    ae = AE((local_aet or modality.local_aet or options.aet)[:_LONGEST_TITLE])
    ae.acse_timeout = ae.connection_timeout = ae.dimse_timeout = ae.network_timeout = limit
    try:
        connection = dial(modality, limit, _tls_context(options) if modality.use_tls else None)
    except (OSError, UnicodeError) as error:
        raise association_error(_CONNECTING, modality.aet, connection_words(error, modality.host)) from error
    association = RequestedAssociation(ae, modality)
    association.set_socket(ConnectedSocket(association, connection))
    _propose(association, options, contexts, scp_roles)
    association.request()
    _check(association)
    association._is_paused = True  # it has no reactor that would have to be stopped before a message is sent
    return association


def _propose(
    association: RequestedAssociation, options: DicomOptions, contexts: Sequence[Proposal], scp_roles: Collection[str]
) -> None:
    requestor, acceptor = association.requestor, association.acceptor
    assert association.dul.socket is not None
    assert association.dul.socket.socket is not None
    connection = association.dul.socket.socket
    requestor.address_info = AddressInformation.from_tuple(connection.getsockname())
    acceptor.address_info = AddressInformation.from_tuple(connection.getpeername())
    requestor.ae_title = association.ae.ae_title
    acceptor.ae_title = association.modality.aet[:_LONGEST_TITLE]
    requestor.maximum_length = options.maximum_pdu_length
    requestor.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    requestor.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    for sop_class in scp_roles:
        requestor.add_negotiation_item(build_role(sop_class, scu_role=False, scp_role=True))
    proposed = [build_context(sop_class, list(syntaxes)) for sop_class, syntaxes in contexts]
    for number, context in enumerate(proposed):
        context.context_id = 2 * number + 1
    requestor.requested_contexts = proposed


def _check(association: RequestedAssociation) -> None:
    """Raise if an association was not accepted."""
    if association.is_established:
        return
    answer = association.acceptor.primitive
    accepted = isinstance(answer, A_ASSOCIATE) and answer.result == 0
    association.close(aborting=True)
    if accepted:
        raise OrthancError(ErrorCode.NO_PRESENTATION_CONTEXT)
    words = REJECTED if association.is_rejected else ABORTED
    raise association_error(_CONNECTING, association.modality.aet, words)


def _tls_context(options: DicomOptions) -> ssl.SSLContext:
    """Return how we show ourselves, and whom we trust: a node needs a certificate, and its name is not compared."""
    tls = options.tls
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if tls.trusted_certificates:
        context.load_verify_locations(cadata=Path(tls.trusted_certificates).read_text("ascii"))
    if tls.certificate:
        context.load_cert_chain(tls.certificate, tls.private_key or None)
    if tls.ciphers:
        context.set_ciphers(":".join(tls.ciphers))
    return context
