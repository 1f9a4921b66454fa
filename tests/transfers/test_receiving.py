"""What a server takes from those that push, well-meant or not."""

from __future__ import annotations

import copy
import errno
import gzip
import hashlib
import itertools
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.bench import material
from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.dicom.identifiers import identify
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.testing.contracts import dicom_files
from tests.rest.checks import error_of
from tests.rest.conftest import Rest
from tests.transfers.conftest import OPTIONS

UNKNOWN = (404, 17, "")
ABSENT = object()


@pytest.fixture(scope="module")
def dicom() -> bytes:
    return material.small_instances(1)[0]


@pytest.fixture(scope="module")
def module_server() -> Iterator[Rest]:
    with orthanc_lab.in_process(**OPTIONS) as server:
        yield Rest(server)


@pytest.fixture
def receiver(module_server: Rest) -> Rest:
    for id in module_server.json("/instances"):
        module_server("DELETE", f"/instances/{id}")
    return module_server


def id_of(dicom: bytes) -> str:
    return identify(scan(dicom)).instance


def announcement(dicom: bytes, *cuts: int, compression: str = "none") -> dict[str, Any]:
    """Return a body by which a file is announced, cut into buckets."""
    id = id_of(dicom)
    edges = [0, *cuts, len(dicom)]
    buckets = [[{"ID": id, "Offset": str(start), "Size": str(end - start)}] for start, end in itertools.pairwise(edges)]
    instance = {"ID": id, "MD5": hashlib.md5(dicom).hexdigest(), "Size": str(len(dicom))}
    return {"Buckets": buckets, "Compression": compression, "Instances": [instance]}


def opened(rest: Rest, body: Any) -> str:
    answer = rest("POST", "/transfers/push", body)
    assert answer.status_code == 200, answer.text
    path: str = answer.json()["Path"]
    return path


def is_done(answer: Any) -> bool:
    return (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"{}", "application/json")


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_buckets_in_any_order_and_twice(receiver: Rest, dicom: bytes, compression: str) -> None:
    answer = receiver("POST", "/transfers/push", announcement(dicom, 100, 2000, compression=compression))
    id = answer.json()["ID"]
    assert answer.text == f'{{\n\t"ID" : "{id}",\n\t"Path" : "/transfers/push/{id}"\n}}\n'
    assert answer.headers["Content-Type"] == "application/json"
    path = f"/transfers/push/{id}"
    parts = [dicom[:100], dicom[100:2000], dicom[2000:]]
    for number in (2, 0, 1, 0):
        body = parts[number] if compression == "none" else gzip.compress(parts[number])
        assert is_done(receiver("PUT", f"{path}/{number}", body, Content_Type="application/octet-stream"))
    assert receiver.json("/instances") == []
    assert is_done(receiver("POST", f"{path}/commit", "ignored"))
    assert receiver("GET", f"/instances/{id_of(dicom)}/file").content == dicom
    metadata = receiver.json(f"/instances/{id_of(dicom)}/metadata?expand")
    assert metadata["Origin"] == "Plugins"
    assert metadata["RemoteAET"] == ""
    assert "RemoteIP" not in metadata
    for verb, end in (("POST", "/commit"), ("DELETE", ""), ("PUT", "/0")):
        assert error_of(receiver(verb, path + end, dicom[:100])) == UNKNOWN


def test_an_instance_that_is_known_and_no_instance(receiver: Rest, dicom: bytes) -> None:
    receiver("POST", "/instances", dicom)
    path = opened(receiver, announcement(dicom))
    assert is_done(receiver("PUT", f"{path}/0", dicom))
    assert is_done(receiver("POST", f"{path}/commit"))
    empty = opened(receiver, {"Buckets": [], "Compression": "gzip", "Instances": []})
    assert is_done(receiver("POST", f"{empty}/commit"))


