"""C-STORE: instances are sent to a node over one association, which is opened again where its contexts do not do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from pynetdicom.presentation import PresentationContext

from orthanc_lab.dimse.association import Proposal, RequestedAssociation, open_association
from orthanc_lab.dimse.command_set import Field, Operation, Value
from orthanc_lab.dimse.failures import status_error
from orthanc_lab.dimse.interruption import Interruption
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.dimse.sent_file import NO_SOP_CLASS, SentFile, read_sent_file
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE

__all__ = ["InstanceSender", "MoveOriginator", "StoreTarget", "Transcoder"]

_log = logging.getLogger("orthanc_lab.dicom")
_MOST_CONTEXTS = 128  # context identifiers are the odd numbers of one byte
_LONGEST_UID = 64
_PLAIN = (IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE)  # in the order of Orthanc's proposals
_COERCED = 0x0111  # "duplicate SOP instance": the node has it

Transcoder = Callable[[bytes, str], bytes | None]
"""Returns a file in another transfer syntax, None if that cannot be done."""

Kind = tuple[str, str]
"""SOP class and transfer syntax of an instance."""


@dataclass(frozen=True, slots=True)
class MoveOriginator:
    """The C-MOVE request that instances are sent for."""

    aet: str
    message_id: int


@dataclass(frozen=True, slots=True)
class StoreTarget:
    """Where instances are sent, and as whom."""

    modality: Modality
    local_aet: str | None = None  # where the modality names none; None for that of the options
    timeout: int | None = None  # seconds; None for that of the modality and of the options, 0 for no limit
    originator: MoveOriginator | None = None


class InstanceSender:
    """Sends instances to a node; the association is there from the first of them until `close`.

    Parameters
    ----------
    transcode
        Makes what the node accepts of what it refuses; None leaves files as they are.
    interruption
        Cuts the connection: an instance that is being sent fails.
    """

    def __init__(
        self,
        target: StoreTarget,
        options: DicomOptions,
        transcode: Transcoder | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self._interruption = interruption
        self._target = target
        self._options = options
        self._transcode = transcode if options.transcode and target.modality.allow_transcoding else None
        self._preferred = EXPLICIT_LE if self._transcode is None else options.preferred_syntax
        self._association: RequestedAssociation | None = None
        self._proposed: set[Kind] = set()

    def __enter__(self) -> InstanceSender:
        return self

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def send(self, dicom: bytes, upcoming: Callable[[], Iterable[Kind]] = tuple) -> SentFile:
        """Send a file; return it as it was sent.

        Parameters
        ----------
        upcoming
            Tells of the instances that will follow, for the contexts of an association that has to be opened.

        Raises
        ------
        OrthancError
            9 if it does not arrive or is refused, 2015 if there is no presentation context for it, 15 if it is no file.
        """
        file = self._read(dicom)
        kind = (file.sop_class, file.transfer_syntax)
        if not _is_sayable(kind):
            raise self._no_context(file)
        if self._association is not None and kind not in self._proposed:
            self.close()
        association = self._association or self._open(kind, upcoming)
        file, context = self._acceptable(file, association)
        try:
            response = association.ask(context, Operation.C_STORE, self._fields(file), file.data)
        except BaseException:
            self.close()
            raise
        if not _is_success(response.status):
            raise status_error("C-STORE", self._target.modality.aet, response.status)
        return file

    def close(self) -> None:
        """Release the association; the next instance opens another one."""
        association, self._association = self._association, None
        if association is not None:
            association.close()

    def _read(self, dicom: bytes) -> SentFile:
        try:
            return read_sent_file(dicom)
        except OrthancError as error:
            if error.code != NO_SOP_CLASS:
                raise
            aet = self._target.modality.aet
            text = f"Unable to determine the SOP class/instance for C-STORE with AET {aet}"
            raise OrthancError(NO_SOP_CLASS, text) from error

    def _open(self, kind: Kind, upcoming: Callable[[], Iterable[Kind]]) -> RequestedAssociation:
        kinds: dict[str, list[str]] = {}
        for sop_class, syntax in (kind, *upcoming()):
            known = kinds.get(sop_class, [])
            if syntax not in known and _is_sayable((sop_class, syntax)):
                more = {**kinds, sop_class: [*known, syntax]}
                if len(self._proposals(more)) > _MOST_CONTEXTS:
                    break
                kinds = more
        target = self._target
        self._association = open_association(
            target.modality,
            self._options,
            self._proposals(kinds),
            local_aet=target.local_aet,
            timeout=target.timeout,
            interruption=self._interruption,
        )
        self._proposed = {(sop_class, syntax) for sop_class, known in kinds.items() for syntax in known}
        return self._association

    def _proposals(self, kinds: Mapping[str, Sequence[str]]) -> list[Proposal]:
        """Return the contexts: of each SOP class its transfer syntaxes, the preferred one, and the other plain ones."""
        proposals = []
        for sop_class, syntaxes in kinds.items():
            alone = dict.fromkeys((*syntaxes, self._preferred))
            others = [syntax for syntax in _PLAIN if syntax not in alone]
            proposals += [Proposal(sop_class, together) for together in (*([syntax] for syntax in alone), others)]
        return [proposal for proposal in proposals if proposal.transfer_syntaxes]

    def _acceptable(self, file: SentFile, association: RequestedAssociation) -> tuple[SentFile, PresentationContext]:
        """Return the file in a transfer syntax that the node accepts, with the context."""
        context = association.context(file.sop_class, file.transfer_syntax)
        if context is not None:
            return file, context
        accepted = sorted(
            one.transfer_syntax[0] for one in association.accepted_contexts if one.abstract_syntax == file.sop_class
        )
        if not accepted:
            text = f"Cannot C-Store an instance of SOPClassUID {file.sop_class}, the destination has not accepted"
            raise OrthancError(ErrorCode.NO_PRESENTATION_CONTEXT, f"{text} any TransferSyntax for this SOPClassUID.")
        if self._transcode is None:
            raise self._no_context(file)
        for syntax in sorted(accepted, key=lambda uid: uid != self._preferred):
            made = self._transcode(file.dicom, syntax)
            context = association.context(file.sop_class, syntax)
            if made is not None and context is not None:
                return self._transcoded(file, made), context
        raise OrthancError(
            ErrorCode.NETWORK_PROTOCOL,
            f"Cannot transcode instance of SOPClassUID {file.sop_class} from {file.transfer_syntax} "
            f"to one of [ {' '.join(accepted)} ]",
        )

    def _no_context(self, file: SentFile) -> OrthancError:
        text = f"No valid presentation context was negotiated for SOP class UID [{file.sop_class}] and transfer syntax"
        aet = self._target.modality.aet
        return OrthancError(
            ErrorCode.NETWORK_PROTOCOL, f"{text} [{file.transfer_syntax}] while sending to modality [{aet}]"
        )

    def _transcoded(self, file: SentFile, made: bytes) -> SentFile:
        new = self._read(made)
        if new.sop_instance != file.sop_instance:
            words = "A lossy transfer syntax was preferred, so an instance was sent under another SOP Instance UID"
            _log.warning("%s: %s instead of %s", words, new.sop_instance, file.sop_instance)
        return new

    def _fields(self, file: SentFile) -> dict[Field, Value]:
        fields: dict[Field, Value] = {
            Field.AFFECTED_SOP_CLASS_UID: file.sop_class,
            Field.AFFECTED_SOP_INSTANCE_UID: file.sop_instance,
            Field.PRIORITY: 0,
        }
        originator = self._target.originator
        if originator is not None:
            fields[Field.MOVE_ORIGINATOR_AET] = originator.aet[:16]
            fields[Field.MOVE_ORIGINATOR_MESSAGE_ID] = originator.message_id
        return fields


def _is_sayable(kind: Kind) -> bool:
    """Whether pynetdicom can propose a context: it takes UIDs that are none, but not every text."""
    return all(len(uid) <= _LONGEST_UID and uid.isascii() for uid in kind)


def _is_success(status: int) -> bool:
    """Whether an instance has arrived, perhaps with a warning."""
    return status in (0, _COERCED) or status >> 12 == 0xB
