"""A job that is made again after any of its steps ends as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.dicom.charsets import LATIN1
from orthanc_lab.dicom.dictionary import Dictionary
from orthanc_lab.dicom.modification_request import ModificationRequest
from orthanc_lab.dicom.read import read_file
from orthanc_lab.jobs.kinds.instance_steps import InstanceSteps, Sources, Workshop
from orthanc_lab.jobs.kinds.merge import MergeJob
from orthanc_lab.jobs.kinds.modification import ModificationJob, ModificationPlan
from orthanc_lab.jobs.kinds.split import SplitJob
from orthanc_lab.jobs.kinds.study_change import StudyPlan
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Origin
from tests.modification.collection import OTHER_STUDY, SERIES, STUDY, collection

SECRET = "8f6f3b1e-3c53-4d0e-9a55-6c9d3a1b2c3d"
Make = Callable[[Workshop], InstanceSteps]


def sources(workshop: Workshop, parent: str) -> Sources:
    instances = sorted(workshop.storage.descendants(parent, Level.INSTANCE))
    return Sources(instances, Origin(remote_ip="127.0.0.1", http_username=""), keep=False)


def anonymization(workshop: Workshop) -> InstanceSteps:
    request = ModificationRequest({"KeepLabels": True}, True, Level.STUDY, patient_name="Anonymized1")
    plan = ModificationPlan(request, SECRET, [STUDY], Level.STUDY, keep_labels=True)
    return ModificationJob(workshop, sources(workshop, STUDY), plan)


def lossy(workshop: Workshop) -> InstanceSteps:
    request = ModificationRequest({}, False, Level.STUDY)
    plan = ModificationPlan(request, SECRET, [STUDY], Level.STUDY, transcode="1.2.840.10008.1.2.4.50")
    return ModificationJob(workshop, sources(workshop, STUDY), plan)


def bulk(workshop: Workshop) -> InstanceSteps:
    request = ModificationRequest({"Level": "Series"}, False, Level.SERIES)
    return ModificationJob(workshop, sources(workshop, STUDY), ModificationPlan(request, SECRET, [STUDY], None))


def split(workshop: Workshop) -> InstanceSteps:
    plan = StudyPlan(SECRET, [0x00080050], {0x0020000D: "1.99", 0x00081030: "é"})
    return SplitJob(workshop, sources(workshop, SERIES), plan)


def merge(workshop: Workshop) -> InstanceSteps:
    plan = StudyPlan(SECRET, [0x00100030], {0x0020000D: "1.5.1", 0x00100020: "P1"})
    return MergeJob(workshop, sources(workshop, OTHER_STUDY), plan, STUDY)


KINDS: dict[str, tuple[Make, Callable[[Workshop, dict[str, Any]], InstanceSteps]]] = {
    "anonymization": (anonymization, ModificationJob.restored),
    "lossy": (lossy, ModificationJob.restored),
    "bulk": (bulk, ModificationJob.restored),
    "split": (split, SplitJob.restored),
    "merge": (merge, MergeJob.restored),
}


def workshop_at(folder: Path) -> Workshop:
    storage = open_storage(folder, options=StorageOptions(sync_storage_area=False))
    for file in collection():
        storage.store(file, Origin(remote_ip="", http_username=""))
    storage.set_label(STUDY, "mine", True)
    return Workshop(storage, Dictionary({}, ""), LATIN1, "")


def contents(storage: Storage) -> dict[str, Any]:
    """Return files, relations and labels of all resources."""
    found: dict[str, Any] = {}
    for level in (Level.PATIENT, Level.STUDY, Level.SERIES, Level.INSTANCE):
        for id in storage.list_ids(level):
            resource = storage.get(id)
            assert resource is not None
            relations = {key: value for key, value in resource.metadata.items() if key.endswith("From")}
            found[id] = (relations, sorted(resource.labels))
            if level is Level.INSTANCE:
                found[id] += (read_file(storage.read_dicom(id)).data_set,)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_made_again_after_every_step(tmp_path: Path, kind: str) -> None:
    make, restored = KINDS[kind]
    undisturbed = workshop_at(tmp_path / "undisturbed")
    job = make(undisturbed)
    while job.step():
        pass
    disturbed = workshop_at(tmp_path / "disturbed")
    again = make(disturbed)
    more = True
    while more:
        saved = json.loads(json.dumps(again.serialize()))
        again.start()
        more = again.step()  # done, and forgotten by a crash before the journal knew of it
        if more:
            twice = restored(disturbed, saved)
            twice.start()
            more = twice.step()
            again = restored(disturbed, json.loads(json.dumps(twice.serialize())))
    assert contents(disturbed.storage) == contents(undisturbed.storage)
    final = restored(disturbed, json.loads(json.dumps(again.serialize())))
    assert final.content() == job.content()
    assert job.progress() == 1.0
    for workshop in (undisturbed, disturbed):
        workshop.storage.close()


@pytest.mark.parametrize("kind", KINDS)
def test_from_the_beginning_once_more(tmp_path: Path, kind: str) -> None:
    make, _ = KINDS[kind]
    workshop = workshop_at(tmp_path)
    job = make(workshop)
    for _ in range(2):
        job.step()
    half = contents(workshop.storage)
    job.reset()
    assert job.progress() == 0.0
    for _ in range(2):
        job.step()
    assert contents(workshop.storage) == half
    workshop.storage.close()


def test_a_vanished_instance(tmp_path: Path) -> None:
    workshop = workshop_at(tmp_path)
    for make, code, counted in ((bulk, 17, 0), (split, -1, 1)):
        job = make(workshop)
        with pytest.raises(OrthancError) as raised:
            _with_one_missing(workshop, job)
        assert raised.value.code == code
        assert job.content()["FailedInstancesCount"] == counted
    workshop.storage.close()


def _with_one_missing(workshop: Workshop, job: InstanceSteps) -> None:
    saved = job.serialize()
    victim = saved["sources"]["instances"][0]
    if workshop.storage.find_level(victim) is not None:
        workshop.storage.delete(victim)
    job.step()