def test_the_last_write_wins(receiver: Rest, dicom: bytes) -> None:
    path = opened(receiver, announcement(dicom, 50))
    receiver("PUT", f"{path}/0", b"x" * 50)
    receiver("PUT", f"{path}/1", dicom[50:])
    assert error_of(receiver("POST", f"{path}/commit"))[:2] == (500, 20)
    receiver("PUT", f"{path}/0", dicom[:50])
    assert is_done(receiver("POST", f"{path}/commit"))
    assert receiver.json("/instances") == [id_of(dicom)]


def test_an_instance_that_packs_to_nothing(receiver: Rest) -> None:
    """A bucket at a time, each of them within its limit."""
    half = 28 << 20
    huge = dicom_files.dicom(pixels=bytes(2 * half))
    path = opened(receiver, announcement(huge, half, compression="gzip"))
    for number, content in enumerate((huge[:half], huge[half:])):
        assert is_done(receiver("PUT", f"{path}/{number}", gzip.compress(content)))
    words = f"An instance of a transfer is too large for what was sent: {id_of(huge)}"
    assert error_of(receiver("POST", f"{path}/commit"))[1:] == (4, words)
    assert receiver.json("/instances") == []
    assert receiver("DELETE", path).status_code == 200


def test_elements_that_pack_to_nothing(receiver: Rest) -> None:
    """Each would take hundreds of bytes wherever the file is read."""
    items = b"\xfe\xff\0\xe0\0\0\0\0" * 120_000
    dense = dicom_files.dicom() + dicom_files.element(0x00081115, b"SQ", items)
    path = opened(receiver, announcement(dense, compression="gzip"))
    assert is_done(receiver("PUT", f"{path}/0", gzip.compress(dense)))
    status, code, words = error_of(receiver("POST", f"{path}/commit"))
    assert (status, code) == (400, 15)
    assert "elements" in words
    assert receiver.json("/instances") == []
    assert receiver("DELETE", path).status_code == 200
    path = opened(receiver, announcement(dense))  # what is sent as it is may be stored
    assert is_done(receiver("PUT", f"{path}/0", dense))
    assert is_done(receiver("POST", f"{path}/commit"))


def test_a_failed_commit_keeps_what_is_right(receiver: Rest) -> None:
    good, bad, also_good = material.small_instances(3)
    body = announcement(good)
    for other in (bad, also_good):
        more = announcement(other)
        body["Buckets"] += more["Buckets"]
        body["Instances"] += more["Instances"]
    path = opened(receiver, body)
    for number, content in enumerate((good, bytes(len(bad)), also_good)):
        assert is_done(receiver("PUT", f"{path}/{number}", content))
    words = f"Bad MD5 sum in a transfered DICOM instance: {id_of(bad)}"
    assert error_of(receiver("POST", f"{path}/commit")) == (500, 20, words)
    assert sorted(receiver.json("/instances")) == sorted(map(id_of, (good, also_good)))
    assert is_done(receiver("PUT", f"{path}/1", bad))
    assert is_done(receiver("POST", f"{path}/commit"))
    assert len(receiver.json("/instances")) == 3


def test_what_is_missing(receiver: Rest, dicom: bytes) -> None:
    path = opened(receiver, announcement(dicom, 50))
    receiver("PUT", f"{path}/1", dicom[50:])
    words = f"Bad MD5 sum in a transfered DICOM instance: {id_of(dicom)}"
    assert error_of(receiver("POST", f"{path}/commit")) == (500, 20, words)


def test_the_md5_must_be_in_lower_case(receiver: Rest, dicom: bytes) -> None:
    body = announcement(dicom)
    body["Instances"][0]["MD5"] = body["Instances"][0]["MD5"].upper()
    path = opened(receiver, body)
    receiver("PUT", f"{path}/0", dicom)
    assert error_of(receiver("POST", f"{path}/commit"))[:2] == (500, 20)


def test_what_is_no_dicom(receiver: Rest) -> None:
    text = b"This is a letter"
    body = {
        "Buckets": [[{"ID": "letter", "Offset": "0", "Size": "16"}]],
        "Compression": "none",
        "Instances": [{"ID": "letter", "MD5": hashlib.md5(text).hexdigest(), "Size": "16"}],
    }
    path = opened(receiver, body)
    assert is_done(receiver("PUT", f"{path}/0", text))
    assert error_of(receiver("POST", f"{path}/commit"))[:2] == (400, 15)
    assert is_done(receiver("DELETE", path))


