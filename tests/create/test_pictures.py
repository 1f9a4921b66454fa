"""Pictures as content: create-dicom.md §7."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.images.read_jpeg import read_jpeg
from orthanc_lab.dicom.images.read_png import read_png
from orthanc_lab.protocol.errors import OrthancError
from tests.create.creator import Creator, Refusal, data_uri, text
from tests.create.pictures import chunks, header, pam, picture, png_of, raw_png

SIZES = [(1, 1), (3, 2), (7, 5), (33, 17)]


def number(data_set: DataSet, tag: int) -> int | None:
    element = data_set.get(tag)
    return None if element is None else struct.unpack("<H", element.value)[0]


def description(data_set: DataSet) -> tuple[object, ...]:
    """Rows, columns, samples, bits allocated, stored and high, representation, planar configuration."""
    tags = (0x00280010, 0x00280011, 0x00280002, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280006)
    return tuple(number(data_set, tag) for tag in tags)


def pixels(data_set: DataSet) -> bytes:
    vr, value = data_set[0x7FE00010]
    assert vr == "OW"
    assert isinstance(value, bytes)
    return value


def even(data: bytes) -> bytes:
    return data + bytes(len(data) & 1)


@pytest.mark.parametrize("size", SIZES)
def test_gray_png(creator: Creator, size: tuple[int, int]) -> None:
    png = picture("L", size)
    data_set = creator.create(content=data_uri(png))
    assert description(data_set) == (size[1], size[0], 1, 8, 8, 7, 0, None)
    assert text(data_set, 0x00280004) == "MONOCHROME2"
    assert pixels(data_set) == even(Image.open(io.BytesIO(png)).tobytes())


@pytest.mark.parametrize("size", SIZES)
def test_gray_png_of_16_bits(creator: Creator, size: tuple[int, int]) -> None:
    png = picture("I;16", size)
    data_set = creator.create(content=data_uri(png))
    assert description(data_set) == (size[1], size[0], 1, 16, 16, 15, 0, None)
    assert pixels(data_set) == np.asarray(Image.open(io.BytesIO(png))).astype("<u2").tobytes()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colour_png(creator: Creator, mode: str, size: tuple[int, int]) -> None:
    png = picture(mode, size)
    data_set = creator.create({"PhotometricInterpretation": "MONOCHROME1"}, data_uri(png))
    assert description(data_set) == (size[1], size[0], 3, 8, 8, 7, 0, 0)
    assert text(data_set, 0x00280004) == "RGB"
    assert pixels(data_set) == even(np.asarray(Image.open(io.BytesIO(png)))[..., :3].tobytes())


def test_colour_png_of_16_bits_with_alpha(creator: Creator) -> None:
    samples = np.random.default_rng(1).integers(0, 65536, (4, 5, 4), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    data_set = creator.create(content=data_uri(raw_png(5, 4, 16, 6, rows)))
    assert description(data_set) == (4, 5, 3, 16, 16, 15, 0, 0)
    assert pixels(data_set) == samples[..., :3].astype("<u2").tobytes()


def test_transparency_is_ignored(creator: Creator) -> None:
    png = picture("L", transparency=3)
    assert pixels(creator.create(content=data_uri(png))) == picture_bytes("L")


def picture_bytes(mode: str) -> bytes:
    return Image.open(io.BytesIO(picture(mode))).tobytes()


def test_tags_of_the_picture_win_over_those_of_the_body(creator: Creator) -> None:
    given = {"Rows": "9", "SamplesPerPixel": "9", "BitsStored": "3", "PixelRepresentation": "1", "NumberOfFrames": "1"}
    gray = creator.create({**given, "PhotometricInterpretation": "MONOCHROME1"}, data_uri(picture("L")))
    assert description(gray) == (2, 3, 1, 8, 8, 7, 0, None)
    assert text(gray, 0x00280004) == "MONOCHROME1"
    assert text(gray, 0x00280008) == "1"
    assert 0x00080060 not in gray
    assert 0x00080016 not in gray


@pytest.mark.parametrize("mode", ["LA", "P", "1"])
def test_other_kinds_of_png(creator: Creator, mode: str) -> None:
    assert creator.refusal({"Tags": {}, "Content": data_uri(picture(mode))}) == Refusal(500, 2)


def damaged_pngs() -> dict[str, bytes]:
    parts = chunks(picture("RGB", (20, 15)))
    head, (_, deflated), end = parts[0], parts[1], parts[-1]
    rows = zlib.decompress(deflated)
    return {
        "nothing": b"",
        "a JPEG": picture("RGB", form="JPEG"),
        "half": png_of(parts)[:400],
        "header damaged": png_of(parts, damaged=0),
        "pixels damaged": png_of(parts, damaged=1),
        "no pixels": png_of([head, end]),
        "a missing row": png_of([head, (b"IDAT", zlib.compress(rows[:-61])), end]),
        "no checksum": png_of([head, (b"IDAT", deflated[:-4]), end]),
        "wrong checksum": png_of([head, (b"IDAT", deflated[:-1] + bytes([deflated[-1] ^ 1])), end]),
        "unknown filter": png_of([head, (b"IDAT", zlib.compress(b"\x09" + rows[1:])), end]),
        "unknown critical chunk": png_of([head, (b"ABCD", b""), (b"IDAT", deflated), end]),
        "two headers": png_of([head, head, (b"IDAT", deflated), end]),
        "header second": png_of([(b"tEXt", b"a"), head, (b"IDAT", deflated), end]),
        "pixels apart": png_of([head, (b"IDAT", deflated[:50]), (b"tEXt", b"a"), (b"IDAT", deflated[50:]), end]),
        "no width": png_of([header(0, 15, 8, 2), (b"IDAT", deflated), end]),
        "no such depth": png_of([header(20, 15, 3, 2), (b"IDAT", deflated), end]),
    }


@pytest.mark.parametrize("name", damaged_pngs())
def test_damaged_png(creator: Creator, name: str) -> None:
    assert creator.refusal({"Tags": {}, "Content": data_uri(damaged_pngs()[name])}) == Refusal(400, 15)
    assert creator.count() == 0


def test_what_follows_the_pixels_of_a_png_does_not_matter() -> None:
    parts = chunks(picture("RGB", (20, 15)))
    expected = read_png(png_of(parts))
    split = [parts[0], (b"tEXt", b"a\0b"), (b"IDAT", parts[1][1][:9]), (b"IDAT", parts[1][1][9:])]
    for data in (png_of(parts) + b"junk", png_of(parts)[:-12], png_of(parts)[:-1], png_of(split)):
        assert read_png(data).pixels == expected.pixels


def test_interlaced_png() -> None:
    # One pixel in the first pass, one in the second, one in the sixth and so on: 2 by 2 pixels of gray.
    rows = b"\0\x11" + b"\0\x22" + b"\0\x33\x44"
    data = png_of([header(2, 2, 8, 0, interlace=1), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])
    assert read_png(data).pixels == b"\x11\x22\x33\x44"


@given(st.data())
def test_flipped_bytes_of_a_png_are_refused_or_decoded_to_the_right_size(data: st.DataObject) -> None:
    png = bytearray(picture(data.draw(st.sampled_from(["L", "RGB", "RGBA", "I;16"])), (20, 15)))
    for _ in range(data.draw(st.integers(1, 3))):
        png[data.draw(st.integers(8, len(png) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = read_png(bytes(png))
        found = decoded.pixels
    except OrthancError as error:
        assert error.code in (2, 15)  # noqa: PT017 - either outcome is fine
    else:
        size = decoded.width * decoded.height * decoded.samples * decoded.bits // 8
        assert len(found) == size


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("mime", ["image/jpeg", "image/jpg", "IMAGE/JPEG"])
def test_jpeg(creator: Creator, mode: str, mime: str) -> None:
    jpeg = picture(mode, (17, 13), "JPEG")
    data_set = creator.create(content=data_uri(jpeg, mime))
    colour = mode == "RGB"
    assert description(data_set) == (13, 17, 3 if colour else 1, 8, 8, 7, 0, 0 if colour else None)
    assert text(data_set, 0x00280004) == ("RGB" if colour else "MONOCHROME2")
    assert pixels(data_set) == even(Image.open(io.BytesIO(jpeg)).tobytes())


def test_a_truncated_jpeg_is_filled_up() -> None:
    jpeg = picture("RGB", (200, 200), "JPEG")
    decoded = read_jpeg(jpeg[:5000])
    assert len(decoded.pixels) == 200 * 200 * 3
    assert decoded.pixels[:300] == read_jpeg(jpeg).pixels[:300]


@pytest.mark.parametrize(
    ("jpeg", "reason"),
    [
        (b"", "Empty input file"),
        (b"hello", "Not a JPEG file: starts with 0x68 0x65"),
        (picture("L"), "Not a JPEG file: starts with 0x89 0x50"),
        (b"\xff\xd8", "JPEG datastream contains no image"),
        (b"\xff\xd8\xff\xd9", "JPEG datastream contains no image"),
        (picture("RGB", (200, 200), "JPEG")[:300], "Invalid JPEG file structure: missing SOS marker"),
    ],
)
@pytest.mark.parametrize("encapsulate", [False, True])
def test_broken_jpeg(creator: Creator, jpeg: bytes, reason: str, encapsulate: bool) -> None:
    body = {"Tags": {}, "Content": data_uri(jpeg, "image/jpeg"), "Encapsulate": encapsulate}
    assert creator.refusal(body) == Refusal(500, -1, f"Error during JPEG decoding: {reason}")


def test_jpeg_of_four_colours(creator: Creator) -> None:
    body = {"Tags": {}, "Content": data_uri(picture("CMYK", form="JPEG"), "image/jpeg")}
    assert creator.refusal(body) == Refusal(500, 2)


@pytest.mark.parametrize(("mode", "photometric"), [("L", "MONOCHROME2"), ("RGB", "YBR_FULL_422")])
@pytest.mark.parametrize("progressive", [False, True])
def test_encapsulated_jpeg(creator: Creator, mode: str, photometric: str, progressive: bool) -> None:
    jpeg = picture(mode, (17, 13), "JPEG", progressive=progressive)
    file = creator.create_file(content=data_uri(jpeg, "image/jpeg"), Encapsulate=True)
    assert file.transfer_syntax == "1.2.840.10008.1.2.4.50"
    assert file.data_set[0x7FE00010] == ("OB", (bytes(4), even(jpeg)))
    assert text(file.data_set, 0x00280004) == photometric
    assert number(file.data_set, 0x00280006) == (0 if mode == "RGB" else None)
    assert 0x00282110 not in file.data_set


@pytest.mark.parametrize(("mime", "data"), [("image/png", picture("L")), ("image/jpg", picture("L", form="JPEG"))])
def test_only_jpeg_is_encapsulated(creator: Creator, mime: str, data: bytes) -> None:
    refusal = Refusal(500, 2, f"Cannot encapsulate pixel data from MIME type: {mime}")
    assert creator.refusal({"Tags": {}, "Content": data_uri(data, mime), "Encapsulate": True}) == refusal


PAM = "image/x-portable-arbitrarymap"


def test_portable_arbitrary_maps(creator: Creator) -> None:
    gray = creator.create(content=data_uri(pam(bytes(range(6))), PAM))
    assert description(gray) == (2, 3, 1, 8, 8, 7, 0, None)
    assert pixels(gray) == bytes(range(6))
    deep = creator.create(content=data_uri(pam(bytes(range(12)), maximum=65535), PAM))
    assert pixels(deep) == b"\1\0\3\2\5\4\7\6\x09\x08\x0b\x0a"
    colour = creator.create(content=data_uri(pam(bytes(range(18)), "RGB", 3), PAM))
    assert description(colour) == (2, 3, 3, 8, 8, 7, 0, 0)
    assert pixels(colour) == bytes(range(18))


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", Refusal(400, 15)),
        (b"P7\n", Refusal(400, 15)),
        (b"P5\n3 2\n255\n" + bytes(6), Refusal(400, 15)),
        (pam(bytes(5)), Refusal(400, 15)),
        (pam(bytes(7)), Refusal(400, 15)),
        (pam(bytes(6)).replace(b"WIDTH 3", b"WIDTH -3"), Refusal(400, 15)),
        (pam(bytes(6)).replace(b"WIDTH 3", b"WIDTH 99999999999"), Refusal(400, 15)),
        (pam(bytes(6)).replace(b"TUPLTYPE GRAYSCALE\n", b""), Refusal(400, 15)),
        (pam(bytes(36), "RGB", 3, 65535), Refusal(500, 2)),
        (pam(bytes(24), "RGB_ALPHA", 4), Refusal(500, 2)),
        (pam(bytes(6), "BLACKANDWHITE", 1, 1), Refusal(500, 2)),
        (pam(bytes(6), maximum=100), Refusal(500, 2)),
    ],
)
def test_other_maps(creator: Creator, data: bytes, refusal: Refusal) -> None:
    assert creator.refusal({"Tags": {}, "Content": data_uri(data, PAM)}) == refusal
