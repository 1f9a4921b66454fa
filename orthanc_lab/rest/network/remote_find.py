"""Asking other nodes by C-FIND, for the resources that do so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.shown.tag_format import TagFormat, all_reduced
from orthanc_lab.dimse.answers import AnswersReader, FindAnswer
from orthanc_lab.dimse.identifiers import TagValues, normalized
from orthanc_lab.dimse.kept_queries import RemoteQuery
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.network.query_request import QueryRequest
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    from orthanc_lab.dimse.find import Finder

__all__ = ["RemoteFind"]


class RemoteFind:
    """Makes queries of other nodes, and shows their answers."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def query(self, name: str, modality: Modality, request: QueryRequest) -> RemoteQuery:
        """Make a query.

        Raises
        ------
        OrthancError
            9 or 2015 if it fails, 15 for a text that is not a value of its tag, 3 for an unknown character set.
        """
        level, asked = request.level, request.asked
        with self.open(modality, request.local_aet, request.timeout) as finder:
            answers = finder.find(level, normalized(asked, level) if request.normalize else asked)
        shown_aet = self._services.dicom.aet if request.local_aet is None else request.local_aet
        return RemoteQuery(name, modality, level, asked, shown_aet, request.timeout, answers)

    def open(self, modality: Modality, local_aet: str | None = None, timeout: int | None = None) -> Finder:
        """Open an association for C-FIND."""
        # It loads pynetdicom, which most servers never need.
        with needs_pynetdicom():
            from orthanc_lab.dimse.find import Finder  # noqa: PLC0415

        services = self._services
        values = services.job_tools.values()
        return Finder(modality, services.dicom, values, services.clock, local_aet=local_aet, timeout=timeout)

    def shown(self, answers: Iterable[FindAnswer], level: Level, form: TagFormat) -> list[dict[str, Any]]:
        """Return answers as JSON."""
        reader = self._reader
        return [all_reduced(reader.full(answer, level), form) for answer in answers]

    def texts(self, answer: FindAnswer, level: Level) -> TagValues:
        """Return the tags of an answer that have a text."""
        return self._reader.texts(answer, level)

    @property
    def _reader(self) -> AnswersReader:
        return AnswersReader(self._services.dictionary, self._services.settings["DefaultEncoding"])
