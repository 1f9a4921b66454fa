"""Files and archives that declare far more than they hold."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

import orthanc_lab
from tests.create.creator import data_uri
from tests.create.pictures import header, png_of
from tests.hostile.asking import ask, count, refusal
from tests.rest.files import dicom_file


def memory_mb(server: orthanc_lab.ChildServer) -> int:
    """Return the largest memory the server ever had resident, MiB."""
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:  # noqa: PTH123 - no file of the disk
        return int(status.read().split("VmHWM:")[1].split()[0]) // 1024


def frames_of(number: str) -> bytes:
    return dicom_file(
        "frames", "1.2", "1.2.3", "1.2.3.5", Rows=2, Columns=2, BitsAllocated=8, BitsStored=8, HighBit=7,
        SamplesPerPixel=1, PixelRepresentation=0, PhotometricInterpretation="MONOCHROME2", NumberOfFrames=number,
        PixelData=bytes(8),
    )  # fmt: skip


@pytest.mark.parametrize("colour", [0, 2])
def test_a_png_of_50000_by_50000(server: orthanc_lab.ChildServer, colour: int) -> None:
    picture = png_of([header(50_000, 50_000, 8, colour), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")])
    before = memory_mb(server)
    answer = ask(server, "POST", "/tools/create-dicom", json={"Tags": {}, "Content": data_uri(picture, "image/png")})
    assert refusal(answer) == (400, 15)
    assert count(server) == 0
    assert memory_mb(server) - before < 100


@pytest.mark.parametrize("number", ["2000000000", "2147483647", "-1", "99999999999", "0", "x"])
def test_number_of_frames(server: orthanc_lab.ChildServer, number: str) -> None:
    before = memory_mb(server)
    content = frames_of("1").replace(b"IS\2\x001 ", b"IS" + _sized(number))
    stored = ask(server, "POST", "/instances", data=content)
    assert stored.status_code == 200
    instance = stored.json()["Path"]
    for view in ("/frames", "/frames/0/raw", "/frames/1999999999/raw", "/frames/1999999999/preview",
                 "/frames/0/preview", "/preview", "/rendered", "/numpy", "/tags"):  # fmt: skip
        answer = ask(server, "GET", instance + view, stream=True)
        assert answer.status_code < 400 or answer.status_code in (400, 404, 415, 500), view
        read = sum(len(piece) for piece in answer.iter_content(1 << 20))
        assert read < 1 << 26, view
    archive = ask(server, "POST", "/tools/create-archive", json={"Resources": [stored.json()["ID"]],
                                                                 "Transcode": "1.2.840.10008.1.2.4.50"})  # fmt: skip
    assert archive.status_code == 200
    assert memory_mb(server) - before < 200


def _sized(text: str) -> bytes:
    value = text.encode() + b" " * (len(text) % 2)
    return struct.pack("<H", len(value)) + value


def zip_of(*members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.dcm", member)
    return out.getvalue()


def zip64(content: bytes, *, size: int, packed: int | None = None, offset: int = 0) -> bytes:
    """Return a ZIP whose one entry says its sizes and its place in 64 bits."""
    deflated = zlib.compress(content)[2:-4]
    crc = zlib.crc32(content)
    extra = struct.pack("<HHQQQ", 1, 24, size, len(deflated) if packed is None else packed, offset)
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 45, 0, 8, 0, 0, crc, len(deflated), len(content), 1, 0) + b"a"
    directory = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, 8, 0, 0, crc, 0xFFFFFFFF, 0xFFFFFFFF, 1, len(extra), 0, 0, 0, 0, 0xFFFFFFFF
    ) + b"a" + extra  # fmt: skip
    start = len(local) + len(deflated)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(directory), start, 0)
    return local + deflated + directory + end


GOOD = dicom_file("zip", "1.2", "1.2.3", "1.2.3.6")


def test_zip64_that_says_the_truth(server: orthanc_lab.ChildServer) -> None:
    answer = ask(server, "POST", "/instances", data=zip64(GOOD, size=len(GOOD)))
    assert [one["Status"] for one in answer.json()] == ["Success"]


@pytest.mark.parametrize(
    "lie",
    [{"size": 1 << 62}, {"size": 2**64 - 1}, {"size": 5}, {"size": len(GOOD), "packed": 1 << 62},
     {"size": len(GOOD), "offset": 1 << 62}, {"size": len(GOOD), "offset": 2**64 - 1}],
    ids=["size", "largest size", "small size", "packed", "offset", "largest offset"],
)  # fmt: skip
def test_zip64_that_lies(server: orthanc_lab.ChildServer, lie: dict[str, int]) -> None:
    assert refusal(ask(server, "POST", "/instances", data=zip64(GOOD, **lie))) == (400, 15)
    assert count(server) == 0


def bomb(number: int) -> bytes:
    """Return a ZIP whose members have 40 MB of zeros each, packed to 40 kB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    step = bytes(1 << 20)
    deflated = b"".join(packer.compress(step) for _ in range(40)) + packer.flush()
    crc = 0
    for _ in range(40):
        crc = zlib.crc32(step, crc)
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(deflated), 40 << 20, 1, 0) + b"a"
    entry = local + deflated
    heads = b"".join(
        struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, len(deflated), 40 << 20, 1, 0, 0, 0, 0, 0,
                    place * len(entry)) + b"a"
        for place in range(number)
    )  # fmt: skip
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, number, number, len(heads), number * len(entry), 0)
    return entry * number + heads + end


@pytest.mark.timeout(900)
def test_a_bomb(server: orthanc_lab.ChildServer, request: pytest.FixtureRequest) -> None:
    """Three gigabytes are too much; of less nothing is DICOM, and it is never in memory."""
    before = memory_mb(server)
    assert refusal(ask(server, "POST", "/instances", data=bomb(75), seconds=400)) == (400, 15)
    members = 50 if request.config.getoption("--full-size") else 10
    assert ask(server, "POST", "/instances", data=bomb(members), seconds=400).json() == []
    assert count(server) == 0
    assert memory_mb(server) - before < 250


def test_an_archive_refused_after_half_of_it_was_stored(server: orthanc_lab.ChildServer) -> None:
    files = [
        dicom_file("half", "1.2", "1.2.3", f"1.2.3.7.{number}", EncapsulatedDocument=bytes(100_000))
        for number in range(40)
    ]
    whole = zip_of(*files)
    last = whole.rindex(b"PK\3\4")
    broken = whole[: last + 60] + b"\xff\xff\xff" + whole[last + 63 :]
    assert refusal(ask(server, "POST", "/instances", data=broken)) == (400, 15)
    assert count(server) == 0
    assert ask(server, "GET", "/changes").json()["Changes"] == [] or not any(
        change["ChangeType"] == "NewInstance" and ask(server, "GET", change["Path"]).status_code == 200
        for change in ask(server, "GET", "/changes").json()["Changes"]
    )
    assert len(ask(server, "POST", "/instances", data=whole).json()) == 40
