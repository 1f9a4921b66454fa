"""C-GET: instances are sent over the association on which they are asked for (PS3.4 section C.4.3)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from orthanc_lab.dicom.dictionary.tags import FAILED_SOP_INSTANCE_UID_LIST
from orthanc_lab.dicom.files.data_set import Element, encode
from orthanc_lab.dimse.command_set import Operation
from orthanc_lab.dimse.query_models import GET_MODELS
from orthanc_lab.dimse.sent_file import read_sent_file
from orthanc_lab.network.identifier import IdentifierReader
from orthanc_lab.network.measuring import measured
from orthanc_lab.network.request import Request, Status
from orthanc_lab.network.retrieved import named_resources, retrieved_instances
from orthanc_lab.network.return_channel import ReturnChannel, is_warning
from orthanc_lab.network.services import NetworkServices
from orthanc_lab.network.sub_operations import SubOperations
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Get"]

_log = logging.getLogger("orthanc_lab.dicom")


@dataclass(slots=True)
class _Progress:
    counts: SubOperations = field(default_factory=SubOperations)
    failed: list[str] = field(default_factory=list)  # SOP Instance UIDs


class Get:
    """Sends instances as C-STORE sub-operations, each followed by a response with the counts."""

    OPERATION = Operation.C_GET
    SOP_CLASSES = frozenset(GET_MODELS)
    PERMISSION = "Get"

    def __init__(self, services: NetworkServices) -> None:
        self._services = services
        self._reader = IdentifierReader(services.dictionary, services.settings)

    def handle(self, request: Request) -> None:
        """Send the instances, and a final response."""
        progress = _Progress()
        status = self._sent(request, progress)
        fields = progress.counts.fields(with_remaining=status == Status.CANCELLED)
        request.respond(status, _failed_list(progress.failed, request.transfer_syntax), fields)

    def _sent(self, request: Request, progress: _Progress) -> int:
        """Send the instances; return the status of the final response."""
        counts = progress.counts
        try:
            with measured(self._services, "orthanc_get_scp_duration_ms"):
                instances = self._instances(request)
            counts.total = len(instances)
            channel = ReturnChannel(request, self._services)
            for instance in instances:
                if request.is_cancelled():
                    return Status.CANCELLED
                self._send(channel, instance, progress)
                request.respond(Status.PENDING, fields=counts.fields(with_remaining=True))
        except OrthancError as error:
            _log.error("C-GET of %s failed: %s", request.peer.aet, error)
            return Status.UNABLE_TO_PROCESS
        except Exception as error:
            self._services.report(error)
            return Status.UNABLE_TO_PROCESS
        if counts.failed and not counts.completed and not counts.warning:
            return Status.UNABLE_TO_PERFORM_SUBOPERATIONS
        return Status.SUBOPERATIONS_FAILED if counts.failed or counts.warning else Status.SUCCESS

    def _send(self, channel: ReturnChannel, instance: str, progress: _Progress) -> None:
        counts = progress.counts
        try:
            file = read_sent_file(self._services.storage.read_dicom(instance))
            status = channel.send(file)
        except OrthancError:
            counts.failed += 1
            raise
        if status == Status.SUCCESS:
            counts.completed += 1
        elif is_warning(status):
            counts.warning += 1
        else:
            _log.error("%s refused an instance with status 0x%04x", channel.aet, status)
            counts.failed += 1
            progress.failed.append(file.sop_instance)

    def _instances(self, request: Request) -> list[str]:
        identifier = self._reader.read(request)
        if not identifier.level:
            details = "C-GET request without the tag 0008,0052 (QueryRetrieveLevel)"
            raise OrthancError(ErrorCode.BAD_REQUEST, details)
        named = named_resources(identifier, self._services.storage)
        if not all(named):
            raise OrthancError(ErrorCode.BAD_REQUEST, "A resource that is requested is not stored")
        return retrieved_instances([id for ids in named for id in ids], self._services.storage)


def _failed_list(failed: list[str], transfer_syntax: str) -> bytes | None:
    """Return the identifier of a response: the instances that were refused (PS3.4 section C.4.3.1.3.2)."""
    if not failed:
        return None
    value = "\\".join(failed).encode("latin-1", "replace")
    return b"".join(encode({FAILED_SOP_INSTANCE_UID_LIST: Element("UI", value)}, transfer_syntax))
