"""Fresh memory for a large picture is asked for in huge pages."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from orthanc_lab.dicom.files.data_set import Room, joined
from orthanc_lab.protocol import huge_pages
from orthanc_lab.protocol.huge_pages import use_huge_pages

LARGE = 48 << 20


def advised() -> int:
    """Return the bytes of this process behind which huge pages are wanted."""
    total = size = 0
    for line in Path("/proc/self/smaps").read_text("ascii", "replace").splitlines():
        if line.startswith("Size:"):
            size = int(line.split()[1]) * 1024
        elif line.startswith("VmFlags:") and "hg" in line.split():
            total += size
    return total


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such advice")
@pytest.mark.parametrize(("size", "more"), [(LARGE, LARGE - (4 << 20)), (1 << 20, 0), (0, 0)])
def test_the_system_is_asked_for_large_blocks_alone(size: int, more: int) -> None:
    before = advised()
    whole = io.BytesIO(bytes(size))
    with whole.getbuffer() as memory:
        use_huge_pages(memory)
        assert advised() - before >= more
        assert more or advised() == before
    assert whole.getvalue() == bytes(size)


@pytest.mark.parametrize("advice", [14, None])
def test_the_bytes_are_the_same_with_and_without(advice: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huge_pages, "_HUGE_PAGES", advice)

    def fill(memory: memoryview) -> None:
        memory[:] = b"\x07" * LARGE

    assert joined([b"head", Room(LARGE, fill), b"tail"]) == b"head" + b"\x07" * LARGE + b"tail"