def test_buckets_that_are_refused(receiver: Rest, dicom: bytes) -> None:
    size = len(dicom)
    path = opened(receiver, announcement(dicom))
    words = f"WriteUncompressedBucket: {size - 1} != {size}"
    assert error_of(receiver("PUT", f"{path}/0", dicom[1:])) == (500, 9, words)
    assert error_of(receiver("PUT", f"{path}/1", dicom)) == (400, 3, "")
    assert error_of(receiver("PUT", f"{path}/{2**64 - 1}", dicom)) == (400, 3, "")
    for number in (str(2**64), "9" * 5000, "x", "0x", "-1", "1.0", "%C2%B2"):
        answer = receiver("PUT", f"{path}/{number}", dicom)
        assert (answer.status_code, answer.json()["OrthancStatus"]) == (404, 17)
    assert is_done(receiver("PUT", f"{path}/000", dicom))


def test_gzip_that_is_none(receiver: Rest, dicom: bytes) -> None:
    path = opened(receiver, announcement(dicom, compression="gzip"))
    packed = gzip.compress(dicom)
    size = len(dicom)
    refused = {
        dicom: (500, -1, ""),
        b"": (500, -1, ""),
        packed[:-1]: (500, -1, ""),
        packed[:100]: (500, -1, ""),
        zlib.compress(dicom): (500, -1, ""),
        packed + packed: (500, 9, ""),
        packed + b"x": (500, 2, ""),
        gzip.compress(dicom[1:]): (500, 9, f"WriteUncompressedBucket: {size - 1} != {size}"),
    }
    for body, error in refused.items():
        assert error_of(receiver("PUT", f"{path}/0", body)) == error
    assert is_done(receiver("PUT", f"{path}/0", packed))


def test_bytes_that_were_not_announced(receiver: Rest, dicom: bytes) -> None:
    body = announcement(dicom)
    stranger = copy.deepcopy(body)
    stranger["Buckets"][0][0]["ID"] = "stranger"
    path = opened(receiver, stranger)
    assert error_of(receiver("PUT", f"{path}/0", dicom)) == (404, 17, "Unknown instance")
    beyond = copy.deepcopy(body)
    beyond["Buckets"][0][0]["Offset"] = "1"
    path = opened(receiver, beyond)
    assert error_of(receiver("PUT", f"{path}/0", dicom)) == (400, 3, "WriteChunk out of bounds")


def test_announcements_that_are_refused(receiver: Rest, dicom: bytes) -> None:
    """Every field wrong in every way."""
    right = announcement(dicom)
    wrong: list[Any] = ["", "nope", "[", [], 1, "null", {}]
    places: list[tuple[Any, ...]] = [("Buckets",), ("Compression",), ("Instances",)]
    places += [("Buckets", 0), ("Instances", 0), ("Buckets", 0, 0)]
    places += [("Buckets", 0, 0, field) for field in ("ID", "Offset", "Size")]
    places += [("Instances", 0, field) for field in ("ID", "MD5", "Size")]
    values = [None, True, 1, 1.5, {}, [[]], [1]]
    numbers = ["", "x", "-1", "1.0", "9" * 1000, "²"]
    for place in places:
        for value in [*values, *(numbers if place[-1] in ("Offset", "Size") else []), ABSENT]:
            body = copy.deepcopy(right)
            inner: Any = body
            for key in place[:-1]:
                inner = inner[key]
            if value is not ABSENT:
                inner[place[-1]] = value
            elif isinstance(place[-1], str):
                del inner[place[-1]]
            else:
                continue
            if (place, value) != (("Buckets",), [[]]):  # one bucket without content
                wrong.append(body)
    for body in wrong:
        answer = receiver("POST", "/transfers/push", json.dumps(body) if isinstance(body, int) else body)
        assert error_of(answer) == (400, 15, ""), body
    unknown = {**right, "Compression": "GZIP"}
    assert error_of(receiver("POST", "/transfers/push", unknown)) == (400, 3, "")


