"""Hostile inputs: what a broken or malicious client may send."""

import base64
import gzip
import io
import json
import zipfile
import zlib
from pathlib import Path

from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from orthanc_lab import samples
from orthanc_lab.testing.contracts.dicom_files import dicom, element, meta_header
from tests.create.pictures import header, png_of

NAMES = [
    "CT_small.dcm",
    "MR_small_bigendian.dcm",
    "rtplan.dcm",
    "JPEG-lossy.dcm",
    "nested_priv_SQ.dcm",
    "image_dfl.dcm",
]
FILES = [Path(get_testdata_file(name, download=False)).read_bytes()[:12_000] for name in NAMES]
PICTURES = [samples.path("chart.png").read_bytes()[:6000], samples.path("chart.jpg").read_bytes()[:6000]]
WORDS = [
    "Level", "Query", "Expand", "Tags", "Content", "Parent", "Resources", "Replace", "Remove", "Keep", "Force",
    "Asynchronous", "Synchronous", "Priority", "Transcode", "Series", "Instances", "PrivateCreator", "OrderBy",
    "Labels", "Since", "Limit", "ResponseContent", "PatientName", "PixelData", "SpecificCharacterSet", "0010,0020",
    "ReferencedSeriesSequence", "fffe,e000", "7fe0-0010", "Study", "Instance", "dicom", "metadata", "Filename",
]  # fmt: skip


@st.composite
def damaged(draw, originals):
    """Return a real file with bytes changed, cut out, repeated or put in."""
    content = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            content[at : at + 4] = draw(st.binary(min_size=4, max_size=4))
        elif kind == 1:
            del content[at : at + draw(st.integers(1, 300))]
        elif kind == 2:
            content[at:at] = draw(st.binary(max_size=40))
        elif kind == 3:
            content[at : at + 4] = draw(
                st.sampled_from([b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"SQ\0\0"])
            )
        else:
            del content[at:]
    return bytes(content)


