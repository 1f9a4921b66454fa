"""Protection of a patient from recycling: ``/patients/{id}/protected``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.answers import answer_nothing, answer_text
from orthanc_lab.rest.http.bodies import read_boolean
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Protection"]


class Protection:
    """Whether a patient is spared when the storage is full."""

    writes = ("PUT",)

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer ``1`` or ``0``; an unknown patient is a parameter out of range."""
        patient = self._storage.get(id, Level.PATIENT)
        if patient is None:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        answer_text(resp, "1" if patient.is_protected else "0")

    def on_put(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Protect the patient, or no longer."""
        protected = read_boolean(req)
        if self._storage.find_level(id) is not Level.PATIENT:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        self._storage.set_protected(id, protected)
        answer_nothing(resp)


ROUTES: Sequence[tuple[str, type]] = (("/patients/{id}/protected", Protection),)