def test_claims_cost_nothing(tmp_path: Path, dicom: bytes) -> None:
    """Sizes that are announced and not sent take neither memory nor disk."""
    huge = str(10**15)
    body = {
        "Buckets": [[{"ID": "a", "Offset": "0", "Size": huge}], [{"ID": "a", "Offset": huge, "Size": "4"}]],
        "Compression": "gzip",
        "Instances": [{"ID": "a", "MD5": "0" * 32, "Size": str(10**16)}],
    }
    folder = tmp_path / "storage"
    with orthanc_lab.in_process(StorageDirectory=str(folder), **OPTIONS) as server:
        rest = Rest(server)
        path = opened(rest, body)
        bomb = gzip.compress(bytes(50 << 20), 9)
        assert error_of(rest("PUT", f"{path}/0", bomb)) == (500, 4, "The bucket is too large")
        assert is_done(rest("PUT", f"{path}/1", gzip.compress(b"1234")))
        assert error_of(rest("POST", f"{path}/commit"))[:2] == (500, 20)
        sizes = [file.stat().st_size for file in (folder / "transfers").iterdir()]
        assert len(sizes) == 1
        assert sizes[0] < 1000


def test_a_bucket_cannot_be_sent_without_an_end(receiver: Rest, dicom: bytes) -> None:
    path = opened(receiver, announcement(dicom))
    answers = [receiver("PUT", f"{path}/0", bytes([number]) * len(dicom)) for number in range(256)]
    while is_done(answers[-1]) and len(answers) < 1000:
        answers.append(receiver("PUT", f"{path}/0", dicom))
    assert error_of(answers[-1])[:2] == (507, 19)
    assert is_done(receiver("DELETE", path))


def test_the_one_used_least_recently_makes_place(receiver: Rest, dicom: bytes) -> None:
    first, second = (opened(receiver, announcement(dicom)) for _ in range(2))
    assert is_done(receiver("PUT", f"{first}/0", dicom))
    third = opened(receiver, announcement(dicom))
    assert error_of(receiver("PUT", f"{second}/0", dicom)) == UNKNOWN
    assert is_done(receiver("POST", f"{first}/commit"))
    assert is_done(receiver("DELETE", third))


def test_metrics(dicom: bytes) -> None:
    def metrics(rest: Rest) -> dict[str, int]:
        lines = rest("GET", "/tools/metrics-prometheus").text.splitlines()
        start = "orthanc_transfers_"
        return {line.split()[0].removeprefix(start): int(line.split()[1]) for line in lines if line.startswith(start)}

    with orthanc_lab.in_process(**OPTIONS) as server:
        rest = Rest(server)
        assert metrics(rest) == {}
        paths = [opened(rest, announcement(dicom)) for _ in range(3)]
        rest("PUT", f"{paths[1]}/0", dicom)
        rest("POST", f"{paths[1]}/commit")
        rest("DELETE", paths[2])
        found = metrics(rest)
        assert found.pop("push_total_time_spent_in_commit_ms") >= 0
        assert found.pop("push_total_time_spent_in_reception_ms") >= 0
        assert found == {
            "aborted_push_count": 1,
            "available_push_count": 0,
            "cache_hit_count": 0,
            "cache_miss_count": 0,
            "committed_push_count": 2,
            "created_push_count": 3,
            "push_total_received_bytes_count": len(dicom),
            "used_cache_size": 0,
        }


