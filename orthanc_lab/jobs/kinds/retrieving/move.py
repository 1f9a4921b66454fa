"""Having a node send to another one, or to us: the job ``DicomMoveScu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dimse.identifiers import move_identifier
from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.jobs.kinds.retrieving.retrieve_job import RetrieveJob, RetrieveQuery
from orthanc_lab.protocol.levels import Level

if TYPE_CHECKING:
    from orthanc_lab.dimse.association import RequestedAssociation
    from orthanc_lab.dimse.retrieve import Retrieval

__all__ = ["MoveJob"]


class MoveJob(RetrieveJob):
    """Asks for one C-MOVE a query."""

    type = "DicomMoveScu"

    def content(self) -> dict[str, Any]:
        """Return the public state of the job."""
        return {**super().content(), "TargetAet": self._request.target_aet}

    def _open(self) -> RequestedAssociation:
        # It loads pynetdicom, which most servers never need.
        with needs_pynetdicom():
            from orthanc_lab.dimse.retrieve import open_move  # noqa: PLC0415

        request = self._request
        return open_move(
            request.modality,
            self._tools.dicom,
            local_aet=request.local_aet,
            timeout=request.timeout,
            interruption=self._interruption,
        )

    def _identifier(self, query: RetrieveQuery) -> DataSet:
        return move_identifier(query.asked, query.level, self._tools.values())

    def _ask(self, association: RequestedAssociation, level: Level, identifier: DataSet) -> Retrieval:
        with needs_pynetdicom():
            from orthanc_lab.dimse.retrieve import move  # noqa: PLC0415

        return move(association, level, identifier, self._request.target_aet)