@st.composite
def zips(draw):
    """Return a ZIP whose members and central directory may lie."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
        for index in range(draw(st.integers(0, 4))):
            name = draw(st.sampled_from(["a", "../../etc/passwd", "/abs", "x/", "", "\\\\host\\c", "é" * 30])) + str(
                index
            )
            archive.writestr(name, draw(st.one_of(st.sampled_from(FILES), st.binary(max_size=200))))
    return draw(damaged([out.getvalue()]))


@st.composite
def long_texts(draw):
    """Return few letters that repeat thousands of times, before something else: what regular expressions fear."""
    pieces = ["1", "0", ".", "1.", "e9", "-", "+", " ", "\\", "*", "?", "*a", "*?a", "a", "^", "=", "/*", "//", '"',
              "[*].", "\x1b$B", "é", "data:", ";base64,", "0010,0020", "2.25.", "\r\n", "\0"]  # fmt: skip
    parts = draw(st.lists(st.tuples(st.sampled_from(pieces), st.integers(1, 5000)), min_size=1, max_size=3))
    return "".join(piece * number for piece, number in parts) + draw(st.sampled_from(["", "x", "b", "!", "\0"]))


_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS), st.text(max_size=12), long_texts(),
)  # fmt: skip
values = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=8)), inner, max_size=5),
    ),
    max_leaves=12,
)


@st.composite
def bodies(draw):
    """Return a body: JSON of wrong types, deep, huge, damaged, or no JSON at all."""
    kind = draw(st.integers(0, 11))
    if kind == 11:
        return draw(long_texts()).encode("utf-8", "replace")
    if kind == 10:
        item = draw(st.sampled_from(["{}", "[]", "1", '""', "null", '{"Type":"DicomTag","Key":"PatientID"}']))
        name = draw(st.sampled_from(WORDS))
        items = ",".join([item] * draw(st.integers(1, 3000)))
        return f'{{"Level":"Study","Query":{{}},"Tags":{{}},"{name}":[{items}]}}'.encode()
    if kind == 0:
        return draw(st.binary(max_size=60))
    if kind == 1:
        depth = draw(st.integers(1, 3000))
        return b"[" * depth + b"]" * draw(st.sampled_from([depth, 0]))
    if kind == 2:
        depth = draw(st.integers(1, 400))
        return b'{"Tags":' * depth + b"1" + b"}" * depth
    content = json.dumps(draw(values)).encode()
    return draw(damaged([content])) if kind == 3 else content


@st.composite
def lying_pictures(draw):
    """Return a PNG with headers of several sizes, or a JPEG with another size in its header than in its data."""
    if draw(st.booleans()):
        content = bytearray(PICTURES[1])
        start = content.find(b"\xff\xc0")
        content[start + 5 : start + 9] = draw(st.binary(min_size=4, max_size=4))
        return bytes(content)
    sizes = st.sampled_from([1, 8, 100, 5000, 20_000, 2**31 - 1])
    headers = draw(
        st.lists(
            st.builds(
                header, sizes, sizes, st.sampled_from([1, 8, 16]), st.sampled_from([0, 2, 3, 4, 6]), st.integers(0, 1)
            ),
            min_size=1,
            max_size=3,
        )
    )
    return png_of([*headers, (b"IDAT", zlib.compress(bytes(draw(st.integers(0, 100_000))))), (b"IEND", b"")])


@st.composite
def data_uris(draw):
    """Return the text of a Content that is nearly a data URI."""
    mime = draw(
        st.sampled_from(
            [
                "image/png",
                "image/jpeg",
                "application/pdf",
                "model/stl",
                "text/plain",
                "",
                "x",
                "image/x-portable-arbitrarymap",
                "application/octet-stream",
            ]
        )
    )
    content = draw(st.one_of(st.binary(max_size=100), damaged(PICTURES), st.just(b"%PDF-1.4"), lying_pictures()))
    text = base64.b64encode(content).decode()
    head = draw(
        st.sampled_from(
            [
                "data:{};base64,",
                "data:{},",
                "DATA:{};BASE64,",
                "data:{};charset=utf-8;base64,",
                "{};base64,",
                "data:{};base64",
            ]
        )
    )
    text = head.format(mime) + text
    cut = draw(st.integers(0, 3))
    return text[:-cut] if cut else text


@st.composite
def wrapped(draw):
    """Return what an upload unpacks to, in its wrapping: gzip or the deflated transfer syntax, whole or damaged."""
    content = draw(st.sampled_from(FILES)) + bytes(draw(st.integers(0, 200_000)))
    if draw(st.booleans()):
        packed = b"".join(gzip.compress(content, 1, mtime=0) for _ in range(draw(st.integers(1, 3))))
        return draw(st.one_of(st.just(packed), damaged([packed]))), {"Content-Encoding": "gzip"}
    items = b"\xfe\xff\0\xe0\0\0\0\0" * draw(st.integers(0, 300_000))
    body = dicom(instance="1.5")[len(meta_header()) :] + element(0x00081115, b"SQ", items)
    packed = meta_header("1.2.840.10008.1.2.1.99") + zlib.compress(body, 1)[2:-4]
    return draw(st.one_of(st.just(packed), damaged([packed]))), {}


header_values = st.dictionaries(
    st.sampled_from(["Accept", "Range", "If-Match", "If-None-Match", "Authorization", "Cookie", "Content-Type"]),
    st.one_of(
        st.sampled_from(["Basic ", "bytes=", "0-", "multipart/form-data; boundary=", "image/png;q="]),
        long_texts().map(lambda text: "".join(letter for letter in text if " " <= letter < "\x7f")[:8000].strip()),
    ),
    max_size=2,
)
paths = st.lists(
    st.one_of(
        st.sampled_from(["instances", "studies", "series", "patients", "jobs", "tools", "find", "system", "changes",
                         "..", ".", "", "frames", "0", "-1", "99999999999999999999", "tags", "content", "metadata",
                         "attachments", "dicom", "data", "expand", "archive", "preview", "file", "%00", "%2e%2e",
                         "labels", "app", "explorer.html", "peers", "plugins", "7fe0-0010", "statistics", "ID"]),
        st.text(max_size=8),
    ),
    max_size=6,
)  # fmt: skip
queries = st.dictionaries(
    st.sampled_from(["expand", "since", "limit", "requested-tags", "short", "full", "simplify", "ignore-length",
                     "level", "to", "type", "last", "transcode", "lossy-quality", "filename", "resources", "quality",
                     "width"]),
    st.one_of(st.sampled_from(["", "1", "-1", "x", "true", "99999999999999999999", "0010,0010",
                               "1.2.840.10008.1.2.4.50"]),
              st.text(max_size=10)),
    max_size=4,
)  # fmt: skip
