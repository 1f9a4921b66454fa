"""The faults of DICOM, around what answers requests."""

from __future__ import annotations

from orthanc_lab.dimse.command_set import Operation
from orthanc_lab.network.dispatch import Dispatch
from orthanc_lab.network.request import Request
from orthanc_lab.testing.faults.switches import FaultSwitches

__all__ = ["with_faults"]

_NAMES = {operation.value: operation.name.replace("_", "-") for operation in Operation}


class _FaultyDispatch(Dispatch):
    def __init__(self, dispatch: Dispatch, faults: FaultSwitches) -> None:
        super().__init__(dispatch.services)
        self._dispatch = dispatch
        self._faults = faults

    def answer(self, request: Request) -> bool:
        """Answer a request; False lets the association be aborted."""
        if self._faults.happens("DICOM association aborted", _NAMES.get(request.message.field, "")):
            return False
        return self._dispatch.answer(request)


def with_faults(dispatch: Dispatch, faults: FaultSwitches) -> Dispatch:
    """Return what answers requests with the faults that are in force."""
    return _FaultyDispatch(dispatch, faults)
