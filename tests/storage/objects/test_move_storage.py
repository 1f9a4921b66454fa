"""Files that are moved between the disk and a bucket, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore

from orthanc_lab import EmbeddedServer
from orthanc_lab.jobs.kinds.move_storage import MoveStorageJob, MoveStorageRequest
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.metrics import NoMetrics
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.files.area import DiskArea, FileArea
from orthanc_lab.storage.files.hybrid import FILE_SYSTEM, OBJECT_STORAGE, HybridArea
from orthanc_lab.storage.objects.area import ObjectArea
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.postgresql.opening import open_shared_storage
from orthanc_lab.storage.sqlite.connections import connect
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase
from orthanc_lab.testing.seaweed import Bucket
from tests.crash.calls import Calls, Connection
from tests.job_tools import job_tools
from tests.storage.conftest import files_in
from tests.storage.objects.test_server import keys_in
from tests.waiting import until

Factory = Callable[..., EmbeddedServer]


class Told:
    """A file area that tells before and after each change, and after each reading."""

    def __init__(self, area: FileArea) -> None:
        self._area = area
        self.tell: Callable[[str], None] = lambda event: None
        self.sync = area.sync

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        self.tell("before write")
        self._area.write(name, data, sync=sync)
        self.tell("after write")

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        data = self._area.read(name, size, offset)
        self.tell("after read" if size is None else "after look")
        return data

    def remove(self, name: str) -> None:
        self.tell("before remove")
        self._area.remove(name)
        self.tell("after remove")


class Places:
    """A storage in two places."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self.disk = Told(DiskArea(folder))
        self.bucket = Told(ObjectArea(self.store))

    def open(self, executor: Executor | None = None, **options: Any) -> Storage:
        return open_storage(
            self.folder,
            options=StorageOptions(maximum_cache_size=0, sync_storage_area=False),
            area=HybridArea(self.disk, self.bucket),
            places={FILE_SYSTEM: self.disk, OBJECT_STORAGE: self.bucket},
            executor=executor,
            **{"is_elsewhere": True, **options},
        )

    def counts(self) -> tuple[int, int]:
        """Return how many files are on the disk, and in the bucket."""
        return len(files_in(self.folder)), len(self.in_bucket())

    def in_bucket(self) -> list[str]:
        return [item["path"] for item in self.store.list().collect()]

    def killed(self, folder: Path) -> Places:
        """Return what there is at this moment, as the next start of a server would find it."""
        shutil.copytree(self.folder, folder)
        other = Places(folder)
        for key in self.in_bucket():
            other.store.put(key, self.store.get(key).bytes().to_bytes())
        return other


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "storage")


@pytest.fixture
def storage(places: Places) -> Iterator[Storage]:
    with closing(places.open()) as storage:
        yield storage


def fill(storage: Storage, number: int) -> dict[str, bytes]:
    files = [dicom(pixels=LARGE, number=str(number)) for number in range(number)]
    return {storage.store(file, ORIGIN).instance: file for file in files}


def test_there_and_back(places: Places, storage: Storage) -> None:
    files = fill(storage, 20)
    (study,) = storage.list_ids(Level.STUDY)
    report = storage.put_attachment(study, 1024, LARGE)
    small = storage.store(dicom(), ORIGIN).instance
    changes, before = storage.last_change_number(), storage.statistics()
    ids = [study, *files, small]
    for place, counts in ((OBJECT_STORAGE, (0, 21)), (FILE_SYSTEM, (21, 0))):
        moved = storage.move_files(ids, place)
        assert (moved.count, moved.failures) == (21, ())
        assert moved.size == sum(map(len, files.values())) + len(LARGE)
        assert places.counts() == counts
        assert all(storage.read_dicom(id) == file for id, file in files.items())
        assert storage.move_files(ids, place).count == 0
    assert storage.read_attachment(report, of=study) == LARGE  # by what was known of it before
    resource = storage.get(study)
    assert resource is not None
    assert resource.attachments[1024].revision == report.revision
    assert (storage.last_change_number(), storage.statistics()) == (changes, before)
    storage.delete_all(list(files))
    assert places.counts() == (1, 0)


@pytest.mark.parametrize(("place", "event"), [(OBJECT_STORAGE, "after write"), (FILE_SYSTEM, "after read")])
def test_a_file_that_is_deleted_while_it_is_moved(places: Places, storage: Storage, place: str, event: str) -> None:
    first, second = fill(storage, 2)
    if place == FILE_SYSTEM:
        storage.move_files([first, second], OBJECT_STORAGE)

    def tell(current: str) -> None:
        if current == event and storage.find_level(first):
            storage.delete(first)

    (places.bucket if place == OBJECT_STORAGE else places.disk).tell = tell
    assert storage.move_files([first, second], place).count == 1
    assert sum(places.counts()) == 1
    assert storage.read_dicom(second)


