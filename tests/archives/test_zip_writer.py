"""The ZIP writer, read back by zipfile, unzip and by itself."""

from __future__ import annotations

import io
import subprocess
import zipfile
import zlib
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.jobs.kinds.archives.zip_codec import codec, preferred_codec, store
from orthanc_lab.jobs.kinds.archives.zip_writer import DamagedZip, Deflated, ZipWriter, read_members
from orthanc_lab.protocol.errors import OrthancError
from tests.examples import examples
from tests.programs import program

MOMENT = datetime(2026, 11, 24, 9, 41, 58)
NAMES = st.lists(
    st.text(alphabet="abcXYZ019._ /-", min_size=1, max_size=30).filter(lambda name: not name.endswith("/")),
    unique=True,
    max_size=8,
)


def write(members: dict[str, bytes], *, zip64: bool = False, name: str = "isal") -> bytes:
    output = io.BytesIO()
    writer = ZipWriter(output.write, written_at=MOMENT, zip64=zip64)
    for member, data in members.items():
        writer.add(member, codec(name, 1).deflate(data, shrinks=len(data) % 2 == 0))
    writer.finish()
    assert writer.offset == len(output.getvalue())
    return output.getvalue()


def test_the_form_is_orthancs() -> None:
    archive = write({"A/B/CT/CT000001.dcm": b"data" * 100})
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.comment == b"Created by Orthanc"
        (info,) = opened.infolist()
        assert info.compress_type == zipfile.ZIP_DEFLATED
        assert (info.flag_bits, info.extract_version, info.create_version, info.create_system) == (0, 20, 0, 0)
        assert (info.external_attr, info.internal_attr, info.extra, info.comment) == (0, 0, b"", b"")
        assert info.date_time == (2026, 11, 24, 9, 41, 58)
    assert archive[6:8] == b"\0\0", "no data descriptor: the sizes stand in the local header"
    assert int.from_bytes(archive[22:26], "little") == 400


def test_an_empty_archive_has_the_comment() -> None:
    assert write({}) == b"PK\x05\x06" + bytes(16) + b"\x12\0Created by Orthanc"


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("name", ["isal", "zlib"])
def test_unzip_agrees(tmp_path: Path, zip64: bool, name: str) -> None:
    unzip = program("unzip")
    members = {"a/empty": b"", "a/one": b"x", "b": bytes(200_001), "c d": bytes(range(256)) * 700}
    (tmp_path / "a.zip").write_bytes(write(members, zip64=zip64, name=name))
    done = subprocess.run([unzip, "-t", str(tmp_path / "a.zip")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No errors detected" in done.stdout


@given(NAMES, st.data(), st.booleans())
@examples(40)
def test_what_is_written_is_read(names: list[str], data: st.DataObject, zip64: bool) -> None:
    members = {name: data.draw(st.binary(max_size=300)) * data.draw(st.integers(1, 40)) for name in names}
    archive = write(members, zip64=zip64)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.namelist() == names
        assert {name: opened.read(name) for name in names} == members


@given(NAMES.filter(len), st.booleans(), st.data())
@examples(40)
def test_the_directory_is_read_back_from_any_member(names: list[str], zip64: bool, data: st.DataObject) -> None:
    members = {name: data.draw(st.binary(max_size=500)) for name in names}
    whole = write(members, zip64=zip64)
    cut = data.draw(st.integers(0, len(names)))
    output = io.BytesIO()
    first = ZipWriter(output.write, written_at=MOMENT, zip64=zip64)
    packed = {
        name: codec("isal", 1).deflate(content, shrinks=len(content) % 2 == 0) for name, content in members.items()
    }
    for name in names[:cut]:
        first.add(name, packed[name])
    second = ZipWriter(output.write, written_at=MOMENT, zip64=zip64)
    for member in read_members(output, first.offset):
        second.adopt(member)
    assert second.offset == first.offset
    output.seek(0, io.SEEK_END)
    for name in names[cut:]:
        second.add(name, packed[name])
    second.finish()
    assert output.getvalue() == whole


def test_a_damaged_output_is_noticed() -> None:
    archive = write({"a": b"1" * 1000, "b": b"2" * 1000})
    members = list(read_members(io.BytesIO(archive), archive.index(b"PK\x01\x02")))
    end = members[-1].data_offset + members[-1].compressed_size
    for broken, offset in [(archive, end - 1), (archive, end + 5), (archive[:40], end), (bytes(len(archive)), end)]:
        with pytest.raises(DamagedZip):
            list(read_members(io.BytesIO(broken), offset))


def test_sizes_beyond_32_bits() -> None:
    """Offsets and sizes that need ZIP64 get it; the bytes between are not written for this test."""
    output = io.BytesIO()
    writer = ZipWriter(output.write, written_at=MOMENT)
    huge = Deflated(b"x", 1, 5 << 30)
    writer.add("huge", huge)
    writer.offset = 6 << 30
    writer.add("behind", Deflated(b"y", 2, 3))
    start = writer.offset
    writer.finish()
    data = output.getvalue()
    directory = data[data.index(b"PK\x01\x02") :]
    local = next(iter(read_members(io.BytesIO(data), len(data))))
    assert (local.name, local.size, local.compressed_size) == ("huge", 5 << 30, 1)
    assert (5 << 30).to_bytes(8, "little") in directory
    assert (6 << 30).to_bytes(8, "little") in directory
    end = directory[directory.index(b"PK\x06\x06") :]
    assert int.from_bytes(end[32:40], "little") == 2
    assert int.from_bytes(end[48:56], "little") == start
    assert end[56:60] == b"PK\x06\x07"


def test_more_members_than_16_bits() -> None:
    output = io.BytesIO()
    writer = ZipWriter(output.write, written_at=MOMENT, zip64=True)
    nothing = preferred_codec().deflate(b"")
    for number in range(65_600):
        writer.add(str(number), nothing)
    writer.finish()
    with zipfile.ZipFile(output) as opened:
        assert len(opened.namelist()) == 65_600
        assert opened.read("65599") == b""


@given(st.binary(max_size=2000), st.integers(1, 100))
@examples(30)
def test_stored_blocks_inflate(data: bytes, times: int) -> None:
    assert zlib.decompress(store(data * times), -zlib.MAX_WBITS) == data * times


@pytest.mark.parametrize("size", [0, 1, 65534, 65535, 65536, 131070, 131071])
def test_stored_blocks_at_their_borders(size: int) -> None:
    assert zlib.decompress(store(bytes(size)), -zlib.MAX_WBITS) == bytes(size)


def test_a_missing_codec_is_told() -> None:
    with pytest.raises(OrthancError, match="'zstd'"):
        codec("zstd", 1)


def test_the_year_is_kept_in_the_range_of_the_format() -> None:
    output = io.BytesIO()
    writer = ZipWriter(output.write, written_at=datetime(1970, 1, 1))
    writer.add("a", preferred_codec().deflate(b"x"))
    writer.finish()
    with zipfile.ZipFile(output) as opened:
        assert opened.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
