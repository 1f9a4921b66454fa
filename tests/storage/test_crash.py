"""kill -9 at random moments: every acknowledged fact is there, nothing is there by half, no file is left over."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.files.prepared import SmallFile
from orthanc_lab.storage.ports import Storage
from tests.storage.conftest import House
from tests.storage.crash_load import file_of, id_of


class Facts:
    """What the load said, over all its lives."""

    def __init__(self) -> None:
        self.present: set[str] = set()
        self.metadata: dict[str, str] = {}
        self.attached: set[str] = set()
        self.open: dict[int, list[Any]] = {}

    def hear(self, line: list[Any]) -> None:
        if line[0] == "begin":
            self.open[line[1]] = line[2:]
        else:
            self.happened(self.open.pop(line[1]))

    def happened(self, operation: list[Any]) -> None:
        what, uids = operation[0], set(operation[1])
        if what == "store":
            self.present |= uids
        elif what in ("delete", "overwrite"):
            self.attached -= uids
            for uid in uids:
                self.metadata.pop(uid, None)
            if what == "delete":
                self.present -= uids
        elif what == "metadata":
            self.metadata[operation[1][0]] = operation[2]
        else:
            self.attached |= uids

    def settle(self, found: Storage) -> None:
        """Look at what was in progress: it happened as a whole, or not at all."""
        for operation in self.open.values():
            what, uids = operation[0], operation[1]
            resources = found.get_many([id_of(uid) for uid in uids])
            if what == "store":
                assert len(resources) in (0, len(uids)), "stored by half"
                happened = bool(resources)
            elif what == "delete":
                happened = not resources
            elif what == "metadata":
                happened = resources[0].metadata.get("1024") == operation[2]
            elif what == "attach":
                happened = 1024 in resources[0].attachments
            else:  # what a person added is gone with the old instance
                happened = 1024 not in resources[0].attachments and "1024" not in resources[0].metadata
            if happened:
                self.happened(operation)
        self.open.clear()


def run_and_kill(folder: Path, seed: int, moment: float, facts: Facts) -> None:
    command = [sys.executable, "-m", "tests.storage.crash_load", str(folder), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as load:
        assert load.stdout is not None
        killer: threading.Timer | None = None
        for line in load.stdout:
            if killer is None:
                killer = threading.Timer(moment, load.kill)
                killer.start()
            facts.hear(json.loads(line))
        assert killer is not None, "the load did not start"
        killer.join()
    assert load.returncode == -9


def check(storage: Storage, house: House, facts: Facts) -> None:
    instances = {one.id: one for one in storage.list_resources(Level.INSTANCE)}
    expected = {id_of(uid): uid for uid in facts.present}
    assert set(instances) == set(expected)
    disk_size, files = 0, []
    for id, uid in expected.items():
        one, file = instances[id], file_of(uid)
        assert storage.read_dicom(id) == file
        assert one.attachments[1].uncompressed_md5 == hashlib.md5(file).hexdigest()
        assert one.metadata.get("1024") == facts.metadata.get(uid)
        assert (1024 in one.attachments) == (uid in facts.attached)
        disk_size += sum(attachment.compressed_size for attachment in one.attachments.values())
        files += [attachment.uuid for attachment in one.attachments.values() if not isinstance(attachment, SmallFile)]
    totals = storage.statistics()
    assert totals.instances == len(instances)
    assert totals.disk_size == disk_size
    for level, count in (
        (Level.PATIENT, totals.patients),
        (Level.STUDY, totals.studies),
        (Level.SERIES, totals.series),
    ):
        resources = storage.list_resources(level)
        assert len(resources) == count
        assert all(one.children for one in resources)
    assert house.files() == sorted(files), "orphan or missing files"
    changes, done = storage.changes(limit=1_000_000)
    assert done
    new = [change.id for change in changes if change.type.value == "NewInstance"]
    assert sorted(new) == sorted(instances)
    numbers = [change.seq for change in changes]
    assert numbers == sorted(set(numbers))


def test_kill_at_random_moments(house: House, request: pytest.FixtureRequest) -> None:
    chance, facts, last_change = random.Random(1), Facts(), 0
    for life in range(request.config.getoption("--kills")):
        run_and_kill(house.folder, life + 1, chance.uniform(0.05, 0.6), facts)
        storage = house.open()
        facts.settle(storage)
        check(storage, house, facts)
        assert storage.last_change_number() >= last_change
        last_change = storage.last_change_number()
        house.close()
    assert len(facts.present) > 50, "the load did too little for the test to mean something"
