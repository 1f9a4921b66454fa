"""The services of a `DicomNode`: what it does for each request, and the faults that it has then."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from orthanc_lab.testing.dicom_answers import answers, as_texts, matching
from orthanc_lab.testing.dicom_commitment import results, send_report
from orthanc_lab.testing.dicom_connections import prepare_connection
from orthanc_lab.testing.dicom_contexts import proposed_for
from orthanc_lab.testing.dicom_recorder import Recorder, cut
from orthanc_lab.testing.dicom_records import ReceivedInstance
from orthanc_lab.testing.gate import Gate

__all__ = ["Services"]

_PENDING, _SUCCESS, _CANCEL, _UNKNOWN_DESTINATION = 0xFF00, 0x0000, 0xFE00, 0xA801
_LONGEST_REPORT = 10.0  # seconds


class Services:
    """The handlers of a node.

    Parameters
    ----------
    entity
        The node as an application entity.
    datasets, destinations
        What it answers from, and where it sends to.
    gate
        Holds responses and sub-operations back.
    recorder
        Knows the faults that hit a message.

    Attributes
    ----------
    instances
        What was received.
    """

    def __init__(
        self,
        entity: AE,
        datasets: Sequence[Dataset],
        destinations: Mapping[str, tuple[str, int]],
        gate: Gate,
        recorder: Recorder,
    ) -> None:
        self.instances: list[ReceivedInstance] = []
        self._entity = entity
        self._datasets = datasets
        self._destinations = destinations
        self._gate = gate
        self._recorder = recorder
        self._stopped = threading.Event()
        self._reports: list[threading.Thread] = []

    @property
    def handlers(self) -> list[EventHandlerType]:
        """For pynetdicom."""
        return [
            (evt.EVT_C_ECHO, self._echo),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_MOVE, self._move),
            (evt.EVT_C_GET, self._get),
            (evt.EVT_N_ACTION, self._commit),
        ]

    def hurry(self) -> None:
        """End the delays."""
        self._stopped.set()

    def finish(self) -> None:
        """Wait for the reports of storage commitment that are on their way."""
        for report in self._reports:
            report.join(_LONGEST_REPORT)

    def _begin(self, event: Event, *, has_parts: bool = False) -> int | None:
        """Wait as long as it is told to; return the status to respond with, None if there is no fault."""
        self._gate.wait_for_permit()
        status = None
        for fault in self._recorder.faults_of(event.assoc):
            if fault.action == "delay":
                self._stopped.wait(fault.seconds)
            elif fault.action == "status" and not (has_parts and fault.when == "during"):
                status = fault.status
            elif fault.when == "before":
                cut(event.assoc, fault)
            elif fault.when == "after":
                self._recorder.end_after_response(event.assoc, fault)
        return status

    def _interrupt(self, event: Event) -> int | None:
        """Have the faults that come after the first part of a response; return the status to go on with, if any."""
        status = None
        for fault in self._recorder.faults_of(event.assoc):
            if fault.when == "during" and fault.action == "status":
                status = fault.status
                self._recorder.replace_status(event.assoc, status)
            elif fault.when == "during":
                cut(event.assoc, fault)
        return status

    def _echo(self, event: Event) -> int:
        return self._begin(event) or _SUCCESS

    def _store(self, event: Event) -> int:
        status = self._begin(event) or _SUCCESS
        is_lost = any(fault.action == "lose" for fault in self._recorder.faults_of(event.assoc))
        if event.assoc.is_established and not is_lost and not _is_failure(status):
            self.instances.append(_received(event, self._recorder.number(event.assoc)))
        return status

    def _find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        status = self._begin(event, has_parts=True)
        if status is not None:
            yield status, None
            return
        for number, answer in enumerate(answers(as_texts(event.identifier), self._datasets, self._entity.ae_title)):
            if event.is_cancelled:
                yield _CANCEL, None
                return
            yield _PENDING, answer
            if number == 0 and (status := self._interrupt(event)) is not None:
                yield status, None
                return

    def _move(self, event: Event) -> Iterator[Any]:
        status = self._begin(event, has_parts=True)
        destination = self._destinations.get(str(event.move_destination or "").strip())
        if status is not None or destination is None:
            self._recorder.replace_status(event.assoc, _UNKNOWN_DESTINATION if status is None else status)
            yield None, None
            return
        found = self._retrieved(event)
        contexts = proposed_for(found) if found else [build_context(Verification)]
        yield (*destination, {"contexts": contexts, "evt_handlers": [(evt.EVT_CONN_OPEN, prepare_connection)]})
        yield from self._parts(event, found)

    def _get(self, event: Event) -> Iterator[Any]:
        status = self._begin(event, has_parts=True)
        if status is not None:
            self._recorder.replace_status(event.assoc, status)
            yield 0
            return
        yield from self._parts(event, self._retrieved(event))

    def _retrieved(self, event: Event) -> list[Dataset]:
        return [
            dataset for dataset in matching(as_texts(event.identifier), self._datasets) if "SOPInstanceUID" in dataset
        ]

    def _parts(self, event: Event, found: list[Dataset]) -> Iterator[Any]:
        yield len(found)
        for number, dataset in enumerate(found):
            if number:
                self._gate.wait_for_permit()
            if event.is_cancelled:
                yield _CANCEL, None
                return
            yield _PENDING, dataset
            if number == 0 and (status := self._interrupt(event)) is not None:
                yield status, None
                return

    def _commit(self, event: Event) -> tuple[int, None]:
        status = self._begin(event)
        caller = event.assoc.requestor.ae_title.strip()
        address = self._destinations.get(caller)
        if status is None and event.assoc.is_established and address is not None:
            report = results(event.action_information, self.instances)
            thread = threading.Thread(target=send_report, args=(self._entity, address, caller, report), daemon=True)
            self._reports.append(thread)
            thread.start()
        return (_SUCCESS if status is None else status), None


def _is_failure(status: int) -> bool:
    return status != _SUCCESS and status >> 12 != 0xB


def _received(event: Event, number: int) -> ReceivedInstance:
    request: Any = event.request
    originator = request.MoveOriginatorApplicationEntityTitle
    return ReceivedInstance(
        number,
        str(request.AffectedSOPClassUID),
        str(request.AffectedSOPInstanceUID),
        str(event.context.transfer_syntax),
        (str(originator).strip(), int(request.MoveOriginatorMessageID)) if originator else None,
        event.encoded_dataset(),
    )
