"""Bodies that are meant to do harm: a documented error, soon, and the server goes on."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import orthanc_lab
from tests.create.creator import Creator, Refusal, data_uri
from tests.create.pictures import header, picture, png_of
from tests.examples import examples

pytestmark = pytest.mark.timeout(20)


def png(deflated: bytes, *head: int) -> bytes:
    """Return a PNG of any size, depth and colour type."""
    return png_of([header(*head), (b"IDAT", deflated), (b"IEND", b"")])


def zeros(size: int) -> bytes:
    """Return `size` zero bytes, deflated without ever being in memory."""
    packer = zlib.compressobj(9)
    step = bytes(1 << 20)
    return (
        b"".join(packer.compress(step) for _ in range(size >> 20))
        + packer.compress(bytes(size % (1 << 20)))
        + packer.flush()
    )


def huge_jpeg() -> bytes:
    jpeg = bytearray(picture("RGB", (16, 16), "JPEG"))
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 65500, 65500)
    return bytes(jpeg)


def nested(depth: int) -> bytes:
    inner = '[{"ReferencedImageSequence":' * depth + "[]" + "}]" * depth
    return f'{{"Tags":{{"ReferencedImageSequence":{inner}}}}}'.encode()


BOMBS: dict[str, Callable[[], Any]] = {
    "a PNG that says 50,000 x 50,000": lambda: content(png(zlib.compress(bytes(1000)), 50_000, 50_000, 8, 2)),
    "an interlaced one": lambda: content(png(zlib.compress(bytes(1000)), 50_000, 50_000, 8, 2, 1)),
    "a PNG that is 20,000 x 20,000": lambda: content(png(zeros(20_001 * 20_000), 20_000, 20_000, 8, 0)),
    "4,294,967,295 wide": lambda: content(png(zlib.compress(b""), 0xFFFFFFFF, 0xFFFFFFFF, 16, 6)),
    "a PNG of 5,000 x 5,000 without its rows": lambda: content(png(zeros(1000), 5000, 5000, 8, 2)),
    "base64 of rubbish": lambda: {"Tags": {}, "Content": "data:image/png;base64," + "*" * 5_000_000},
    "a text of 5 MB": lambda: {"Tags": {}, "Content": "A" * 5_000_000},
    "a JPEG that says 65,500 x 65,500": lambda: {"Tags": {}, "Content": data_uri(huge_jpeg(), "image/jpeg")},
}


def content(data: bytes) -> dict[str, Any]:
    return {"Tags": {}, "Content": data_uri(data)}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_in_pictures(creator: Creator, name: str) -> None:
    assert creator.refusal(BOMBS[name]()) == Refusal(400, 15)
    assert creator.count() == 0


def test_a_small_picture_in_far_too_many_rows(creator: Creator) -> None:
    data_set = creator.create(content=data_uri(png(zeros(1 << 28), 8, 8, 8, 0)))
    assert data_set[0x7FE00010].value == bytes(64)


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_bodies_nested_too_deep(creator: Creator, depth: int) -> None:
    assert creator.refusal(nested(depth)) == Refusal(400, 8)
    assert creator.refusal(b"[" * depth) == Refusal(400, 8)


@pytest.mark.parametrize("depth", [41, 400])
def test_sequences_nested_too_deep(creator: Creator, depth: int) -> None:
    assert creator.refusal(nested(depth)) == Refusal(400, 15, "Sequences are nested more than 40 levels deep")


@pytest.mark.parametrize("depth", [1, 20, 40])
def test_sequences_nested_deep_are_stored(creator: Creator, depth: int) -> None:
    id = creator.answer(nested(depth))["ID"]
    assert creator.session.get(f"{creator.url}/instances/{id}/tags").status_code == 200


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b'{"Tags":{},"Content":"data:image/png;base64,' + b"A" * 5_000_000, Refusal(400, 8)),
        (b'{"Tags":{"' + b"k" * 1_000_000 + b'":"x"}}', Refusal(500, 27, "k" * 1_000_000)),
        (b'{"Tags":{},"X":"' + b'\\"data:' * 200_000, Refusal(400, 8)),
        (b'{"Tags":{},"X":[' + b'"data:x",' * 200_000, Refusal(400, 8)),
    ],
)
def test_large_bodies(creator: Creator, body: bytes, refusal: Refusal) -> None:
    assert creator.refusal(body) == refusal


def test_many_tags(creator: Creator) -> None:
    data_set = creator.create({f"0009-{element:04x}": "x" for element in range(0x1000, 0x5000)})
    assert len(data_set) > 0x4000


def test_many_bad_contents(creator: Creator) -> None:
    assert creator.refusal({"Tags": {}, "Content": ["x"] * 100_000}) == Refusal(404, 17)


NAMES = st.sampled_from(["Tags", "Content", "Parent", "Force", "Encapsulate", "InterpretBinaryTags", "PrivateCreator"])
NAMES |= st.sampled_from(["PatientName", "PixelData", "Rows", "ReferencedImageSequence", "0009-1001", "0002-0010"])
NAMES |= st.sampled_from(["SpecificCharacterSet", "StudyInstanceUID", "", "x"])
URIS = st.sampled_from(
    [data_uri(picture("L")), data_uri(b"%PDF-", "application/pdf"), "data:image/jpeg;base64,/9j/", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | URIS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), values, max_size=5),
    max_leaves=12,
)
BODIES = st.dictionaries(NAMES, JSON, max_size=6)


# Codes that Orthanc answers with, too, where a body is this odd.
EXPECTED = {-1, 2, 3, 4, 5, 8, 15, 17, 21, 27, 2019, 2020, 2021, 2022, 2023, 2024, 2025}


@examples(300)
@given(body=BODIES | BODIES.map(lambda tags: {"Tags": tags}))
def test_no_body_does_harm(shared_server: orthanc_lab.InProcessServer, body: dict[str, Any]) -> None:
    answer = shared_server.session.post(
        f"{shared_server.url}/tools/create-dicom", data=json.dumps(body).encode("utf-8", "surrogatepass")
    )
    assert not shared_server.errors
    if answer.status_code != 200:
        error = answer.json()
        assert error["OrthancStatus"] in EXPECTED, error
        assert "Traceback" not in answer.text


@examples(200)
@given(data=st.binary(max_size=200))
def test_no_bytes_do_harm(shared_server: orthanc_lab.InProcessServer, data: bytes) -> None:
    answer = shared_server.session.post(f"{shared_server.url}/tools/create-dicom", data=data)
    assert answer.status_code in (200, 400, 500)
    assert not shared_server.errors
