"""What goes wrong on the way to a bucket: nothing is lost, nothing is half, and there is an end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orthanc_lab import EmbeddedServer, samples
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import SystemClock
from orthanc_lab.storage.files.area import AreaError, FileArea
from orthanc_lab.storage.files.late_files import LateArea
from orthanc_lab.storage.objects.opening import check_bucket, open_bucket
from orthanc_lab.storage.objects.options import BucketOptions, read_bucket_options
from orthanc_lab.storage.objects.retrying import Retries
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.seaweed import Bucket, SeaweedServer
from tests.storage.objects.faulty_s3 import FaultyS3
from tests.storage.objects.test_server import keys_in

Factory = Callable[..., EmbeddedServer]
DATA = bytes(range(256)) * 400


@pytest.fixture(scope="module")
def faulty(bucket_server: SeaweedServer) -> Iterator[FaultyS3]:
    faulty = FaultyS3(bucket_server.port)
    yield faulty
    faulty.stop()


@pytest.fixture(scope="module")
def line(bucket_server: SeaweedServer, faulty: FaultyS3) -> Bucket:
    """A bucket behind the line that fails."""
    bucket = bucket_server.bucket()
    check_bucket(options_of(bucket))  # the server makes it now
    return replace(bucket, endpoint=faulty.url)


def options_of(bucket: Bucket, **further: object) -> BucketOptions:
    section = bucket.options(**{"RequestTimeout": 10, "MaxRetries": 3, **further})
    options = read_bucket_options({"AwsS3Storage": section})
    assert options is not None
    return options


@pytest.fixture(scope="module")
def area(line: Bucket) -> FileArea:
    return open_bucket(options_of(line))


def name() -> str:
    return f"{uuid.uuid4()}.dcm"


@pytest.mark.parametrize("fault", ["503", "lost answer", "truncated", "slow"])
def test_what_passes_is_not_noticed(area: FileArea, faulty: FaultyS3, fault: str) -> None:
    file = name()
    with faulty.on(fault, times=2):
        area.write(file, DATA, sync=True)
        assert faulty.happened >= 1
    with faulty.on(fault, times=2):
        assert area.read(file) == DATA
        assert faulty.happened >= 1
    with faulty.on(fault, times=2):
        assert area.read(file, 100, 50_000) == DATA[50_000:50_100]
    with faulty.on(fault, times=2):
        area.remove(file)
    with pytest.raises(FileNotFoundError):
        area.read(file)


def test_a_file_whose_answer_was_lost_is_no_clash(area: FileArea, faulty: FaultyS3) -> None:
    file, other = name(), name()
    with faulty.on("lost answer", times=1, verb="PUT"):
        area.write(file, DATA, sync=True)
    area.write(other, b"of somebody else", sync=True)
    with faulty.on("lost answer", times=1, verb="PUT"), pytest.raises(FileExistsError):
        area.write(other, DATA, sync=True)
    assert (area.read(file), area.read(other)) == (DATA, b"of somebody else")


@pytest.mark.parametrize("fault", ["503", "lost answer", "silent"])
def test_there_is_an_end(line: Bucket, faulty: FaultyS3, fault: str) -> None:
    area = open_bucket(options_of(line, MaxRetries=1, RequestTimeout=1))
    file = name()
    calls = (lambda: area.write(file, DATA, sync=True), lambda: area.read(file), lambda: area.remove(file))
    for call in calls:
        with faulty.on(fault):
            with pytest.raises(AreaError) as caught:
                call()
            assert caught.value.is_away
            assert faulty.happened == 2
            assert line.secret_key not in str(caught.value)


def test_a_silent_bucket_is_not_waited_for_long(line: Bucket, faulty: FaultyS3) -> None:
    """Unless the configuration says how long a request may take."""
    section = line.options(MaxRetries=0)
    options = read_bucket_options({"AwsS3Storage": section})
    patient = read_bucket_options({"AwsS3Storage": {**section, "RequestTimeout": 1200}})
    assert options is not None
    assert patient is not None
    assert (options.longest_silence, patient.longest_silence) == (60, None)
    area = open_bucket(replace(options, longest_silence=1))
    file = name()
    for call in (lambda: area.write(file, DATA, sync=True), lambda: area.read(file)):
        with faulty.on("silent"):
            with pytest.raises(AreaError) as caught:
                call()
            assert caught.value.is_away
            assert not faulty.awake.is_set()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"secret_key": "another-secret-key"}, "SignatureDoesNotMatch"),
        ({"access_key": "another-access-key"}, "InvalidAccessKeyId"),
        ({"access_key": "guest-access-key", "secret_key": "guest-secret-key"}, "AccessDenied"),
    ],
)
def test_a_bucket_that_refuses_is_said_so_at_once(bucket: Bucket, changes: dict[str, str], word: str) -> None:
    other = replace(bucket, **changes)
    with pytest.raises(OrthancError, match=word) as caught:
        check_bucket(options_of(other))
    assert caught.value.code == 32
    assert other.secret_key not in caught.value.details
    with pytest.raises(AreaError) as refused:
        open_bucket(options_of(other)).read(name())
    assert not refused.value.is_away


def test_a_key_that_may_only_read_is_enough_for_reading(bucket_server: SeaweedServer) -> None:
    owner = bucket_server.bucket()
    reader = replace(owner, name="guest", access_key="guest-access-key", secret_key="guest-secret-key")
    check_bucket(options_of(replace(owner, name="guest")))  # the server makes it now
    check_bucket(options_of(reader), is_written=False)
    with pytest.raises(OrthancError):
        check_bucket(options_of(reader))


def test_a_bucket_that_is_away_at_the_start_is_waited_for(line: Bucket, faulty: FaultyS3) -> None:
    with faulty.on("503", times=3):
        check_bucket(options_of(line, MaxRetries=1))
        assert faulty.happened == 3
    with faulty.on("503"), pytest.raises(OrthancError, match="AwsS3Storage") as caught:
        check_bucket(options_of(line, MaxRetries=1))
    assert caught.value.code == 36


def test_a_server_without_its_bucket(line: Bucket, faulty: FaultyS3, orthanc_factory: Factory) -> None:
    section = line.options(MaxRetries=1, RequestTimeout=10)
    server = orthanc_factory(AwsS3Storage=section, MaximumStorageCacheSize=0)
    post, get = server.session.post, server.session.get
    first, second = large_files()
    stored = post(f"{server.url}/instances", data=first.read_bytes()).json()
    changes = get(f"{server.url}/changes").json()
    file = f"{server.url}/instances/{stored['ID']}/file"
    with faulty.on("503"):
        for answer in (post(f"{server.url}/instances", data=second.read_bytes()), get(file)):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["OrthancStatus"] == 36
            assert answer.json()["Message"].startswith("The database is currently not available")
        assert get(f"{server.url}/changes").json() == changes
        assert get(f"{server.url}/system").status_code == 200
    assert get(file).content == first.read_bytes()
    assert post(f"{server.url}/instances", data=second.read_bytes()).json()["Status"] == "Success"


def test_a_study_is_deleted_without_its_bucket(
    bucket_server: SeaweedServer, faulty: FaultyS3, orthanc_factory: Factory
) -> None:
    """It is gone at once, and its files are once the bucket is back."""
    bucket = bucket_server.bucket()
    section = replace(bucket, endpoint=faulty.url).options(MaxRetries=1, RequestTimeout=10)
    server = orthanc_factory(AwsS3Storage=section)
    post = server.session.post
    stored = [post(f"{server.url}/instances", data=dicom(pixels=LARGE)).json() for _ in range(5)]
    with faulty.on("503"):
        assert server.session.delete(f"{server.url}/studies/{stored[0]['ParentStudy']}").status_code == 200
        assert faulty.happened == 2  # not so many for each file
    assert server.session.get(f"{server.url}/instances").json() == []
    assert len(keys_in(bucket)) == 5
    assert post(f"{server.url}/instances", data=dicom(pixels=LARGE)).status_code == 200
    assert len(keys_in(bucket)) == 1


def test_what_was_damaged_on_its_way_is_read_again(line: Bucket, faulty: FaultyS3, orthanc_factory: Factory) -> None:
    server = orthanc_factory(AwsS3Storage=line.options(), MaximumStorageCacheSize=0)
    file = large_files()[0]
    stored = server.session.post(f"{server.url}/instances", data=file.read_bytes()).json()
    url = f"{server.url}/instances/{stored['ID']}/file"
    with faulty.on("damaged", times=1):
        assert server.session.get(url).content == file.read_bytes()
        assert faulty.happened == 1
    with faulty.on("damaged"):
        answer = server.session.get(url)
    assert (answer.status_code, answer.json()["OrthancStatus"]) == (500, 20)


def test_a_file_that_comes_late(line: Bucket, faulty: FaultyS3, orthanc_factory: Factory) -> None:
    server = orthanc_factory(AwsS3Storage=line.options(), MaximumStorageCacheSize=0)
    file = large_files()[0]
    stored = server.session.post(f"{server.url}/instances", data=file.read_bytes()).json()
    with faulty.on("missing", times=3):
        answer = server.session.get(f"{server.url}/instances/{stored['ID']}/file")
        assert faulty.happened == 3
    assert answer.content == file.read_bytes()


def test_an_area_that_looks_again(area: FileArea, faulty: FaultyS3) -> None:
    late, file = LateArea(area, SystemClock()), name()
    late.write(file, DATA, sync=True)
    with faulty.on("missing", times=2, verb="GET"):
        assert late.read(file, 10, 5) == DATA[5:15]
        assert faulty.happened == 2
    late.remove(file)


def large_files() -> tuple[Path, Path]:
    files = sorted(samples.dicom_files("ct"), key=lambda path: path.stat().st_size)
    return files[-1], files[-2]


def test_retries_are_counted_and_timed() -> None:
    attempts: list[float] = []

    def attempt() -> None:
        attempts.append(time.monotonic())
        raise AreaError("away", is_away=True)

    with pytest.raises(AreaError):
        Retries(SystemClock(), most=2, seconds=60).run(attempt)
    assert len(attempts) == 3
    attempts.clear()
    with pytest.raises(AreaError):
        Retries(SystemClock(), most=100, seconds=0.25).run(attempt)
    assert len(attempts) == 2
