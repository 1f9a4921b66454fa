"""Named request bodies of the scenarios about pictures: gray levels, colours, windows of frames, runs."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from orthanc_lab.testing.scenarios.bodies.files import slice_of, written

RLE = "1.2.840.10008.1.2.5"
MR = "1.2.840.10008.5.1.4.1.1.4"
XA = "1.2.840.10008.5.1.4.1.1.12.1"
_NO_WINDOW: dict[str, Any] = {"WindowCenter": None, "WindowWidth": None}


def build() -> dict[str, bytes]:
    """Return every named body."""
    return _gray_levels() | _colours() | _frames() | _runs() | _odd_headers() | _unusual()


def gray(low: int, high: int, bits: int = 8, stored: int = 8, signed: int = 0, **tags: Any) -> Dataset:
    """Return a smooth CT image with the values from `low` to `high`."""
    size = 32
    values = np.linspace(low, high, size * size).round().astype(np.int64)
    picture = slice_of("G", "77", "1", 1, **_NO_WINDOW)
    picture.Rows = picture.Columns = size
    picture.BitsAllocated, picture.BitsStored, picture.HighBit = bits, stored, stored - 1
    picture.PixelRepresentation = signed
    picture["PixelData"].value = values.astype(f"<{'i' if signed else 'u'}{bits // 8}").tobytes()
    for name, value in tags.items():
        setattr(picture, name, value)
    return picture


def _gray_levels() -> dict[str, bytes]:
    table = Dataset()
    table.ModalityLUTType = "US"
    table.add_new(0x00283002, "US", [256, 0, 8])
    table.add_new(0x00283006, "US", list(range(255, -1, -1)))
    rescaled: dict[str, Any] = {"RescaleSlope": "2", "RescaleIntercept": "5"}
    limits: dict[str, Any] = {"SmallestImagePixelValue": 10, "LargestImagePixelValue": 100, "PixelPaddingValue": 10}
    pictures = {
        "full": gray(0, 255),
        "part": gray(10, 100, **limits),
        "from-zero": gray(0, 100, RescaleIntercept="2"),
        "rescaled": gray(10, 100, **rescaled),
        "stretched": gray(10, 100, RescaleSlope="4", RescaleIntercept="5"),
        "steep": gray(10, 100, RescaleSlope="1000", RescaleIntercept="0"),
        "flat": gray(0, 255, RescaleSlope="0.1", RescaleIntercept="0"),
        "falling": gray(10, 100, RescaleSlope="-1", RescaleIntercept="200"),
        "without-slope": gray(10, 100, RescaleSlope="0", RescaleIntercept="200"),
        "far": gray(10, 100, RescaleSlope="1", RescaleIntercept="-1024"),
        "signed": gray(-100, 100, signed=1),
        "signed-rescaled": gray(-100, 100, signed=1, **rescaled),
        "table": gray(10, 100, ModalityLUTSequence=[table]),
        "inverted": gray(10, 100, PhotometricInterpretation="MONOCHROME1"),
        "mr": gray(10, 100, SOPClassUID=MR),
        "mr-rescaled": gray(10, 100, SOPClassUID=MR, **rescaled),
        "mr-intercept": gray(10, 100, SOPClassUID=MR, RescaleIntercept="5"),
        "xa": gray(10, 100, SOPClassUID=XA),
        "xa-rescaled": gray(10, 100, SOPClassUID=XA, RescaleType="HU", **rescaled),
        "eight-of-sixteen": gray(10, 200, 16),
        "too-large-values": gray(10, 300, 16),
        "six-bits": gray(10, 60, 8, 6),
        "twelve-bits": gray(100, 900, 16, 12),
        "sixteen-bits": gray(100, 900, 16, 16),
        "ten-bits": gray(0, 1023, 16, 10),
        "ten-bits-signed": gray(-500, 500, 16, 10, 1),
        "twelve-bits-rescaled": gray(100, 900, 16, 12, RescaleSlope="1", RescaleIntercept="-1024"),
        "twelve-bits-full": gray(0, 4095, 16, 12, RescaleSlope="1", RescaleIntercept="-1024"),
        "twelve-bits-signed": gray(-1000, 2047, 16, 12, 1),
        "twelve-bits-steep": gray(100, 900, 16, 12, RescaleSlope="8", RescaleIntercept="3"),
        "huge": gray(10, 100, RescaleSlope="1", RescaleIntercept="12345678"),
        "nothing": gray(10, 100, RescaleSlope="0.001", RescaleIntercept="0"),
    }
    pictures |= _windows(rescaled)
    two = gray(10, 100)
    two.NumberOfFrames = 2
    two["PixelData"].value = two.PixelData + gray(5, 60).PixelData
    noise = gray(0, 255, Rows=6, Columns=6)
    noise["PixelData"].value = np.random.default_rng(1).integers(0, 256, 36, np.uint8).tobytes()
    pictures |= {"two": two, "noise": noise}
    return {f"gray-{name}": written(picture) for name, picture in pictures.items()}


def _windows(rescaled: dict[str, Any]) -> dict[str, Dataset]:
    """Return images whose windows have to fit other values."""
    table = Dataset()
    window: dict[str, Any] = {"WindowCenter": "40", "WindowWidth": "80"}
    table.add_new(0x00283002, "US", [256, 0, 8])
    table.add_new(0x00283006, "US", list(range(256)))
    two: dict[str, Any] = {"WindowCenter": ["40", "50.5"], "WindowWidth": ["80", "91.123456789"]}
    pictures = {
        "ct": gray(6, 100, VOILUTSequence=[table], **window),
        "mr": gray(6, 100, SOPClassUID=MR, VOILUTSequence=[table], **window),
        "from-zero": gray(0, 100, SOPClassUID=MR, VOILUTSequence=[table], **window),
        "xa": gray(6, 100, SOPClassUID=XA, **window),
        "rescaled": gray(6, 100, SOPClassUID=MR, **rescaled, **window),
        "steep": gray(10, 100, SOPClassUID=MR, RescaleSlope="4", RescaleIntercept="5", **window),
        "explained": gray(6, 100, SOPClassUID=MR, WindowCenterWidthExplanation="mine", **window),
        "two": gray(6, 100, SOPClassUID=MR, **two),
        "unequal": gray(6, 100, SOPClassUID=MR, WindowCenter=["40", "50"], WindowWidth="80"),
        "half": gray(6, 100, SOPClassUID=MR, WindowCenter="40"),
        "empty": gray(6, 100, SOPClassUID=MR, WindowCenter="", WindowWidth=""),
        "twelve-bits": gray(100, 900, 16, 12, SOPClassUID=MR, **window),
        "twelve-bits-steep": gray(100, 900, 16, 12, SOPClassUID=MR, RescaleSlope="8", RescaleIntercept="3", **window),
        "palette": gray(6, 100, SOPClassUID=MR),
    }
    for tag in (0x00281101, 0x00281102, 0x00281103):
        pictures["palette"].add_new(tag, "US", [0, 0, 16])
    return {f"window-{name}": picture for name, picture in pictures.items()}


def _colours() -> dict[str, bytes]:
    rows, columns = 20, 24
    y, x = np.mgrid[:rows, :columns]
    planes = np.stack([60 + y * 7, 90 + x * 3, 180 - y * 2 - x]).astype(np.uint8)
    found = {}
    for photometric in ("RGB", "YBR_FULL"):
        for planar in (0, 1):
            name = f"{photometric.lower().replace('_', '-')}-{'planes' if planar else 'pixels'}"
            pixels = planes if planar else np.moveaxis(planes, 0, -1)
            picture = _colour(np.ascontiguousarray(pixels), rows, columns, photometric, planar)
            found[f"native-{name}"] = written(picture)
            found[f"runs-{name}"] = _as_runs(picture, planes[None])
    halved = np.empty((rows, columns // 2, 4), np.uint8)
    halved[..., :2] = planes[0].reshape(rows, -1, 2)
    halved[..., 2], halved[..., 3] = planes[1][:, ::2], planes[2][:, ::2]
    found["native-ybr-422"] = written(_colour(halved, rows, columns, "YBR_FULL_422", 0))
    return found


def _colour(pixels: NDArray[Any], rows: int, columns: int, photometric: str, planar: int) -> Dataset:
    picture = slice_of("C", "78", "1", 1, **_NO_WINDOW)
    picture.Rows, picture.Columns, picture.SamplesPerPixel = rows, columns, 3
    picture.PhotometricInterpretation, picture.PlanarConfiguration = photometric, planar
    picture.BitsAllocated, picture.BitsStored, picture.HighBit = 8, 8, 7
    picture["PixelData"].value = pixels.tobytes()
    return picture


def _as_runs(picture: Dataset, frames: NDArray[Any]) -> bytes:
    """Return a file in RLE; the planes of each frame are written as literal runs."""
    items = b"".join(_item(_rle_frame([plane.tobytes() for plane in planes])) for planes in frames)
    # pydicom would write the offset table and the colours in its own way.
    picture["PixelData"].value = _item(b"") + items
    picture["PixelData"].VR = "OB"
    picture["PixelData"].is_undefined_length = True
    return written(picture, RLE)


def _item(data: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(data)) + data


def _rle_frame(planes: list[bytes]) -> bytes:
    segments = []
    for plane in planes:
        pieces = (plane[start : start + 128] for start in range(0, len(plane), 128))
        segment = b"".join(bytes((len(piece) - 1,)) + piece for piece in pieces)
        segments.append(segment + b"\0" * (len(segment) % 2))
    offsets = [64 + sum(map(len, segments[:index])) for index in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def _frames() -> dict[str, bytes]:
    windows = [("300", "600"), ("800\\40", "100\\50"), ("1000", "1000")]
    pictures = {
        "windows": _multi_frame([_group(window=window) for window in windows], **_NO_WINDOW),
        "windows-and-own": _multi_frame([_group(window=window) for window in windows]),
        "window-missing": _multi_frame([_group(window=windows[0]), Dataset(), _group(window=("5", ""))], **_NO_WINDOW),
        "half-a-window": _multi_frame([_group(window=windows[0])] * 3, WindowCenter="50", WindowWidth=None),
        "rescales": _multi_frame(
            [_group(windows[0], ("2", "-100")), _group(windows[0], ("0.5", "50")), _group(None, ("3", "0"))],
            **_NO_WINDOW,
        ),
        "rescales-and-own": _multi_frame(
            [_group(windows[0], ("2", "-100"))] * 3, RescaleSlope="3", RescaleIntercept="10", **_NO_WINDOW
        ),
    }
    shared = _multi_frame([], **_NO_WINDOW)
    shared.SharedFunctionalGroupsSequence = [_group(windows[0], ("2", "-100"))]
    found = {f"frame-{name}": written(picture) for name, picture in (pictures | {"shared": shared}).items()}
    implicit = _multi_frame([_group(window=window) for window in windows], **_NO_WINDOW)
    return found | {"frame-windows-implicit": written(implicit, "1.2.840.10008.1.2")}


def _multi_frame(groups: list[Dataset], **tags: Any) -> Dataset:
    picture = slice_of("E", "79", "1", 1, **tags)
    picture.NumberOfFrames = 3
    picture["PixelData"].value = (np.arange(48, dtype="<u2") * 30).tobytes()
    picture.PerFrameFunctionalGroupsSequence = groups
    return picture


def _group(window: tuple[str, str] | None = None, rescale: tuple[str, str] | None = None) -> Dataset:
    group, voi, values = Dataset(), Dataset(), Dataset()
    if window is not None:
        voi.WindowCenter, voi.WindowWidth = window
        group.FrameVOILUTSequence = [voi]
    if rescale is not None:
        values.RescaleSlope, values.RescaleIntercept = rescale
        group.PixelValueTransformationSequence = [values]
    return group


def _runs() -> dict[str, bytes]:
    """Return files whose samples are runs of differences in private elements of ELSCINT."""
    rows, columns = 6, 9
    steps = np.random.default_rng(1).integers(-40, 60, rows * columns)
    samples = np.cumsum(steps).clip(0, 4095)
    samples[0], samples[20:26], samples[30] = 90, 700, 4000
    data = _differences(samples.tolist())
    found = {}
    for name, value in {"whole": data, "short": data[:20], "longer": data + b"\1\2\3\4", "none": b""}.items():
        picture = slice_of("L", "80", "1", 1)
        del picture.PixelData
        picture.Rows, picture.Columns = rows, columns
        picture.add_new(0x07A10010, "LO", "ELSCINT1")
        picture.add_new(0x07A1100A, "OB", value)
        picture.add_new(0x07A11011, "CS", "PMSCT_RLE1")
        found[f"elscint-{name}"] = written(picture)
    picture[0x07A1, 0x100A].value, picture[0x07A1, 0x1011].value = data, "PMSCT_RGB1"
    return found | {"elscint-other": written(picture)}


def _differences(samples: list[int]) -> bytes:
    steps = bytearray()
    last = 0
    for sample in samples:
        step = sample - last
        steps += bytes((step & 0xFF,)) if -128 <= step <= 127 and step != 0x5A else struct.pack("<BH", 0x5A, sample)
        last = sample
    runs = bytearray()
    position = 0
    while position < len(steps):
        value = steps[position]
        count = next((i for i in range(1, 257) if steps[position + i : position + i + 1] != bytes((value,))), 256)
        runs += bytes((0xA5, count - 1, value)) if count > 3 or value == 0xA5 else bytes((value,)) * count
        position += count
    return bytes(runs) + b"\0" * (len(runs) % 2)


def _odd_headers() -> dict[str, bytes]:
    """Return files with retired group lengths, without a meta header, and without pixels."""
    picture = slice_of("H", "81", "1", 1)
    explicit, implicit = written(picture), written(picture, "1.2.840.10008.1.2")
    for first in (0x00080005, 0x00100010, 0x00280002, 0x7FE00010):  # pydicom would leave group lengths out
        tag, length = struct.pack("<HH", first >> 16, first & 0xFFFF), struct.pack("<HH", first >> 16, 0)
        before, found, after = explicit.rpartition(tag)
        explicit = before + length + b"UL\4\0\x0f\x27\0\0" + found + after
        before, found, after = implicit.rpartition(tag)
        implicit = before + length + b"\4\0\0\0\x0f\x27\0\0" + found + after
    empty = {f"without-{side.lower()}": written(gray(0, 255, **{side: 0})) for side in ("Rows", "Columns")}
    return {
        **empty,
        "group-lengths": explicit,
        "group-lengths-implicit": implicit,
        "bare-implicit": _without_meta(2, implicit=True),
        "bare-explicit": _without_meta(3, implicit=False),
    }


def _unusual() -> dict[str, bytes]:
    """Return images that the real server does not decode, or decodes to other pixels than are stored."""
    values = np.arange(30, dtype=np.uint8)
    deep = np.arange(90, dtype="<u2").tobytes()
    sized: dict[str, Any] = {"Rows": 5, "Columns": 6}
    rgb: dict[str, Any] = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0, **sized}
    pictures = {
        "bits": (gray(0, 1, 8, 1, BitsAllocated=1, **sized), np.packbits(values % 3 == 0, bitorder="little").tobytes()),
        "eight-of-sixteen": (gray(0, 255, 16, 8, **sized), (values * 8).astype("<u2").tobytes()),
        "palette": (gray(0, 7, 8, 4, PhotometricInterpretation="PALETTE COLOR", **sized), (values % 8).tobytes()),
        "deep-rgb": (gray(0, 255, 16, 16, **rgb), deep),
        "rgb": (gray(0, 255, **rgb), deep[::2]),
        "24-of-32": (gray(0, 255, 32, 24, **sized), values.astype("<u4").tobytes()),
        "argb": (gray(0, 255, **rgb | {"SamplesPerPixel": 4, "PhotometricInterpretation": "ARGB"}), bytes(120)),
        "hsv": (gray(0, 255, **rgb | {"PhotometricInterpretation": "HSV"}), deep[::2]),
        "no-planes": (gray(0, 255, **rgb), deep[::2]),
        "no-colour": (gray(0, 255, **sized), values.tobytes()),
        "unknown-vr": (gray(0, 255, **sized), values.tobytes()),
        "none": (gray(0, 255, NumberOfFrames=0, **sized), values.tobytes()),
    }
    for number, colour in enumerate(("Red", "Green", "Blue")):
        picture = pictures["palette"][0]
        setattr(picture, f"{colour}PaletteColorLookupTableDescriptor", [8, 0, 16])
        picture.add_new(0x00281201 + number, "OW", np.arange(8, dtype="<u2").tobytes())
    del pictures["no-planes"][0].PlanarConfiguration
    del pictures["no-colour"][0].PhotometricInterpretation
    for picture, pixels in pictures.values():
        picture["PixelData"].value = pixels
    pictures["unknown-vr"][0]["PixelData"].VR = "UN"
    return {f"unusual-{name}": written(picture) for name, (picture, _) in pictures.items()}


def _without_meta(number: int, *, implicit: bool) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, slice_of("H", "81", "2", number), implicit_vr=implicit, little_endian=True)
    return buffer.getvalue()
