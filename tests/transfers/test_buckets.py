"""How instances are cut into buckets."""

from __future__ import annotations

import pytest

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.transfers.buckets import Chunk, chunks_uri, plan_buckets
from orthanc_lab.transfers.instances import TransferInstance

FULL = 65536


def instance(number: int, size: int) -> TransferInstance:
    return TransferInstance(f"{number:08x}-00000000-00000000-00000000-00000000", size, "0" * 32)


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (65536, [65536]),
        (131071, [131071]),
        (131072, [131072]),
        (131073, [65536, 65537]),
        (262146, [87382] * 3),
        (400000, [100000] * 4),
        (400003, [100000] * 3 + [100003]),
    ],
)
def test_large_files(size: int, pieces: list[int]) -> None:
    buckets = plan_buckets([instance(1, size)], FULL)
    assert [bucket.size for bucket in buckets] == pieces
    assert [bucket.chunks[0].offset for bucket in buckets] == [sum(pieces[:number]) for number in range(len(pieces))]


def test_small_files_come_after_all_large_ones_until_a_bucket_is_full() -> None:
    sizes = [40000, 70000, 20000, 6000, 60000, 200000]
    made = [instance(number, size) for number, size in enumerate(sizes)]
    found = [[chunk.size for chunk in bucket.chunks] for bucket in plan_buckets(made, FULL)]
    assert found == [[70000], [100000], [100000], [40000, 20000, 6000], [60000]]


def test_a_url_has_a_limit() -> None:
    made = [instance(number, 10) for number in range(100)]
    assert [len(bucket.chunks) for bucket in plan_buckets(made, FULL)] == [100]
    url = "http://127.0.0.1:18503/"
    pulled = plan_buckets(made, FULL, pull=(url, "gzip"))
    assert [len(bucket.chunks) for bucket in pulled] == [42, 42, 16]


def test_the_uri_of_a_bucket() -> None:
    (bucket,) = plan_buckets([instance(1, 10), instance(2, 20)], FULL)
    first, second = (instance(number, 0).id for number in (1, 2))
    assert bucket.chunks == (Chunk(first, 0, 10), Chunk(second, 0, 20))
    assert chunks_uri(bucket, "gzip") == f"transfers/chunks/{first}.{second}?offset=0&size=30&compression=gzip"


def test_what_nobody_can_have_takes_no_memory() -> None:
    with pytest.raises(OrthancError) as caught:
        plan_buckets([instance(1, 10**17)], FULL)
    assert caught.value.code == 4
