"""The changes of a server: what has arrived, become stable or been deleted, in order."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.client.errors import reading
from orthanc_lab.client.transport import Transport

__all__ = ["Change", "Changes"]

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the changes.

    Examples
    --------
    >>> change = client.changes.after(0)[0]
    >>> change.seq, change.type, change.level
    (1, 'NewInstance', 'Instance')
    """

    seq: int
    type: str  # "NewInstance", "StableStudy" …
    level: str  # "Patient", "Study", "Series", "Instance"
    id: str
    date: str  # "20260101T120000", UTC


class Changes:
    """The changes of a server.

    Examples
    --------
    >>> changes = client.changes.after(0)
    >>> sum(change.type == "NewInstance" for change in changes)
    20
    >>> client.changes.after(changes[-1].seq)
    []
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __repr__(self) -> str:
        return f"<Changes of {self._transport.url}>"

    @property
    def last(self) -> int:
        """The number of the last change; 0 if there is none."""
        answer = self._transport.get("/changes?last")
        with reading(self._transport.url, "changes"):
            return int(answer["Last"])

    def after(self, number: int) -> list[Change]:
        """Return all changes after one, the oldest first.

        A server whose last change has a lower number does not know that one: its numbers have begun anew, as after a
        restore from a backup. Then this returns all that it has.

        Parameters
        ----------
        number
            ``seq`` of the last one that is already known.
        """
        found: list[Change] = []
        since = number
        is_anew = False
        while True:
            page = self._transport.get("/changes", {"since": since, "limit": _PAGE})
            with reading(self._transport.url, "changes"):
                lines = [_read(line) for line in page["Changes"]]
                done, last = bool(page["Done"]), int(page["Last"])
            if last < since and not is_anew:
                found, since, is_anew = [], 0, True
                continue
            found += lines
            if done or not lines or lines[-1].seq <= since:
                return found
            since = lines[-1].seq


def _read(line: dict[str, object]) -> Change:
    return Change(
        int(str(line["Seq"])),
        str(line["ChangeType"]),
        str(line.get("ResourceType", "")),
        str(line.get("ID", "")),
        str(line["Date"]),
    )
