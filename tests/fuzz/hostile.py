"""Hostile inputs: what a broken or malicious client may send."""

import base64
import io
import json
import zipfile
from pathlib import Path

from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from orthanc_lab import samples

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


_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS), st.text(max_size=12),
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
    kind = draw(st.integers(0, 9))
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
    content = draw(st.one_of(st.binary(max_size=100), damaged(PICTURES), st.just(b"%PDF-1.4")))
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