def test_a_transaction_survives_a_restart(tmp_path: Path, dicom: bytes) -> None:
    options = {"StorageDirectory": str(tmp_path), **OPTIONS}
    with orthanc_lab.in_process(**options) as server:
        rest = Rest(server)
        path, other = (opened(rest, announcement(dicom, 100)) for _ in range(2))
        assert is_done(rest("PUT", f"{path}/0", dicom[:100]))
    log = next(file for file in (tmp_path / "transfers").iterdir() if path.rpartition("/")[2] in file.name)
    with log.open("ab") as file:
        file.write(b"\0" * 15)  # what a crash may leave behind
    with orthanc_lab.in_process(**options) as server:
        rest = Rest(server)
        assert is_done(rest("PUT", f"{path}/1", dicom[100:]))
        assert is_done(rest("POST", f"{path}/commit"))
        assert rest("GET", f"/instances/{id_of(dicom)}/file").content == dicom
        assert is_done(rest("DELETE", other))
    assert list((tmp_path / "transfers").iterdir()) == []


def test_a_transaction_that_cannot_be_opened_leaves_no_file(
    tmp_path: Path, dicom: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with orthanc_lab.in_process(OPTIONS, folder=tmp_path) as server:
        monkeypatch.setattr(FileOutputs, "open", failing_after(2, FileOutputs.open))
        receiver = Rest(server)
        assert error_of(receiver("POST", "/transfers/push", announcement(dicom)))[:2] == (503, 14)
        assert list(tmp_path.rglob("*.push")) == []
        assert is_done(receiver("PUT", f"{opened(receiver, announcement(dicom))}/0", dicom))


def test_a_commit_is_answered_well_although_its_file_cannot_be_removed(
    tmp_path: Path, dicom: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with orthanc_lab.in_process(OPTIONS, folder=tmp_path) as server:
        receiver = Rest(server)
        path = opened(receiver, announcement(dicom))
        receiver("PUT", f"{path}/0", dicom)
        monkeypatch.setattr(FileOutputs, "remove", failing_after(1, FileOutputs.remove))
        assert is_done(receiver("POST", f"{path}/commit"))
        assert receiver.json("/instances") == [id_of(dicom)]
        assert receiver("POST", f"{path}/commit").status_code == 404


def failing_after(number: int, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method whose call of this number, from 1 on, fails."""
    calls = itertools.count(1)

    def call(*arguments: Any) -> Any:
        if next(calls) == number:
            raise OSError(errno.EMFILE, "Too many open files")
        return method(*arguments)

    return call


def test_what_was_abandoned_is_removed_after_a_day(tmp_path: Path, dicom: bytes) -> None:
    options = {"StorageDirectory": str(tmp_path), **OPTIONS}
    clock = ManualClock()
    with orthanc_lab.in_process(clock=clock, **options) as server:
        path = opened(Rest(server), announcement(dicom))
    (tmp_path / "transfers" / f"job-{'0' * 36}.push").write_bytes(b"damaged")
    clock.advance(23 * 3600)
    with orthanc_lab.in_process(clock=clock, **options):
        assert [path.rpartition("/")[2] in file.name for file in (tmp_path / "transfers").iterdir()] == [True]
    clock.advance(3601)
    with orthanc_lab.in_process(clock=clock, **options):
        assert list((tmp_path / "transfers").iterdir()) == []


def test_a_commit_with_many_threads(tmp_path: Path) -> None:
    files = material.small_instances(130)
    body: dict[str, Any] = {"Buckets": [[]], "Compression": "none", "Instances": []}
    for file in files:
        one = announcement(file)
        body["Buckets"][0] += one["Buckets"][0]
        body["Instances"] += one["Instances"]
    with orthanc_lab.in_process(Transfers={"CommitThreadsCount": 3}) as server:
        rest = Rest(server)
        path = opened(rest, body)
        assert is_done(rest("PUT", f"{path}/0", b"".join(files)))
        assert is_done(rest("POST", f"{path}/commit"))
        assert len(rest.json("/instances")) == 130


def test_a_server_that_only_reads(dicom: bytes, tmp_path: Path) -> None:
    with orthanc_lab.in_process(StorageDirectory=str(tmp_path)):
        pass
    with orthanc_lab.in_process(StorageDirectory=str(tmp_path), ReadOnly=True) as server:
        rest = Rest(server)
        path = opened(rest, announcement(dicom))
        assert is_done(rest("PUT", f"{path}/0", dicom))
        assert rest("POST", f"{path}/commit").json()["OrthancStatus"] == 22
