"""The queries that clients have made of other nodes, with their answers: the last ones are kept, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from orthanc_lab.dimse.answers import FindAnswer
from orthanc_lab.dimse.identifiers import TagValues
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import Identifiers

__all__ = ["KeptQueries", "RemoteQuery"]


@dataclass(frozen=True, slots=True)
class RemoteQuery:
    """A query of another node, and what it answered."""

    name: str  # of the modality
    modality: Modality  # as it was when the query was made
    level: Level
    asked: TagValues  # as the client gave them
    local_aet: str  # our title
    timeout: int | None  # seconds, 0 for no limit; None for that of the modality, or of the options
    answers: Sequence[FindAnswer]

    @property
    def bytes(self) -> int:
        """The size of the answers in memory."""
        return sum(answer.size for answer in self.answers)


_MOST_BYTES = 256 << 20  # of the answers to all queries


class KeptQueries:
    """The queries by identifier; beyond a number, or when their answers are too large, the least recently used go.

    Parameters
    ----------
    size
        The option ``QueryRetrieveSize``.
    """

    def __init__(self, size: int, identifiers: Identifiers) -> None:
        self._size = size
        self._identifiers = identifiers
        self._queries: OrderedDict[str, RemoteQuery] = OrderedDict()
        self._bytes = 0  # of their answers
        self._lock = Lock()

    def add(self, query: RemoteQuery) -> str:
        """Keep a query; return its new identifier."""
        id = self._identifiers.uuid()
        with self._lock:
            self._queries[id] = query
            self._bytes += query.bytes
            while len(self._queries) > self._size or (self._bytes > _MOST_BYTES and len(self._queries) > 1):
                self._bytes -= self._queries.popitem(last=False)[1].bytes
        return id

    def get(self, id: str) -> RemoteQuery | None:
        """Return a query, which counts as a use of it; None for an unknown one."""
        with self._lock:
            query = self._queries.get(id)
            if query is not None:
                self._queries.move_to_end(id)
            return query

    def ids(self) -> list[str]:
        """Return all identifiers, sorted."""
        with self._lock:
            return sorted(self._queries)

    def delete(self, id: str) -> None:
        """Forget a query, if it is there."""
        with self._lock:
            query = self._queries.pop(id, None)
            self._bytes -= query.bytes if query is not None else 0
