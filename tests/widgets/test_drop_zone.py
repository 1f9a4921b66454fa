"""Files from the browser: whole or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.widgets.elements.drop_zone import DropZone


class Zone(DropZone):
    """Keeps what it gives, and what it says to the browser."""

    def __init__(self, **options):
        self.given, self.said = [], []
        options.setdefault("on_file", lambda file: self.given.append((file.name, file.read())))
        super().__init__(label="Files", **options)

    def send(self, content, buffers=None):
        self.said.append(content)

    def chunk(self, data, offset=0, size=4, id="1", name="a.bin"):
        self.receive({"kind": "chunk", "id": id, "name": name, "size": size, "offset": offset}, [data])
        return self.said[-1]


@given(st.binary(min_size=1, max_size=200), st.integers(1, 50))
def test_any_file_in_any_chunks_comes_whole(content, chunk):
    zone = Zone()
    offset = 0
    while offset < len(content):
        assert zone.given == []
        answer = zone.chunk(content[offset : offset + chunk], offset, len(content))
        offset = answer["received"]
    assert zone.given == [("a.bin", content)]
    zone.close()


def test_files_of_two_views_do_not_mix():
    zone = Zone()
    zone.chunk(b"ab", id="1", name="one")
    zone.chunk(b"xy", id="2", name="two")
    zone.chunk(b"cd", 2, id="1")
    zone.chunk(b"zw", 2, id="2")
    assert zone.given == [("one", b"abcd"), ("two", b"xyzw")]


def test_a_cancelled_file_is_forgotten():
    zone = Zone()
    zone.chunk(b"ab")
    zone.receive({"kind": "cancel", "id": "1"}, [])
    assert zone.chunk(b"cd", 2) == {"kind": "refuse", "id": "1", "words": "was interrupted; drop it again"}
    assert zone.given == []
    assert list(zone._folder.iterdir()) == []


@pytest.mark.parametrize(("offset", "data"), [(1, b"b"), (3, b"d"), (2, b"cde")])
def test_disorder_is_refused(offset, data):
    zone = Zone()
    zone.chunk(b"ab")
    assert zone.chunk(data, offset)["words"] == "came in disorder; drop it again"
    assert zone.given == []


def test_size_and_kind_are_limits():
    zone = Zone(max_size=10, check=lambda name, head: "is no X" if not head.startswith(b"X") else "")
    assert zone.chunk(b"Xa", size=11)["words"] == "has 11 bytes; 1 to 10 are taken here"
    assert zone.chunk(b"", size=0)["kind"] == "refuse"
    assert zone.chunk(b"ab")["words"] == "is no X"
    assert zone.chunk(b"Xa")["received"] == 2


def test_a_half_file_of_a_view_that_went_away_gives_way():
    clock = ManualClock()
    zone = Zone(clock=clock)
    zone.chunk(b"ab", id="gone")
    clock.advance(61)
    zone.chunk(b"ab", id="new")
    assert len(list(zone._folder.iterdir())) == 1
    assert zone.chunk(b"cd", 2, id="gone")["kind"] == "refuse"


def test_a_fault_of_the_receiver_is_seen(caplog):
    def broken(file):
        raise RuntimeError("a fault")

    assert Zone(on_file=broken).chunk(b"abcd")["words"] == "failed: RuntimeError: a fault"


def test_nothing_is_left_on_the_disk():
    zone = Zone()
    zone.chunk(b"abcd")
    zone.chunk(b"ab", id="half")
    folder = zone._folder
    assert folder.is_dir()
    zone.close()
    assert not folder.exists()
