"""``/frames`` and its kin: raw bytes, pictures in their formats, arrays, errors."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.dicom.build import file_of, image_of, real_file, us
from tests.rest.checks import error_of, is_empty
from tests.rest.conftest import Rest

PARTS = ["image-int16", "image-uint16", "image-uint8", "matlab", "numpy", "preview", "raw", "raw.gz", "rendered"]
PICTURES = ["preview", "rendered", "image-uint8", "image-uint16", "image-int16"]
GRAY = bytes(range(0, 240, 10))  # 6 x 4


@pytest.fixture(scope="module")
def gray(library: Rest) -> str:
    return library.upload(file_of(image_of(GRAY, 6, 4)))["ID"]


@pytest.fixture(scope="module")
def plan(library: Rest) -> str:
    return library.upload(real_file("rtplan.dcm"))["ID"]


def picture(content: bytes) -> Any:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def test_list_and_parts(library: Rest, gray: str) -> None:
    assert library.json(f"/instances/{gray}/frames") == [0]
    for path in (f"/instances/{gray}/frames/0", f"/instances/{gray}/frames/x", "/instances/nope/frames/0"):
        assert library.json(path) == PARTS


def test_raw(library: Rest, gray: str) -> None:
    answer = library("GET", f"/instances/{gray}/frames/0/raw")
    assert (answer.content, answer.headers["Content-Type"]) == (GRAY, "application/octet-stream")
    answer = library("GET", f"/instances/{gray}/frames/0/raw.gz")
    assert (gzip.decompress(answer.content), answer.headers["Content-Type"]) == (GRAY, "application/gzip")
    jpeg = library.upload(real_file("examples_ybr_color.dcm"))["ID"]
    answer = library("GET", f"/instances/{jpeg}/frames/29/raw")
    assert (answer.content[:2], answer.headers["Content-Type"]) == (b"\xff\xd8", "image/jpeg")


@pytest.mark.parametrize("where", ["", "/frames/0", "/frames/%2B0"])
@pytest.mark.parametrize("name", PICTURES)
def test_pictures(library: Rest, gray: str, where: str, name: str) -> None:
    answer = library("GET", f"/instances/{gray}{where}/{name}")
    assert answer.headers["Content-Type"] == "image/png"
    pixels = picture(answer.content)
    assert (pixels.shape, pixels.ravel()[0], pixels.dtype) == ((4, 6), 0, "uint8" if name[-1] in "wd8" else "uint16")
    assert pixels.ravel()[-1] == {"preview": 255, "rendered": 229}.get(name, 230)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("image/jpeg", "image/jpeg"),
        ("image/x-portable-arbitrarymap", "image/x-portable-arbitrarymap"),
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("image/jpeg;q=0.5,image/png", "image/png"),
        ("image/gif,image/jpeg;q=0.9,*/*;q=0.1", "image/jpeg"),
        ("image/png;foo=bar", "image/png"),
    ],
)
def test_formats(library: Rest, gray: str, accept: str, media_type: str) -> None:
    answer = library("GET", f"/instances/{gray}/preview", Accept=accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
    if media_type == "image/x-portable-arbitrarymap":
        assert answer.content.startswith(b"P7\nWIDTH 6\nHEIGHT 4\n")
    else:
        assert picture(answer.content).shape == (4, 6)


@pytest.mark.parametrize(
    ("name", "accept"), [("preview", "image/gif"), ("preview", "text/html"), ("image-int16", "image/jpeg")]
)
def test_formats_that_are_not_there(library: Rest, gray: str, name: str, accept: str) -> None:
    assert is_empty(library("GET", f"/instances/{gray}/{name}", Accept=accept), 404)


@pytest.mark.parametrize("side", [0x00280010, 0x00280011])
def test_pictures_without_pixels(rest: Rest, side: int) -> None:
    id = rest.upload(file_of(image_of(GRAY, 6, 4) | {side: us(0)}))["ID"]
    for name in ("preview", "rendered", "image-uint8"):
        for kind in ("image/png", "image/jpeg"):
            assert is_empty(rest("GET", f"/instances/{id}/{name}", Accept=kind), 415)


def test_a_jpeg_has_at_most_65500_pixels_in_a_row(rest: Rest) -> None:
    id = rest.upload(file_of(image_of(bytes(1000), 1000, 1)))["ID"]
    statuses = [
        rest("GET", f"/instances/{id}/rendered?width={width}", Accept="image/jpeg").status_code
        for width in (65500, 65501)
    ]
    assert statuses == [200, 415]


def test_a_format_that_is_not_there_comes_before_a_conversion_that_is_not(rest: Rest) -> None:
    id = rest.upload(file_of(image_of(bytes(72), 6, 4, samples=3, photometric="RGB")))["ID"]
    assert is_empty(rest("GET", f"/instances/{id}/image-uint16", Accept="image/jpeg"), 404)
    assert is_empty(rest("GET", f"/instances/{id}/image-uint16"), 415)


def test_windows_and_sizes(library: Rest, gray: str) -> None:
    path = f"/instances/{gray}/rendered"
    windowed = picture(library("GET", f"{path}?window-center=100&window-width=100").content)
    assert (windowed.min(), windowed.max(), windowed.ravel()[10]) == (0, 255, 127)
    assert picture(library("GET", f"{path}?width=3").content).shape == (2, 3)
    assert picture(library("GET", f"{path}?width=60&height=20&smooth=1").content).shape == (20, 30)


@pytest.mark.parametrize("query", ["window-center=abc", "window-width=", "width=abc", "height=-1"])
def test_arguments_of_rendered_that_are_no_numbers(library: Rest, gray: str, query: str) -> None:
    assert is_empty(library("GET", f"/instances/{gray}/rendered?{query}"), 404)


@pytest.mark.parametrize(
    "route",
    ["preview?quality=0", "preview?quality=101", "preview?quality=x", "rendered?smooth=x", "rendered?width=4000000000"],
)
def test_pictures_that_cannot_be_made(library: Rest, gray: str, route: str) -> None:
    assert is_empty(library("GET", f"/instances/{gray}/{route}"), 415)


@pytest.mark.parametrize("name", PICTURES)
def test_frames_that_are_not_there(library: Rest, gray: str, plan: str, name: str) -> None:
    for path in (f"{gray}/frames/1", f"{gray}/frames/-1", plan):
        assert is_empty(library("GET", f"/instances/{path}/{name}"), 415)
    for path in (f"{gray}/frames/x", f"{gray}/frames/99999999999", "nope", "nope/frames/0"):
        assert is_empty(library("GET", f"/instances/{path}/{name}"), 404)


def test_a_placeholder_for_what_is_no_image(library: Rest, plan: str) -> None:
    answer = library("GET", f"/instances/{plan}/preview?returnUnsupportedImage")
    assert (answer.status_code, answer.headers["Location"]) == (307, "../../app/images/unsupported.png")
    answer = library("GET", f"/instances/{plan}/frames/0/rendered?returnUnsupportedImage=1")
    assert answer.headers["Location"] == "../../../../app/images/unsupported.png"
    assert is_empty(library("GET", f"/instances/{plan}/preview?returnUnsupportedImage=0"), 415)
    assert picture(library("GET", "/app/images/unsupported.png").content).shape == (256, 256)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("<gray>/frames/1/raw", (400, 3, "")),
        ("<gray>/frames/1/raw.gz", (400, 3, "")),
        ("<gray>/frames/1/numpy", (400, 3, "")),
        ("<gray>/frames/x/numpy", (400, 3, 'Expected an unsigned integer for the "frame" argument')),
        ("<gray>/frames/1/matlab", (500, 2, "Cannot decode DICOM instance with ID: <gray>")),
        ("<gray>/numpy?rescale=x", (400, 3, 'Expected a Boolean for GET argument "rescale", found: x')),
        ("<plan>/frames/0/raw", (500, 2, "")),
        ("<plan>/numpy", (500, 2, "")),
        ("<plan>/matlab", (500, 2, "Cannot decode DICOM instance with ID: <plan>")),
        ("nope/frames", (404, 17, "")),
        ("nope/frames/0/raw", (404, 17, "")),
        ("nope/numpy", (404, 17, "")),
        ("nope/matlab", (404, 17, "")),
    ],
)
def test_errors(library: Rest, gray: str, plan: str, path: str, error: tuple[int, int, str]) -> None:
    names = {"<gray>": gray, "<plan>": plan}
    for name, id in names.items():
        path, error = path.replace(name, id), (*error[:2], error[2].replace(name, id))
    assert error_of(library("GET", f"/instances/{path}")) == error


def test_numbers(library: Rest, gray: str) -> None:
    whole = np.load(io.BytesIO(library("GET", f"/instances/{gray}/numpy").content))
    assert (whole.shape, whole.dtype) == ((1, 4, 6, 1), "float32")
    frame = np.load(io.BytesIO(library("GET", f"/instances/{gray}/frames/0/numpy?rescale=false").content))
    assert (frame.shape, frame.tobytes()) == ((4, 6, 1), GRAY)
    assert (
        library("GET", f"/instances/{gray}/frames/+0/numpy?rescale=false").content[-frame.nbytes :] == frame.tobytes()
    )
    packed = np.load(io.BytesIO(library("GET", f"/instances/{gray}/numpy?compress").content))
    assert np.array_equal(packed["arr_0"], whole)
    answer = library("GET", f"/instances/{gray}/matlab")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.text.startswith("double([ 0 10 20 30 40 50 ; 60 70")


def test_a_series_as_numbers(rest: Rest) -> None:
    for number, level in ((2, 5), (1, 7)):
        elements = {**image_of(bytes([level] * 4), 2, 2), 0x00200013: ("IS", str(number).encode())}
        series = rest.upload(file_of({**elements, 0x00080018: ("UI", b"1.2.9.%d" % number)}))["ParentSeries"]
    frames = np.load(io.BytesIO(rest("GET", f"/series/{series}/numpy").content))
    assert frames[:, 0, 0, 0].tolist() == [7, 5]
    wider = {**image_of(bytes(6), 3, 2), 0x00200013: ("IS", b"3 "), 0x00080018: ("UI", b"1.2.9.3")}
    rest.upload(file_of(wider))
    details = "The size of the frames varies across the instance(s)"
    assert error_of(rest("GET", f"/series/{series}/numpy")) == (500, 24, details)


@pytest.mark.parametrize("frames", ["2000000000", "abc", "-1"])
def test_a_number_of_frames_that_lies(rest: Rest, frames: str) -> None:
    path = f"/instances/{rest.upload(file_of(image_of(bytes(4), 2, 2, frames=frames)))['ID']}"
    assert error_of(rest("GET", f"{path}/frames"))[:2] == (400, 15)
    assert error_of(rest("GET", f"{path}/frames/0/raw"))[:2] == (400, 15)
    assert error_of(rest("GET", f"{path}/numpy"))[:2] == (400, 15)
    for name in PICTURES:
        assert is_empty(rest("GET", f"{path}/{name}"), 415)


def test_many_frames_of_nothing(rest: Rest) -> None:
    path = f"/instances/{rest.upload(file_of(image_of(b'', 0, 0, frames=200_000)))['ID']}"
    assert len(rest.json(f"{path}/frames")) == 200_000
    assert error_of(rest("GET", f"{path}/numpy"))[:2] == (500, 24)
    assert is_empty(rest("GET", f"{path}/preview"), 415)


@pytest.mark.parametrize("options", [{"BuiltinDecoderTranscoderOrder": "Disabled"}])
def test_without_a_decoder(rest: Rest) -> None:
    stored = rest.upload(file_of(image_of(GRAY, 6, 4)))
    path = f"/instances/{stored['ID']}"
    for name in PICTURES:
        assert is_empty(rest("GET", f"{path}/{name}"), 415)
    details = f"Cannot decode DICOM instance with ID: {stored['ID']}"
    assert error_of(rest("GET", f"{path}/matlab")) == (500, 2, details)
    assert rest("GET", f"{path}/numpy").status_code == 200
    for syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"):
        assert is_empty(rest("GET", f"{path}/file?transcode={syntax}"), 404)
    archive = rest("GET", f"/series/{stored['ParentSeries']}/archive?transcode=1.2.840.10008.1.2")
    assert archive.status_code == 200
