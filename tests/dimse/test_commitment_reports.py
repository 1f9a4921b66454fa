"""The storage commitments of servers that share a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from orthanc_lab.dimse.commitment_data import CommitmentRequest, CommitmentResult
from orthanc_lab.dimse.commitment_reports import CommitmentReports
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.transfer_syntaxes import IMPLICIT_LE
from orthanc_lab.storage import open_storage
from orthanc_lab.storage.ports import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with closing(open_storage(tmp_path)) as storage:
        yield storage


def test_each_server_knows_what_the_others_have_asked_for(storage: Storage) -> None:
    one, other = CommitmentReports(storage, 3), CommitmentReports(storage, 3)
    one.add("1", "NODE")
    other.add("2", "NODE")
    assert other.take(CommitmentResult("1", (), ()))
    assert [one.get(uid).status for uid in ("1", "2")] == ["Success", "Pending"]  # type: ignore[union-attr]
    one.add("3", "NODE")
    other.add("4", "NODE")
    assert one.get("1") is None
    assert not one.take(CommitmentResult("1", (), ()))
    assert all(one.get(uid) == other.get(uid) is not None for uid in "234")


def test_what_an_earlier_version_has_written_is_known(storage: Storage) -> None:
    for slot, number in enumerate((7, 5, 6)):
        saved = {"number": number, "transaction": str(number), "aet": "NODE", "pending": True}
        storage.set_property(f"StorageCommitment-{slot}", json.dumps({**saved, "success": [], "failures": []}))
    reports = CommitmentReports(storage, 3)
    assert reports.get("5") is not None
    reports.add("8", "NODE")
    assert [uid for uid in "5678" if reports.get(uid)] == ["6", "7", "8"]


@pytest.mark.parametrize("read", [CommitmentRequest.read, partial(CommitmentResult.read, event_type=1)])
def test_more_items_than_name_instances_are_refused(read):
    items = bytes.fromhex("feff00e000000000") * 100_000
    data = bytes.fromhex("08009511020000003100") + bytes.fromhex("08009911") + len(items).to_bytes(4, "little") + items
    with pytest.raises(OrthancError, match="more than 40000 elements"):
        read(data, IMPLICIT_LE)
