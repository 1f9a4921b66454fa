"""What C-MOVE and C-GET as jobs share: query after query, over one association."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from orthanc_lab.dicom.dictionary.dictionary import format_tag
from orthanc_lab.dicom.dictionary.tags import QUERY_RETRIEVE_LEVEL
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.shown.tag_format import TagFormat, all_reduced
from orthanc_lab.dimse.answers import with_meta_header
from orthanc_lab.dimse.identifiers import LEVEL_NAMES, TagValues
from orthanc_lab.dimse.interruption import Interruption
from orthanc_lab.dimse.modality import Modality, read_modality
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import JobOutput, StopReason
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.levels import Level

if TYPE_CHECKING:
    from orthanc_lab.dimse.association import RequestedAssociation
    from orthanc_lab.dimse.retrieve import Retrieval

__all__ = ["RetrieveJob", "RetrieveQuery", "RetrieveRequest"]

_log = logging.getLogger("orthanc_lab.jobs")


@dataclass(frozen=True, slots=True)
class RetrieveQuery:
    """What is retrieved by one operation."""

    level: Level
    asked: TagValues


@dataclass(frozen=True, slots=True)
class RetrieveRequest:
    """What a call that retrieves from a node asks for."""

    modality: Modality
    queries: Sequence[RetrieveQuery]  # one for each operation
    local_aet: str  # our title, unless the modality has one for us
    target_aet: str = ""  # to whom the node sends, in a C-MOVE
    timeout: int | None = None  # seconds, 0 for no limit; None for that of the modality, or of the options
    form: TagFormat = TagFormat.SHORT  # of ``Query`` in the content
    permissive: bool = False  # go on after a query that failed


class RetrieveJob(ABC):
    """Takes one message of the node a step: it can be paused and cancelled while the node sends.

    A query that was broken off begins again from its start.
    """

    type: ClassVar[str]

    def __init__(self, tools: JobTools, request: RetrieveRequest) -> None:
        self._tools = tools
        self._request = request
        self._association: RequestedAssociation | None = None
        self._running: Retrieval | None = None
        self._interruption = Interruption()
        self.reset()

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> Self:
        """Make a job again from what `serialize` returned."""
        request = RetrieveRequest(
            modality=read_modality(saved["modality"]),
            queries=[_restored(*query) for query in saved["queries"]],
            local_aet=saved["local_aet"],
            target_aet=saved["target_aet"],
            timeout=saved["timeout"],
            form=TagFormat(saved["form"]),
            permissive=saved["permissive"],
        )
        job = cls(tools, request)
        job._position = saved["position"]
        return job

    def serialize(self) -> dict[str, Any]:
        """Return the request and how much of it is done."""
        request = self._request
        return {
            "modality": request.modality.configuration(),
            "queries": [[query.level.value, dict(map(_saved, query.asked.items()))] for query in request.queries],
            "local_aet": request.local_aet,
            "target_aet": request.target_aet,
            "timeout": request.timeout,
            "form": request.form.value,
            "permissive": request.permissive,
            "position": self._position,
        }

    def start(self) -> None:
        """Be ready for a query from its start; it opens the association."""
        self._running = None

    def step(self) -> bool:
        """Take the next message of the node, or begin the next query."""
        if self._position == len(self._request.queries):
            return False
        try:
            if self._running is None:
                self._running = self._begin()
            if self._running.step():
                return True
        except OrthancError as error:
            if not self._request.permissive or self._interruption.is_cut:
                raise
            _log.warning("Ignoring an error in a permissive job: %s", error.details or error.text)
            self._drop_broken()
        self._running = None
        self._position += 1
        if self._position < len(self._request.queries):
            return True
        self._release()
        return False

    def stop(self, reason: StopReason) -> None:
        """Leave the node: a query that it works on is cancelled."""
        if self._association is not None and self._running is not None and reason is not StopReason.FAILURE:
            self._running.cancel()
            self._association.abort()
        self._release()

    def interrupt(self) -> None:
        """Cut the connection that the step in progress waits on."""
        self._interruption.cut()

    def reset(self) -> None:
        """Begin again with the first query."""
        self._position = 0  # number of queries that are done
        self._running = None

    def progress(self) -> float:
        """Return the share that is done, by queries and by what the node says of their sub-operations."""
        total = len(self._request.queries)
        running = self._running.fraction if self._running is not None else 0.0
        return (self._position + running) / total if total else 1.0

    def content(self) -> dict[str, Any]:
        """Return the public state of the job."""
        request = self._request
        return {
            "Description": "REST API",
            "LocalAet": request.local_aet,
            "Query": [self._shown(query) for query in request.queries],
            "RemoteAet": request.modality.aet,
        }

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return nothing: what was retrieved is in a storage."""
        return {}

    @abstractmethod
    def _open(self) -> RequestedAssociation:
        """Open the association."""

    @abstractmethod
    def _identifier(self, query: RetrieveQuery) -> DataSet:
        """Return what the node is asked for."""

    @abstractmethod
    def _ask(self, association: RequestedAssociation, level: Level, identifier: DataSet) -> Retrieval:
        """Begin an operation."""

    def _begin(self) -> Retrieval:
        query = self._request.queries[self._position]
        identifier = self._identifier(query)
        if self._association is None:
            self._association = self._open()
        return self._ask(self._association, query.level, identifier)

    def _drop_broken(self) -> None:
        """Give up an association that has ended."""
        if self._association is not None and not self._association.is_established:
            self._release()

    def _release(self) -> None:
        if self._association is not None:
            self._association.close()
        self._association = self._running = None

    def _shown(self, query: RetrieveQuery) -> dict[str, Any]:
        names = self._tools.dictionary
        whole = {**query.asked, QUERY_RETRIEVE_LEVEL: LEVEL_NAMES[query.level]}
        full = {
            format_tag(tag): {"Name": names.name_of(tag), "Type": "String", "Value": value}
            for tag, value in sorted(whole.items())
        }
        return all_reduced(with_meta_header(full, names), self._request.form)


def _saved(item: tuple[int, str]) -> tuple[str, str]:
    tag, value = item
    return str(tag), value


def _restored(level: str, asked: Mapping[str, str]) -> RetrieveQuery:
    return RetrieveQuery(Level(level), {int(tag): value for tag, value in asked.items()})
