"""What a recording holds of one request and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from orthanc_lab.protocol.visible import visible

__all__ = ["Body", "Headers", "RecordedExchange"]

Headers = tuple[tuple[str, str], ...]
"""Names in lower case, and values; in the order in which they came."""


class Body(Protocol):
    """The bytes of a request or an answer."""

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal digits."""
        ...

    @property
    def size(self) -> int:
        """Number of bytes."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, 64 kB at most at a time."""
        ...

    def read(self) -> bytes:
        """Return all bytes."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """A request and its answer.

    Examples
    --------
    >>> from orthanc_lab.testing.recordings.exchange import RecordedExchange
    >>> exchange = RecordedExchange("GET", "/system", status=200)
    >>> str(exchange)
    'GET /system -> 200'
    """

    method: str
    target: str
    """Path and query, as they came."""
    headers: Headers = ()
    """Of the request; those that may hold credentials were not recorded."""
    body: Body | None = None
    """Of the request; None if it had none."""
    status: int = 0
    """Of the answer; 0 if the server closed the connection without one."""
    answer_headers: Headers = ()
    answer: Body | None = None
    """The body of the answer; None if it had none."""
    chunked: bool = False
    """Whether the answer came in chunks."""
    complete: bool = True
    """False if the answer broke off."""
    at: float = field(default=0.0, compare=False)
    """Seconds from the start of the recording to the request."""
    took: float = field(default=0.0, compare=False)
    """Seconds from the request to the end of the answer."""

    def __str__(self) -> str:
        return visible(f"{self.method} {self.target} -> {self.status}{'' if self.complete else ' (broken off)'}")

    def header(self, name: str) -> str:
        """Return a header of the request, "" if it has none of this name."""
        return dict(self.headers).get(name, "")

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in the file, with bodies by their digests."""
        return {
            "method": self.method,
            "target": self.target,
            "headers": [list(pair) for pair in self.headers],
            "body": None if self.body is None else self.body.digest,
            "status": self.status,
            "answer_headers": [list(pair) for pair in self.answer_headers],
            "answer": None if self.answer is None else self.answer.digest,
            "chunked": self.chunked,
            "complete": self.complete,
            "at": round(self.at, 6),
            "took": round(self.took, 6),
        }
