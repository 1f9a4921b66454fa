"""A client that goes on after the last number misses no change."""

from __future__ import annotations

import pytest

from orthanc_lab import EmbeddedServer
from orthanc_lab.testing.contracts.dicom_files import dicom


def test_a_change_between_the_two_looks_is_answered(orthanc: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = orthanc.services.storage
    number = storage.last_change_number

    def late() -> int:
        if not number():
            orthanc.session.post(f"{orthanc.url}/instances", data=dicom()).raise_for_status()
        return number()

    monkeypatch.setattr(storage, "last_change_number", late)
    since, seen = 0, []
    for _ in range(2):
        page = orthanc.session.get(f"{orthanc.url}/changes?since={since}").json()
        seen += [change["ChangeType"] for change in page["Changes"]]
        since = page["Last"]
    assert seen == ["NewInstance", "NewSeries", "NewStudy", "NewPatient"]
