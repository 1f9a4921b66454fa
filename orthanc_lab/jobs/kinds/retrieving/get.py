"""Having a node send to us, over our own association: the job ``DicomGetScu``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dimse.identifiers import get_identifier
from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.jobs.kinds.retrieving.retrieve_job import RetrieveJob, RetrieveQuery
from orthanc_lab.protocol.levels import Level

if TYPE_CHECKING:
    from orthanc_lab.dimse.association import RequestedAssociation
    from orthanc_lab.dimse.retrieve import Retrieval

__all__ = ["GetJob"]


class GetJob(RetrieveJob):
    """Asks for one C-GET a query, and stores what comes."""

    type = "DicomGetScu"

    def _open(self) -> RequestedAssociation:
        # It loads pynetdicom, which most servers never need.
        with needs_pynetdicom():
            from orthanc_lab.dimse.retrieve import open_get  # noqa: PLC0415

        request = self._request
        return open_get(
            request.modality,
            self._tools.dicom,
            local_aet=request.local_aet,
            timeout=request.timeout,
            interruption=self._interruption,
        )

    def _identifier(self, query: RetrieveQuery) -> DataSet:
        return get_identifier(query.asked, query.level, self._tools.values())

    def _ask(self, association: RequestedAssociation, level: Level, identifier: DataSet) -> Retrieval:
        with needs_pynetdicom():
            from orthanc_lab.dimse.retrieve import get  # noqa: PLC0415

        return get(association, level, identifier, self._tools.storage)
