"""Lists of resources, of which only what has changed is written again: all that can change shows at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orthanc_lab.protocol.ports import ManualClock
from tests.rest.conftest import Ids, Rest
from tests.rest.files import dicom_file
from tests.waiting import until

_LEVELS = ("patients", "studies", "series", "instances")


def _one_by_one(rest: Rest, level: str) -> list[dict[str, Any]]:
    return [rest.json(f"/{level}/{id}") for id in rest.json(f"/{level}")]


def _check(rest: Rest) -> None:
    for level in _LEVELS:
        alone = _one_by_one(rest, level)
        assert rest.json(f"/{level}?expand") == alone
        singular = {"patients": "Patient", "studies": "Study", "series": "Series", "instances": "Instance"}[level]
        for limit in (1000, 1001):  # two searches, the same texts
            found = rest.json("/tools/find", {"Level": singular, "Query": {}, "Expand": True, "Limit": limit})
            assert sorted(found, key=lambda it: str(it["ID"])) == alone


_CHANGES: dict[str, Callable[[Rest, Ids, ManualClock], object]] = {
    "label": lambda rest, ids, clock: rest("PUT", f"/studies/{ids['1.1']}/labels/seen", ""),
    "metadata": lambda rest, ids, clock: rest("PUT", f"/studies/{ids['1.1']}/metadata/2000", "x"),
    "named metadata": lambda rest, ids, clock: rest("PUT", f"/patients/{ids['ALPHA']}/metadata/reader", "x"),
    "metadata that is shown": lambda rest, ids, clock: rest("PUT", f"/studies/{ids['1.1']}/metadata/ModifiedFrom", "x"),
    "protection": lambda rest, ids, clock: rest("PUT", f"/patients/{ids['ALPHA']}/protected", "1"),
    "new series": lambda rest, ids, clock: rest.upload(dicom_file("ALPHA", "1.1", "1.1.9", "1.1.9.1")),
    "new study": lambda rest, ids, clock: rest.upload(dicom_file("ALPHA", "1.9", "1.9.1", "1.9.1.1")),
    "time": lambda rest, ids, clock: clock.advance(3600),
    "later instance": lambda rest, ids, clock: (
        clock.advance(10),
        rest.upload(dicom_file("ALPHA", "1.1", "1.1.1", "1.1.1.7")),
    ),
    "deleted series": lambda rest, ids, clock: rest("DELETE", f"/series/{ids['1.1.2']}"),
    "deleted study": lambda rest, ids, clock: rest("DELETE", f"/studies/{ids['1.2']}"),
    "reconstruction": lambda rest, ids, clock: rest("POST", f"/studies/{ids['2.1']}/reconstruct", "{}"),
    "deleted and stored again": lambda rest, ids, clock: (
        rest("DELETE", f"/studies/{ids['2.1']}"),
        rest.upload(dicom_file("BETA", "2.1", "2.1.1", "2.1.1.1", PatientName="Another^Name")),
    ),
}


@pytest.mark.parametrize("options", [{"StableAge": 60}, {"StableAge": 60, "UserMetadata": {}}])
def test_what_changes_shows_at_once(filled: Rest, ids: Ids, clock: ManualClock) -> None:
    _check(filled)
    for name, change in _CHANGES.items():
        if name == "named metadata" and not filled.json("/system")["UserMetadata"]:
            continue
        change(filled, ids, clock)
        if name == "time":
            until(lambda: all(study["IsStable"] for study in _one_by_one(filled, "studies")))
        _check(filled)
