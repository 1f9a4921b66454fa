"""Who goes on from the ``Last`` of an empty list of changes misses none, even one that is logged at that moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orthanc_lab
from orthanc_lab.server.environment import Environment
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Origin
from orthanc_lab.testing.contracts.dicom_files import dicom


class StoresInBetween:
    """An instance arrives after the list of changes was read, and before the number of the last one is."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def last_change_number(self) -> int:
        self._storage.store(dicom(), Origin())
        return self._storage.last_change_number()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


class Busy:
    def around(self, environment: Environment) -> Environment:
        return replace(environment, storage=StoresInBetween)  # type: ignore[arg-type]


def test_a_change_at_that_moment_is_in_the_list() -> None:
    with orthanc_lab.in_process(faults=Busy()) as server:
        page = server.session.get("http://orthanc/changes?since=0").json()
        seen = [change["Seq"] for change in page["Changes"]]
        page = server.session.get(f"http://orthanc/changes?since={page['Last']}").json()
        seen += [change["Seq"] for change in page["Changes"]]
        assert seen[:4] == [1, 2, 3, 4]
