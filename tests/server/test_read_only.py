"""``ReadOnly``: the storage is handed out without what writes, to requests and to jobs from the last run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.server.read_only import ReadOnlyStorage
from orthanc_lab.storage import open_storage
from orthanc_lab.storage.ports import READING, Storage
from orthanc_lab.testing.contracts.dicom_files import dicom
from tests.waiting import until

METHODS = sorted(name for name in dir(Storage) if not name.startswith("_"))
READ = {name for role in READING for name in vars(role)} | {"close"}


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = open_storage(tmp_path)
    yield storage
    storage.close()


@pytest.mark.parametrize("name", METHODS)
def test_each_method_is_handed_out_or_refused(storage: Storage, name: str) -> None:
    face = ReadOnlyStorage(storage)
    if name in READ:
        assert getattr(face, name) == getattr(storage, name)
    else:
        with pytest.raises(OrthancError) as refused:
            getattr(face, name)()
        assert refused.value.code == 22


def test_what_no_role_of_reading_lists_is_refused(storage: Storage) -> None:
    refused = {name for name in METHODS if getattr(ReadOnlyStorage(storage), name) != getattr(storage, name)}
    assert refused >= {"store", "delete", "set_metadata", "put_attachment", "clear_changes", "set_property"}
    assert refused == set(METHODS) - READ


def test_what_is_not_of_a_storage_is_unknown(storage: Storage) -> None:
    with pytest.raises(AttributeError):
        ReadOnlyStorage(storage).frobnicate  # noqa: B018


def test_a_job_of_an_earlier_run_does_not_write(tmp_path: Path) -> None:
    def fails(server: InProcessServer, job: str) -> bool:
        view = server.session.get(f"{server.url}/jobs/{job}").json()
        return view["State"] == "Failure" and view["ErrorCode"] == 22

    with orthanc_lab.in_process(folder=tmp_path) as server:
        study = server.session.post(f"{server.url}/instances", data=dicom()).json()["ParentStudy"]
    with orthanc_lab.in_process(folder=tmp_path, ReadOnly=True) as server:
        body = {"Asynchronous": True, "KeepSource": True, "Replace": {"StudyDescription": "X"}}
        job = server.session.post(f"{server.url}/studies/{study}/modify", json=body).json()["ID"]
        until(lambda: fails(server, job))
    with orthanc_lab.in_process(folder=tmp_path, ReadOnly=True) as server:
        assert server.session.post(f"{server.url}/jobs/{job}/resubmit").status_code == 200
        until(lambda: fails(server, job))
        assert server.session.get(f"{server.url}/statistics").json()["CountInstances"] == 1
