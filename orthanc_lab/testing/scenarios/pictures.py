"""Pictures of frames: windows, sizes, formats, and pixel data that are stored in unusual ways."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.bodies import pictures

_PICTURES = ("preview", "rendered", "image-uint8", "image-uint16", "image-int16")
_ARRAYS = ("numpy", "numpy?rescale=false", "matlab")
_ACCEPTED = (
    "text/plain", "text/plain, image/png", "image/png;q=0", "*/*;q=0", "image/*", "text/*, */*;q=0.1", "image/gif",
    "IMAGE/PNG", "image/png;q=0.1,image/jpeg;q=0.9", "image/jpeg;q=x", "garbage", "/",
)  # fmt: skip
_SIZES = ("0", "1", "3", "300", "-1", "-0", "+8", "x", "", "%208", "8x", "8.0", "1e1", "4294967296", "00008")
_NUMBERS = ("0", "x", "", "nan", "inf", "-inf", "1e400", "-5", "%205", "5x", "1e2", "+5", ".5", "5.", "1,5", "1_0")
_QUALITIES = ("0", "1", "101", "x", "", "50.5", "%2050", "050", "+50", "-0")


def _each(bodies: dict[str, bytes], prefix: str, routes: tuple[str, ...]) -> str:
    """Return lines that ask for each route of each body with this prefix; they share a SOP instance."""
    lines = []
    for name in bodies:
        if name.startswith(prefix):
            lines.append(f"{name} = POST /instances @{name}")
            lines += [f"GET /instances/{{{name}}}/{route}" for route in routes]
            lines.append(f"DELETE /instances/{{{name}}}")
    return "\n".join(lines)


def _empty() -> str:
    """Return lines that ask for pictures without pixels in every format."""
    lines = []
    for name in ("without-rows", "without-columns"):
        lines.append(f"{name} = POST /instances @{name}")
        for accept in ("image/png", "image/jpeg", "image/x-portable-arbitrarymap"):
            lines += [f"GET /instances/{{{name}}}/{kind} [Accept: {accept}]" for kind in _PICTURES]
        lines.append(f"DELETE /instances/{{{name}}}")
    return "\n".join(lines)


def _formats() -> str:
    lines = [f"GET /instances/{{a1}}/{kind} [Accept: {accept}]" for kind in _PICTURES for accept in _ACCEPTED]
    lines += [f"GET /instances/{{a1}}/{kind}?quality={text}" for kind in _PICTURES for text in _QUALITIES]
    lines += [f"GET /instances/{{a1}}/image-uint16?quality={text} [Accept: image/jpeg]" for text in _QUALITIES]
    for kind in _PICTURES:
        for accept in ("text/plain", "image/gif"):
            lines += [f"GET /instances/{where}/{kind} [Accept: {accept}]" for where in ("{plan}", "{a1}/frames/9")]
            lines += [f"GET /instances/{where}/{kind} [Accept: {accept}]" for where in ("nope", "{a1}/frames/x")]
    lines += [f"GET /instances/{{a1}}/file [Accept: {accept}]" for accept in ("application/dicom;q=x", "text/plain")]
    return "\n".join([*lines, "GET /instances/{a1}/file [Accept: application/dicom+json;q=1,image/png;q=x]"])


def _sizes() -> str:
    lines = []
    for text in _SIZES:
        lines += [f"GET /instances/{{a1}}/rendered?{side}={text}" for side in ("width", "height")]
        lines += [f"GET /instances/{{{body}}}/rendered?width={text}" for body in ("mr", "plan")]
        lines.append(f"GET /instances/{{a1}}/rendered?width={text}&height=8&returnUnsupportedImage")
    for size in (1, 2, 9, 13, 29, 39, 53, 63, 65, 100):
        for body in ("mr", "rgb"):
            lines += [f"GET /instances/{{{body}}}/rendered?{side}={size}&smooth=1" for side in ("width", "height")]
            lines.append(f"GET /instances/{{{body}}}/rendered?width={size}")
    for name in ("window-center", "window-width"):
        lines += [f"GET /instances/{{a1}}/rendered?{name}={text}" for text in _NUMBERS]
    lines += [f"GET /instances/{{a1}}/rendered?smooth={text}&width=3" for text in ("0", "1", "true", "True", "", "2")]
    return "\n".join(lines)


_BODIES = pictures.build()
_UNUSUAL = (
    *_PICTURES, *_ARRAYS, "rendered?width=3", "image-uint16 [Accept: image/jpeg]",
    "frames/0/raw", *(f"file?transcode=1.2.840.10008.1.2{syntax}" for syntax in (".2", ".4.50", ".4.70")),
)  # fmt: skip
_FRAMES = tuple(f"frames/{number}/rendered" for number in (0, 1, 2))
_WINDOW = ("frames/1/rendered?window-center=50", "frames/1/rendered?window-width=50")

SCENARIOS = [
    Scenario("pictures-formats", _formats(), "a1 = POST /instances @a1\nplan = POST /instances @plan"),
    Scenario(
        "pictures-sizes",
        _sizes(),
        "a1 = POST /instances @a1\nplan = POST /instances @plan\nmr = POST /instances @mr\nrgb = POST /instances @rgb",
    ),
    Scenario(
        "pictures-frames",
        _each(_BODIES, "frame-", ("rendered", *_FRAMES, *_WINDOW, "frames/1/preview", *_ARRAYS, "frames/1/numpy")),
    ),
    Scenario("pictures-empty", _empty()),
    Scenario("pictures-unusual", "GENERATES\n" + _each(_BODIES, "unusual-", _UNUSUAL)),
    Scenario("pictures-colours", _each(_BODIES, "native-", (*_PICTURES, "frames/0/raw", "numpy"))),
    Scenario("pictures-runs", _each(_BODIES, "runs-", (*_PICTURES, "frames/0/raw", "numpy", "matlab"))),
    Scenario(
        "pictures-elscint",
        _each(_BODIES, "elscint-", (*_PICTURES, "frames", "frames/0/raw", "frames/0/raw.gz", "frames/1/raw", *_ARRAYS)),
    ),
]
