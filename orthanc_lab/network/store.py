"""C-STORE: a data set becomes a file as it came, with a meta header in front."""

from __future__ import annotations

import logging

from orthanc_lab.dicom.files.data_set import encode_head
from orthanc_lab.dicom.files.deflated_padding import without_padding
from orthanc_lab.dicom.files.sop_identity import sop_identity
from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.network.request import Request, Status
from orthanc_lab.network.services import NetworkServices
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.records import Origin

__all__ = ["Store"]

_log = logging.getLogger("orthanc_lab.dicom")


class Store:
    """Stores instances; the response comes after the disk."""

    OPERATION = Operation.C_STORE
    SOP_CLASSES: frozenset[str] = frozenset()
    PERMISSION = "Store"

    def __init__(self, services: NetworkServices) -> None:
        self._storage = services.storage
        self._report = services.report

    def handle(self, request: Request) -> None:
        """Store the data set and answer."""
        instance = request.message.text(Field.AFFECTED_SOP_INSTANCE_UID)
        request.respond(self._store(request, instance), fields={Field.AFFECTED_SOP_INSTANCE_UID: instance})

    def _store(self, request: Request, instance: str) -> int:
        peer = request.peer
        sop_class = request.message.text(Field.AFFECTED_SOP_CLASS_UID)
        stated = sop_identity(request.message.data, request.transfer_syntax)
        if None in stated:
            _log.error("An instance of %s was not stored: its data set states no SOP class or instance", peer.aet)
            return Status.UNABLE_TO_PROCESS
        if stated != (sop_class, instance):
            _log.error("An instance of %s was not stored: its data set states another SOP class or instance", peer.aet)
            return Status.DATA_SET_DOES_NOT_MATCH
        head = encode_head(request.transfer_syntax, sop_class, instance)
        origin = Origin("DicomProtocol", peer.host, peer.aet, peer.called_aet)
        try:
            data = without_padding(request.message.data, request.transfer_syntax)
            self._storage.store(b"".join((head, data)), origin)
        except OrthancError as error:
            _log.error("An instance of %s was not stored: %s", peer.aet, error.details or error.text)
            return Status.UNABLE_TO_PROCESS if error.code == ErrorCode.BAD_FILE_FORMAT else Status.OUT_OF_RESOURCES
        except Exception as error:
            self._report(error)
            return Status.UNABLE_TO_PROCESS
        return Status.SUCCESS
