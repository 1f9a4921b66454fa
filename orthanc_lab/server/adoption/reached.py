"""How far an import came: a property of the target, so that the next one goes on from there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from orthanc_lab.storage.adopted import AdoptedLog
from orthanc_lab.storage.ports import Storage

__all__ = ["Reached", "ReachedStore"]


@dataclass(frozen=True, slots=True)
class Reached:
    """How far each part was taken over."""

    instances: int = 0  # key of the last instance whose files were read back
    changes: int = 0
    exports: int = 0
    finished: bool = False  # once: what was done at the end


class ReachedStore:
    """Keeps it in the target, written as one with what it tells.

    Parameters
    ----------
    name
        Of the property.
    """

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self._name = name
        text = storage.get_property(name)
        self.reached = Reached(**json.loads(text)) if text else Reached()

    def note(self, log: AdoptedLog | None = None, **progress: Any) -> int:
        """Add lines to the logs of the target with the progress that they are; return how many changes were taken."""
        reached = replace(self.reached, **progress)
        log = replace(log or AdoptedLog(), progress=self._name, reached=json.dumps(asdict(reached)))
        taken = self._storage.adopt_log(log)
        self.reached = reached
        return taken
