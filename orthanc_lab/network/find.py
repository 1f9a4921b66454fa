"""C-FIND: patients, studies, series and instances by their tags (PS3.4 section C.4.1)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice

from orthanc_lab.dicom.files.charsets import LATIN1, by_name
from orthanc_lab.dicom.shown.tag_format import TagNames
from orthanc_lab.dimse.command_set import Operation
from orthanc_lab.dimse.query_models import FIND_MODELS
from orthanc_lab.network.find_answers import AnswerWriter
from orthanc_lab.network.identifier import Identifier, IdentifierReader, Key
from orthanc_lab.network.measuring import measured
from orthanc_lab.network.request import Request, Status
from orthanc_lab.network.services import NetworkServices
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.warnings import WarningLog
from orthanc_lab.queries.constraints import check_wildcards
from orthanc_lab.queries.file_tags import FileTags
from orthanc_lab.queries.relatives import Relatives
from orthanc_lab.queries.requested_tags import RequestedTags
from orthanc_lab.queries.search import ResourceSearch
from orthanc_lab.storage.records import Constraint, FindQuery

__all__ = ["Find"]

_log = logging.getLogger("orthanc_lab.dicom")
_AT_A_TIME = 16  # answers that are sent with one system call, and between two looks for a C-CANCEL
_NEVER_COMPARED = frozenset({"0008,0005", "0008,0201"})  # SpecificCharacterSet, TimezoneOffsetFromUTC


class Find:
    """Searches, as ``/tools/find`` does, and answers with a data set for each resource."""

    OPERATION = Operation.C_FIND
    SOP_CLASSES = frozenset(FIND_MODELS)
    PERMISSION = "Find"

    def __init__(self, services: NetworkServices) -> None:
        settings, storage, dictionary = services.settings, services.storage, services.dictionary
        self._services = services
        self._reader = IdentifierReader(dictionary, settings)
        files = None
        if settings["StorageAccessOnFind"] != "Never":
            files = FileTags(storage, dictionary, settings, services.memory)
        self._requested = RequestedTags(storage, TagNames(dictionary), files, WarningLog(settings["Warnings"]))
        # The limits do not hold for C-FIND in Orthanc 1.12.7.
        self._search = ResourceSearch(storage, self._requested, dictionary, None)

    def handle(self, request: Request) -> None:
        """Send the answers, and a final response."""
        request.respond(self._answered(request))

    def _answered(self, request: Request) -> int:
        """Send the answers; return the status of the final response."""
        try:
            answers = self._answers(request)
            while group := list(islice(answers, _AT_A_TIME)):
                if request.is_cancelled():
                    return Status.CANCELLED
                request.respond_all(Status.PENDING, group)
        except OrthancError as error:
            _log.error("C-FIND of %s failed: %s", request.peer.aet, error)
            return Status.UNABLE_TO_PROCESS
        except Exception as error:
            self._services.report(error)
            return Status.UNABLE_TO_PROCESS
        return Status.SUCCESS

    def _answers(self, request: Request) -> Iterator[bytes]:
        services = self._services
        with measured(services, "orthanc_find_scp_duration_ms"):
            identifier = self._reader.read(request)
            if not identifier.level:
                raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "Invalid resource type ''")
            level = Level.parse(identifier.level)
            shown = tuple(identifier.keys)
            plan = self._search.plan(self._query(level, identifier), shown)
            batches = [] if plan is None else self._search.batches(plan)
        charset = by_name(services.settings["DefaultEncoding"]) or LATIN1
        writer = AnswerWriter(
            identifier, services.settings["DicomAet"], charset, services.dictionary, request.transfer_syntax
        )
        self._requested.warn(level, shown)
        for batch in batches:
            relatives = Relatives(services.storage, batch)
            if batch:
                self._requested.load(batch, shown, relatives)
            for resource in batch:
                yield writer.write(self._requested.full(resource, shown, relatives))

    def _query(self, level: Level, identifier: Identifier) -> FindQuery:
        return FindQuery(level, [self._constraint(name, key) for name, key in identifier.keys.items() if _asks(key)])

    def _constraint(self, name: str, key: Key) -> Constraint:
        check_wildcards(key.tag, key.value, self._services.dictionary)
        case_sensitive = key.vr != "PN" or self._services.settings["CaseSensitivePN"]
        return Constraint(name, key.value, case_sensitive)


def _asks(key: Key) -> bool:
    if key.has_items and key.is_sequence:
        _log.warning("C-FIND does not compare sequences: the value of (%04x,%04x) is ignored", *divmod(key.tag, 65536))
    return bool(key.value) and f"{key.tag >> 16:04x},{key.tag & 0xFFFF:04x}" not in _NEVER_COMPARED
