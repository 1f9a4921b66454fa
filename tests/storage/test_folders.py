"""Files that come one after the other share a folder, which goes with the last of them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.ports import Storage
from orthanc_lab.testing.contracts.dicom_files import LARGE
from orthanc_lab.testing.contracts.storage.folder import put
from tests.storage.conftest import House


def folders(house: House) -> set[Path]:
    return {path.parent for path in house.folder.rglob("*") if path.name in house.files()}


def test_files_in_a_row_share_a_folder(house: House, storage: Storage) -> None:
    stored = [put(storage, pixels=LARGE) for _ in range(5)]
    (folder,) = folders(house)
    assert [path.name[:4] for path in folder.iterdir()] == [folder.parent.name + folder.name] * 5
    for one in stored[:4]:
        storage.delete(one.instance)
    assert storage.read_dicom(stored[4].instance)
    storage.delete(stored[4].instance)
    assert not folder.parent.exists()
    assert storage.read_dicom(put(storage, pixels=LARGE).instance)


def test_the_next_ones_have_another(house: House, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_lab.storage.files.journal._TOGETHER", 3)
    for _ in range(10):
        put(storage, pixels=LARGE)
    assert len(house.files()) == 10
    assert 1 < len(folders(house)) <= 5
    for patient in storage.list_ids(Level.PATIENT):
        storage.delete(patient)
    assert house.files() == []


def test_a_folder_that_goes_while_a_file_comes(tmp_path: Path) -> None:
    area = DiskArea(tmp_path)
    problems: list[BaseException] = []

    def write_and_remove(thread: int) -> None:
        try:
            for number in range(300):
                name = f"abcd{thread:04d}-{number:027d}"
                area.write(name, b"a file", sync=False)
                area.remove(name)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=write_and_remove, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert list(tmp_path.iterdir()) == []
