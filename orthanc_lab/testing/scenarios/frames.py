"""Frames of an instance as images and as bytes."""

from orthanc_lab.testing.scenario import Scenario

IMAGES = ("preview", "rendered", "image-uint8", "image-uint16", "image-int16")
SOURCES = ("a1", "ct", "mr", "mr-big", "mr-implicit", "rgb", "ybr", "palette", "jpeg-rgb", "dose", "deflated")
UNDECODABLE = ("plan", "report", "structures", "jpeg2000", "mr-rle", "jpeg-12")

ROUTES = """
GET /instances/{a1}/frames
GET /instances/{a1}/frames/0
GET /instances/{a1}/frames/7
GET /instances/{a1}/frames/x
GET /instances/{a1}/frames/0/raw
GET /instances/{a1}/frames/0/raw.gz
GET /instances/{a1}/frames/0/numpy
GET /instances/{a1}/numpy
GET /instances/{a1}/numpy?rescale=true
GET /instances/{a1}/numpy?rescale=x&compress=y
GET /series/{series}/numpy?rescale=x&compress=y
GET /instances/{a1}/rendered?quality=x&width=y
GET /instances/{a1}/rendered?quality=x
GET /instances/{a1}/numpy?compress=true&rescale=false
GET /instances/{a1}/numpy?rescale=maybe
GET /instances/{a1}/frames/0/matlab
GET /instances/{a1}/matlab
GET /instances/{a1}/frames/1/preview
GET /instances/{a1}/frames/1/rendered
GET /instances/{a1}/frames/1/image-uint8
GET /instances/{a1}/frames/1/raw
GET /instances/{a1}/frames/1/raw.gz
GET /instances/{a1}/frames/1/numpy
GET /instances/{a1}/frames/1/matlab
GET /instances/{a1}/frames/x/preview
GET /instances/{a1}/frames/x/raw
GET /instances/{a1}/frames/x/numpy
GET /instances/{a1}/frames/-1/preview
GET /instances/nope/preview
GET /instances/nope/rendered
GET /instances/nope/image-uint8
GET /instances/nope/frames
GET /instances/nope/frames/0
GET /instances/nope/frames/0/raw
GET /instances/nope/frames/0/numpy
GET /instances/nope/numpy
GET /instances/nope/matlab
GET /series/nope/numpy
GET /series/{series}/numpy
GET /instances/{a1}/preview?returnUnsupportedImage
GET /instances/{a1}/preview [Accept: image/jpeg]
GET /instances/{a1}/preview [Accept: image/x-portable-arbitrarymap]
GET /instances/{a1}/preview [Accept: image/png, image/jpeg;q=0.5]
GET /instances/{a1}/preview [Accept: text/html]
GET /instances/{a1}/preview [Accept: image/*]
GET /instances/{a1}/preview?quality=50 [Accept: image/jpeg]
GET /instances/{a1}/preview?quality=0 [Accept: image/jpeg]
GET /instances/{a1}/preview?quality=x [Accept: image/jpeg]
GET /instances/{a1}/rendered [Accept: image/jpeg]
GET /instances/{a1}/rendered?width=8
GET /instances/{a1}/rendered?height=8
GET /instances/{a1}/rendered?width=8&height=8
GET /instances/{a1}/rendered?width=8&height=8&smooth=false
GET /instances/{a1}/rendered?window-center=5&window-width=10
GET /instances/{a1}/rendered?window-center=x
GET /instances/{a1}/rendered?width=x
GET /instances/{a1}/rendered?smooth=maybe
"""


def _sources() -> str:
    lines = []
    for name in SOURCES:
        lines.append(f"{name} = POST /instances @{name}")
        lines.append(f"GET /instances/{{{name}}}/frames")
        lines += [f"GET /instances/{{{name}}}/{image}" for image in IMAGES]
        lines += [f"GET /instances/{{{name}}}/frames/0/raw", f"GET /instances/{{{name}}}/numpy"]
    return "\n".join(lines)


def _undecodable() -> str:
    lines = []
    for name in UNDECODABLE:
        lines.append(f"{name} = POST /instances @{name}")
        lines += [f"GET /instances/{{{name}}}/{route}" for route in ("frames", "preview", "rendered", "image-uint8")]
        lines += [f"GET /instances/{{{name}}}/frames/0/{route}" for route in ("raw", "numpy", "matlab")]
    return "\n".join(lines)


_QUALITIES = ("0", "1", "1.0001", "2", "-0.1", "x", "", "nan")
_ACCEPTED = ("image/png;q={}", "image/jpeg;q={}, image/png;q=0.7", "text/plain;q={}, image/png", "*/*; q={}")


def _accepts() -> str:
    lines = [
        f"GET /instances/{{a1}}/{route} [Accept: {accepted.format(quality)}]"
        for route in ("preview", "image-int16", "rendered?smooth=2.5", "rendered?width=x")
        for accepted in _ACCEPTED
        for quality in _QUALITIES
    ]
    wrong = ("smooth=2.5", "quality=x", "width=x", "quality=x&width=y")
    return "\n".join([*lines, *(f"GET /instances/{{a1}}/rendered?{text} [Accept: text/plain]" for text in wrong)])


SCENARIOS = [
    Scenario("frames-accepts", _accepts(), "a1 = POST /instances @a1"),
    Scenario("frames-routes", ROUTES, "a1, series:ParentSeries = POST /instances @a1\nPOST /instances @a2"),
    Scenario("frames-images", _sources()),
    Scenario("frames-undecodable", _undecodable()),
    Scenario(
        "frames-two",
        """
        two = POST /instances @two-frames
        dose = POST /instances @dose
        GET /instances/{two}/frames
        GET /instances/{dose}/frames
        GET /instances/{dose}/frames/1/preview
        GET /instances/{dose}/frames/14/image-uint8
        GET /instances/{dose}/frames/15/image-uint8
        GET /instances/{dose}/frames/3/raw
        GET /instances/{dose}/frames/3/raw.gz
        GET /instances/{dose}/frames/3/numpy
        """,
    ),
]
