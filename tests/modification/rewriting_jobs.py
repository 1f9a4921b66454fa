"""One job of each kind that makes new instances of old ones and deletes those, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from orthanc_lab.dicom.changing.modification_request import ModificationRequest
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.rewriting.merge import MergeJob
from orthanc_lab.jobs.kinds.rewriting.modification import ModificationJob, ModificationPlan
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import RewriteJob, Sources
from orthanc_lab.jobs.kinds.rewriting.split import SplitJob
from orthanc_lab.jobs.kinds.rewriting.study_change import StudyPlan
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Origin
from tests.job_tools import job_tools
from tests.modification.collection import OTHER_STUDY, SERIES, STUDY, collection

SECRET = "8f6f3b1e-3c53-4d0e-9a55-6c9d3a1b2c3d"
Make = Callable[[JobTools], RewriteJob]


def sources(tools: JobTools, parent: str) -> Sources:
    instances = sorted(tools.storage.descendants(parent, Level.INSTANCE))
    return Sources(instances, Origin(remote_ip="127.0.0.1", http_username=""), keep=False)


def anonymization(tools: JobTools) -> RewriteJob:
    request = ModificationRequest({"KeepLabels": True}, True, Level.STUDY, patient_name="Anonymized1")
    plan = ModificationPlan(request, SECRET, [STUDY], Level.STUDY)
    return ModificationJob(tools, replace(sources(tools, STUDY), keep_labels=True), plan)


def lossy(tools: JobTools) -> RewriteJob:
    request = ModificationRequest({}, False, Level.STUDY)
    plan = ModificationPlan(request, SECRET, [STUDY], Level.STUDY, transcode="1.2.840.10008.1.2.4.50")
    return ModificationJob(tools, sources(tools, STUDY), plan)


def bulk(tools: JobTools) -> RewriteJob:
    request = ModificationRequest({"Level": "Series"}, False, Level.SERIES)
    return ModificationJob(tools, sources(tools, STUDY), ModificationPlan(request, SECRET, [STUDY], None))


def split(tools: JobTools) -> RewriteJob:
    plan = StudyPlan(SECRET, [0x00080050], {0x0020000D: "1.99", 0x00081030: "é"})
    return SplitJob(tools, sources(tools, SERIES), plan)


def merge(tools: JobTools) -> RewriteJob:
    plan = StudyPlan(SECRET, [0x00100030], {0x0020000D: "1.5.1", 0x00100020: "P1"})
    return MergeJob(tools, sources(tools, OTHER_STUDY), plan, STUDY)


KINDS: dict[str, tuple[Make, Callable[[JobTools, dict[str, Any]], RewriteJob]]] = {
    "anonymization": (anonymization, ModificationJob.restore),
    "lossy": (lossy, ModificationJob.restore),
    "bulk": (bulk, ModificationJob.restore),
    "split": (split, SplitJob.restore),
    "merge": (merge, MergeJob.restore),
}


def tools_at(folder: Path) -> JobTools:
    storage = open_storage(folder, options=StorageOptions(sync_storage_area=False))
    for file in collection():
        storage.store(file, Origin(remote_ip="", http_username=""))
    storage.set_label(STUDY, "mine", True)
    return job_tools(storage)


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
