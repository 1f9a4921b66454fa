"""Files from the browser: whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

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
        self.receive({"kind": "chunk", "transfer": id, "name": name, "size": size, "offset": offset}, [data])
        return self.said[-1]


@st.composite
def deliveries(draw):
    """A file, and its chunks as they may come: in any order, some of them again."""
    content = draw(st.binary(min_size=1, max_size=200))
    size = draw(st.integers(1, 50))
    chunks = [(content[offset : offset + size], offset) for offset in range(0, len(content), size)]
    again = draw(st.lists(st.sampled_from(chunks), max_size=5))
    return content, draw(st.permutations(chunks + again))


@given(deliveries())
def test_any_file_in_any_chunks_in_any_order_comes_whole_and_once(delivery):
    content, chunks = delivery
    zone = Zone()
    missing = {offset for _, offset in chunks}
    for data, offset in chunks:
        missing.discard(offset)
        answer = zone.chunk(data, offset, len(content))
        assert answer["kind"] == "taken"
        assert (answer["received"] == len(content)) == (not missing)
        assert zone.given == ([] if missing else [("a.bin", content)])
    zone.close()


def test_chunks_in_many_threads_come_whole_and_once():
    content = bytes(range(256)) * 16
    zone = Zone()
    chunks = [(content[offset : offset + 16], offset, len(content)) for offset in range(0, len(content), 16)]
    with ThreadPoolExecutor(8) as pool:
        for answer in [pool.submit(zone.chunk, *chunk) for chunk in chunks + chunks]:
            answer.result()
    assert zone.given == [("a.bin", content)]


def test_a_chunk_is_answered_again_after_the_file_was_taken_or_refused():
    zone = Zone(check=lambda name, head: "is no X" if not head.startswith(b"X") else "")
    for data, kind in ((b"Xbcd", "taken"), (b"abcd", "refuse")):
        first = zone.chunk(data, id=kind)
        assert first["kind"] == kind
        assert zone.chunk(data, id=kind) == first
    assert zone.given == [("a.bin", b"Xbcd")]


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
    zone.receive({"kind": "cancel", "transfer": "1"}, [])
    assert zone.chunk(b"cd", 2) == {"kind": "refuse", "transfer": "1", "words": "was canceled"}
    assert zone.given == []
    assert list(zone._folder.iterdir()) == []


def test_a_cancellation_may_overtake_chunks_and_never_undoes_a_file():
    zone = Zone()
    zone.receive({"kind": "cancel", "transfer": "early"}, [])
    assert zone.chunk(b"abcd", id="early")["words"] == "was canceled"
    zone.chunk(b"abcd", id="late")
    zone.receive({"kind": "cancel", "transfer": "late"}, [])
    assert zone.chunk(b"abcd", id="late")["kind"] == "taken"
    assert zone.given == [("a.bin", b"abcd")]


@pytest.mark.parametrize("more", [[(b"cde", 2)], [(b"bc", 1)], [(b"b", 1), (b"d", 3)], [(b"", 2)]])
def test_pieces_that_do_not_fit_are_refused(more):
    zone = Zone()
    zone.chunk(b"ab")
    answers = [zone.chunk(data, offset) for data, offset in more]
    if answers[-1]["kind"] == "taken":
        answers.append(zone.chunk(b"d", 3))
    assert answers[-1]["words"] == "arrived in pieces that do not fit together; drop it again"
    assert zone.given == []


def test_size_and_kind_are_limits():
    zone = Zone(max_size=10, check=lambda name, head: "is no X" if not head.startswith(b"X") else "")
    assert zone.chunk(b"Xa", size=11, id="large")["words"] == "has 11 bytes; files of 1 to 10 bytes are accepted here"
    assert zone.chunk(b"", size=0, id="empty")["kind"] == "refuse"
    assert zone.chunk(b"cd", 2, id="other")["received"] == 2
    assert zone.chunk(b"ab", id="other")["words"] == "is no X"
    assert zone.chunk(b"Xa")["received"] == 2


def test_a_half_file_of_a_view_that_went_away_gives_way():
    clock = ManualClock()
    zone = Zone(clock=clock)
    zone.chunk(b"ab", id="gone")
    clock.advance(301)
    zone.chunk(b"ab", id="new")
    assert len(list(zone._folder.iterdir())) == 1
    assert zone.chunk(b"cd", 2, id="gone")["words"] == "was interrupted; drop it again"


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
