"""C-FIND: what does a node have? It loads pynetdicom, so it is loaded when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from orthanc_lab.dicom.files.data_set import DataSet, encode
from orthanc_lab.dicom.files.read import read_data_set
from orthanc_lab.dicom.files.values import JsonValues
from orthanc_lab.dicom.limits import MAX_MESSAGE_ELEMENTS
from orthanc_lab.dimse import failures
from orthanc_lab.dimse.answers import FindAnswer
from orthanc_lab.dimse.association import Proposal, RequestedAssociation, open_association
from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.identifiers import TagValues, find_identifier
from orthanc_lab.dimse.message import Message
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.dimse.query_models import FIND_MODELS, PATIENT_ROOT_FIND, STUDY_ROOT_FIND, WORKLIST_FIND
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import Clock

__all__ = ["Finder"]

_SERVICE = "C-FIND"
_MODELS = (*FIND_MODELS, WORKLIST_FIND)
_PENDING = (0xFF00, 0xFF01)
_UNABLE_TO_PROCESS = 0xC000
_MOST_BYTES = 64 << 20  # of all answers
_LONGEST = 3600.0  # seconds for all answers
_UNPROCESSABLE = 422  # HTTP status


class Finder:
    """Asks a node, over one association, which the first question opens and the end of a ``with`` block releases.

    Parameters
    ----------
    values
        Makes elements of texts.
    local_aet
        Our title; None for that of the modality, or of the options.
    timeout
        Seconds, 0 for no limit; None for those of the modality, or of the options.
    models
        SOP classes of the information models that will be asked.
    """

    def __init__(
        self,
        modality: Modality,
        options: DicomOptions,
        values: JsonValues,
        clock: Clock,
        *,
        local_aet: str | None = None,
        timeout: int | None = None,
        models: Sequence[str] = _MODELS,
    ) -> None:
        self._modality = modality
        self._options = options
        self._values = values
        self._clock = clock
        self._end = clock.monotonic() + _LONGEST
        self._size = 0  # bytes of the answers
        self._local_aet = local_aet
        self._timeout = timeout
        self._models = models
        self._association: RequestedAssociation | None = None

    def __enter__(self) -> Finder:
        return self

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._association is not None:
            self._association.close()

    def find(self, level: Level, asked: TagValues) -> list[FindAnswer]:
        """Return what the node has at a level, as the manufacturer of the node wants to be asked.

        Raises
        ------
        OrthancError
            As `ask`; 15 for a text that is not a value of its tag, 3 for an unknown character set.
        """
        identifier = find_identifier(asked, level, self._modality.manufacturer, self._values)
        return self.ask(PATIENT_ROOT_FIND if level is Level.PATIENT else STUDY_ROOT_FIND, identifier)

    def ask(self, model: str, identifier: DataSet) -> list[FindAnswer]:
        """Return the answers to an identifier.

        Parameters
        ----------
        model
            SOP class of the information model.

        Raises
        ------
        OrthancError
            9 if the node fails, 2015 if it answers no queries.
        """
        association = self._association = self._association or self._open()
        context = association.context(model)
        if context is None:
            raise self._error(failures.no_context(model))
        syntax = str(context.transfer_syntax[0])
        fields: Command = {Field.AFFECTED_SOP_CLASS_UID: model, Field.PRIORITY: 0}
        request = association.send(context, Operation.C_FIND, fields, b"".join(encode(identifier, syntax)))
        answers: list[FindAnswer] = []
        while True:
            response = association.receive(_SERVICE)
            association.check_response(response, Operation.C_FIND, request)
            if response.status not in _PENDING:
                break
            answers.append(self._answer(association, response, syntax))
            self._size += answers[-1].size
            if self._size > _MOST_BYTES or self._clock.monotonic() > self._end:
                association.abort()
                raise self._error("The node sends answers without end")
        if response.status != 0:
            raise self._failure(response.status)
        return answers

    def _open(self) -> RequestedAssociation:
        proposals = [Proposal(model) for model in self._models]
        return open_association(
            self._modality, self._options, proposals, local_aet=self._local_aet, timeout=self._timeout
        )

    def _answer(self, association: RequestedAssociation, response: Message, transfer_syntax: str) -> FindAnswer:
        if not response.has_data:
            raise self._error("DIMSE Unexpected PDV type")
        data = bytes(response.data)
        try:
            read_data_set(data, transfer_syntax, self._values.names, most=MAX_MESSAGE_ELEMENTS)
        except OrthancError as error:
            if error.code != ErrorCode.BAD_FILE_FORMAT:
                raise
            association.abort()
            raise self._error("DIMSE Failed to receive message") from error
        return FindAnswer(data, transfer_syntax)

    def _failure(self, status: int) -> OrthancError:
        if status != _UNABLE_TO_PROCESS:
            return failures.status_error(_SERVICE, self._modality.aet, status)
        error = failures.status_error(_SERVICE, self._modality.aet, status, " (unable to process - invalid query ?)")
        error.status = _UNPROCESSABLE
        return error

    def _error(self, words: str) -> OrthancError:
        return failures.association_error(_SERVICE, self._modality.aet, words)