def test_who_reads_meanwhile_notices_nothing(places: Places, storage: Storage) -> None:
    """And two who move the same files to different places lose none of them."""
    files = fill(storage, 4)
    done = threading.Event()
    problems: list[BaseException] = []

    def watched(action: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                action()
            except BaseException as error:  # of another thread
                problems.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def move(place: str) -> None:
        for _ in range(8):
            storage.move_files(list(files), place)

    def read() -> None:
        resources = storage.get_many(list(files))
        while not done.is_set():
            for resource in resources:
                assert storage.read_dicom(resource.id) == files[resource.id]
                assert storage.read_attachment(resource.attachments[1], of=resource.id) == files[resource.id]

    reader = watched(read)
    movers = [watched(lambda place=place: move(place)) for place in (FILE_SYSTEM, OBJECT_STORAGE)]  # type: ignore[misc]
    for mover in movers:
        mover.join()
    done.set()
    reader.join()
    assert problems == []
    assert sum(places.counts()) == len(files)
    assert all(storage.read_dicom(id) == file for id, file in files.items())


def test_two_servers_move_the_same_files(places: Places, postgresql: PostgresqlDatabase) -> None:
    with contextlib.ExitStack() as opened:

        def open_one() -> Storage:
            database = Database(PostgresqlOptions.of_section(postgresql.section))
            opened.callback(database.close)
            clock = SystemClock()
            storage = open_shared_storage(
                database,
                HybridArea(places.disk, places.bucket),
                places={FILE_SYSTEM: places.disk, OBJECT_STORAGE: places.bucket},
                is_elsewhere=True,
                options=StorageOptions(maximum_cache_size=0),
                clock=clock,
                executor=ThreadExecutor(clock),
                identifiers=SystemIdentifiers(),
                metrics=NoMetrics(),
            )
            opened.callback(storage.close)
            return storage

        one, other = open_one(), open_one()
        files = fill(one, 4)
        done = threading.Event()

        def read() -> None:
            resources = one.get_many(list(files))
            while not done.is_set():
                for resource in resources:
                    file = files[resource.id]
                    assert one.read_dicom(resource.id) == file
                    assert file.startswith(one.read_dicom_header(resource.id))
                    assert one.read_attachment(resource.attachments[1], of=resource.id) == file

        def move(storage: Storage, place: str) -> None:
            for _ in range(4):
                assert storage.move_files(list(files), place).failures == ()

        with ThreadPoolExecutor() as pool:
            reading = pool.submit(read)
            moving = [pool.submit(move, one, OBJECT_STORAGE), pool.submit(move, other, FILE_SYSTEM)]
            wait(moving)
            done.set()
            for future in (*moving, reading):
                future.result()
        assert sum(places.counts()) == len(files)
        assert all(other.read_dicom(id) == file for id, file in files.items())


def test_a_copy_that_is_not_the_same(places: Places) -> None:
    def tell(event: str) -> None:
        if event == "after write":
            for key in places.in_bucket():
                places.store.put(key, b"damaged")

    places.bucket.tell = tell
    # One file after the other: what is damaged here was not removed meanwhile.
    with closing(places.open(InlineExecutor(SystemClock()))) as storage:
        files = fill(storage, 3)
        moved = storage.move_files(list(files), OBJECT_STORAGE)
        assert (moved.count, [failure.code for failure in moved.failures]) == (0, [20] * 3)
        assert places.counts() == (3, 0)
        assert all(storage.read_dicom(id) == file for id, file in files.items())


@pytest.mark.parametrize("place", [OBJECT_STORAGE, FILE_SYSTEM])
def test_killed_at_any_moment(places: Places, tmp_path: Path, place: str) -> None:
    killed: list[tuple[str, Places]] = []

    def tell(event: str) -> None:
        killed.append((event, places.killed(tmp_path / f"killed-{len(killed)}")))

    with closing(places.open(InlineExecutor(SystemClock()))) as storage:
        files = fill(storage, 2)
        if place == FILE_SYSTEM:
            storage.move_files(list(files), OBJECT_STORAGE)
        places.disk.tell = places.bucket.tell = tell
        assert storage.move_files(list(files), place).count == 2
        places.disk.tell = places.bucket.tell = lambda event: None
    assert {event for event, _ in killed} >= {"before write", "after write", "after read", "before remove"}
    for event, found in killed:
        with closing(found.open(InlineExecutor(SystemClock()))) as storage:
            assert all(storage.read_dicom(id) == file for id, file in files.items()), event
            assert sum(found.counts()) == 2, event
            storage.move_files(list(files), place)
            assert found.counts() == ((0, 2) if place == OBJECT_STORAGE else (2, 0)), event


def test_an_index_that_fails_while_a_file_is_missing_leaves_no_copy(places: Places) -> None:
    calls = Calls(failing=range(1_000))

    def tell(event: str) -> None:
        if event == "after read":
            calls.is_counting = True

    options = {"connect": lambda path: Connection(connect(path), "index", calls), "is_elsewhere": False}
    with closing(places.open(InlineExecutor(SystemClock()), **options)) as storage:
        files = fill(storage, 2)
        places.disk.remove(files_in(places.folder)[0])
        places.bucket.tell = tell
        with pytest.raises(OrthancError):
            storage.move_files(list(files), OBJECT_STORAGE)
        calls.is_counting = False
        assert places.counts() == (1, 0)


def test_the_route(bucket: Bucket, orthanc_factory: Factory, tmp_path: Path) -> None:
    server = orthanc_factory(
        folder=tmp_path, AwsS3Storage=bucket.options(HybridMode="WriteToFileSystem"), MaximumStorageCacheSize=0
    )
    post, get = server.session.post, server.session.get
    files = [dicom(pixels=LARGE) for _ in range(3)]
    stored = [post(f"{server.url}/instances", data=file).json() for file in files]
    study = stored[0]["ParentStudy"]
    assert (len(files_in(tmp_path)), len(keys_in(bucket))) == (3, 0)

    body = {"Resources": [study], "TargetStorage": "object-storage"}
    content = post(f"{server.url}/move-storage", json=body).json()
    assert content == {
        "Description": "REST API",
        "FailedFilesCount": 0,
        "MovedFilesCount": 3,
        "ParentResources": [study],
        "ResourcesCount": 5,
        "Size": str(sum(map(len, files))),
        "SizeMB": 0,
        "TargetStorage": "object-storage",
    }
    assert (len(files_in(tmp_path)), len(keys_in(bucket))) == (0, 3)
    back = {"Resources": [stored[0]["ID"]], "TargetStorage": "file-system", "Asynchronous": True, "Priority": 2}
    job = f"{server.url}{post(f'{server.url}/move-storage', json=back).json()['Path']}"
    until(lambda: get(job).json()["State"] == "Success")
    assert (get(job).json()["Type"], get(job).json()["Priority"]) == ("MoveStorageJob", 2)
    assert (len(files_in(tmp_path)), len(keys_in(bucket))) == (1, 2)
    for one, file in zip(stored, files, strict=True):
        assert get(f"{server.url}/instances/{one['ID']}/file").content == file

    for wrong, status, words in (
        ({"Resources": [study]}, 400, 'Missing field in JSON: "TargetStorage"'),
        ({**body, "TargetStorage": "tape"}, 400, '"TargetStorage" should be one of file-system, object-storage'),
        ({**body, "Resources": [study[::-1]]}, 404, ""),
        ({"TargetStorage": "file-system"}, 400, 'Missing field in JSON: "Resources"'),
    ):
        answer = post(f"{server.url}/move-storage", json=wrong)
        assert (answer.status_code, answer.json().get("Details", "")) == (status, words)


def test_where_there_is_one_place(orthanc_factory: Factory) -> None:
    server = orthanc_factory()
    answer = server.session.post(f"{server.url}/move-storage", json={"Resources": [], "TargetStorage": "file-system"})
    assert (answer.status_code, answer.json()["OrthancStatus"]) == (404, 17)
    assert "HybridMode" in answer.json()["Details"]


def job_of(storage: Storage, place: str, permissive: bool = False) -> MoveStorageJob:
    request = MoveStorageRequest(place, storage.list_ids(Level.INSTANCE), [], permissive)
    return MoveStorageJob(job_tools(storage), request)


def test_a_job_goes_on_after_a_restart(places: Places) -> None:
    with closing(places.open()) as storage:
        files = fill(storage, 40)
        job = job_of(storage, OBJECT_STORAGE)
        job.start()
        assert job.step()
        saved = json.loads(json.dumps(job.serialize()))
        assert job.step()  # not on disk when the server dies: it is done again
    assert places.counts() == (8, 32)
    with closing(places.open()) as storage:
        job = MoveStorageJob.restore(job_tools(storage), saved)
        job.start()
        assert job.progress() == 0.4
        while job.step():
            pass
        assert places.counts() == (0, 40)
        assert (job.progress(), job.content()["MovedFilesCount"]) == (1, 24)
        assert all(storage.read_dicom(id) == file for id, file in files.items())


def test_a_file_that_is_damaged(places: Places, storage: Storage) -> None:
    first, *_ = fill(storage, 3)
    resource = storage.get(first)
    assert resource is not None
    Path(DiskArea(places.folder).path(resource.attachments[1].uuid)).write_bytes(b"damaged")
    strict = job_of(storage, OBJECT_STORAGE)
    strict.start()
    with pytest.raises(OrthancError) as caught:
        strict.step()
    assert caught.value.code == 20
    assert places.counts() == (1, 2)
    lenient = job_of(storage, OBJECT_STORAGE, permissive=True)
    lenient.start()
    assert not lenient.step()
    assert (lenient.content()["MovedFilesCount"], lenient.content()["FailedFilesCount"]) == (0, 1)


def test_a_job_whose_places_are_gone(storage: Storage, tmp_path: Path) -> None:
    with closing(open_storage(tmp_path / "other")) as other:
        job = MoveStorageJob.restore(job_tools(other), job_of(storage, OBJECT_STORAGE).serialize())
        with pytest.raises(OrthancError, match="object-storage") as caught:
            job.start()
    assert caught.value.code == 6
