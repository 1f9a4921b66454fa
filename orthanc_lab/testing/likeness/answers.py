"""Comparing two responses to the same exchange: status, headers, and the body by its type."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from email.utils import parsedate

from orthanc_lab.testing.exchange import Answer
from orthanc_lab.testing.likeness.dicom_files import compare_dicom
from orthanc_lab.testing.likeness.difference import Difference
from orthanc_lab.testing.likeness.images import compare_images
from orthanc_lab.testing.likeness.json_bodies import compare_json, compare_layout
from orthanc_lab.testing.likeness.metrics_text import compare_metrics
from orthanc_lab.testing.likeness.pairs import Pairs
from orthanc_lab.testing.likeness.scalars import scalars_alike
from orthanc_lab.testing.likeness.xml_bodies import compare_xml
from orthanc_lab.testing.likeness.zip_files import compare_zip

__all__ = ["compare_answers"]

_Compare = Callable[[bytes, bytes, Pairs], Iterator[Difference]]

_BY_TYPE: dict[str, _Compare] = {
    "application/zip": compare_zip,
    "application/dicom": compare_dicom,
    "image/png": lambda ours, real, _: compare_images(ours, real, lossy=False),
    "image/jpeg": lambda ours, real, _: compare_images(ours, real, lossy=True),
}

_LARGEST = 512 << 20  # bytes of an unpacked body

_TEXTS = frozenset({"text/plain", "text/html", "text/css", "application/javascript"})


def compare_answers(ours: Answer, real: Answer, pairs: Pairs, name: str = "") -> list[Difference]:
    """Return the differences between two responses, the most important first.

    Parameters
    ----------
    ours, real
        The responses of the two servers to the same exchange.
    pairs
        The generated values in this scenario; new ones are added.
    name
        The last part of the path: some values are compared according to their name.
    """
    if ours.status != real.status:
        return [Difference.of("status", f"{ours.status} {ours.body[:200]!r}", f"{real.status} {real.body[:200]!r}")]
    differences = list(_compare_headers(ours, real, pairs))
    if ours.complete != real.complete:
        differences.append(Difference.of("complete", ours.complete, real.complete))
    if ours.body != real.body:
        differences += _compare_bodies(ours, real, pairs, name)
    elif ours.media_type == "application/json":
        text = ours.body.decode("utf-8", "replace")
        pairs.alike(text, text)  # equal identifiers stay equal from now on
    differences += [Difference("uid root", *roots) for roots in pairs.other_roots[:1]]
    pairs.other_roots.clear()
    return differences


def _compare_headers(ours: Answer, real: Answer, pairs: Pairs) -> Iterator[Difference]:
    for header in sorted({*ours.headers, *real.headers}):
        mine, theirs = ours.headers.get(header), real.headers.get(header)
        if mine is None or theirs is None:
            yield Difference.of(f"header {header}", mine or "(absent)", theirs or "(absent)")
        elif header == "date" and parsedate(mine) and parsedate(theirs):
            continue
        elif not pairs.alike(mine, theirs) and not _follows_from_the_body(header, ours, real):
            yield Difference.of(f"header {header}", mine, theirs)


def _follows_from_the_body(header: str, ours: Answer, real: Answer) -> bool:
    """Whether a header differs only because the bodies do, which are compared separately."""
    if header == "etag":
        return all(
            hashlib.md5(answer.body, usedforsecurity=False).hexdigest() in answer.headers[header]
            for answer in (ours, real)
        )
    return header == "content-length"


def _compare_bodies(ours: Answer, real: Answer, pairs: Pairs, name: str) -> Iterator[Difference]:
    if ours.headers.get("content-encoding") == real.headers.get("content-encoding") == "gzip":
        yield from _compare_content(gunzipped(ours.body), gunzipped(real.body), real, pairs, name)
    else:
        yield from _compare_content(ours.body, real.body, real, pairs, name)


def _compare_content(ours: bytes, real: bytes, answer: Answer, pairs: Pairs, name: str) -> Iterator[Difference]:
    kind = answer.media_type
    if kind == "application/gzip":
        ours, real = gunzipped(ours), gunzipped(real)
    elif real.startswith(b"PK"):
        kind = "application/zip"  # also NumPy's compressed arrays
    if kind in _BY_TYPE:
        yield from _BY_TYPE[kind](ours, real, pairs)
    elif answer.headers.get("content-type", "").startswith("text/plain; version=0.0.4"):
        yield from compare_metrics(ours.decode(), real.decode())
    elif kind == "application/json" or (kind == "text/plain" and real.startswith(b"{")):
        yield from _compare_json_texts(ours, real, pairs)
    elif kind == "application/xml":
        yield from compare_xml(ours.decode("utf-8", "replace"), real.decode("utf-8", "replace"), pairs)
    elif kind in _TEXTS:
        if not scalars_alike(name, ours.decode("utf-8", "replace"), real.decode("utf-8", "replace"), pairs):
            yield Difference.of("body", ours.decode("utf-8", "replace"), real.decode("utf-8", "replace"))
    elif ours != real and not pairs.alike(ours.decode("latin-1"), real.decode("latin-1")):
        yield Difference.of("body", f"{len(ours)} bytes {ours[:60]!r}", f"{len(real)} bytes {real[:60]!r}")


def gunzipped(body: bytes) -> bytes:
    """Return the content of a body in gzip.

    Raises
    ------
    ValueError
        If it is none, or would be larger than anything that is compared here.
    """
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = stream.decompress(body, _LARGEST)
    except zlib.error as error:
        raise ValueError(f"not in gzip: {error}") from error
    if not stream.eof:
        raise ValueError("in gzip, but cut off or too large to be compared")
    return content


def _compare_json_texts(ours: bytes, real: bytes, pairs: Pairs) -> Iterator[Difference]:
    our_text, real_text = ours.decode("utf-8", "replace"), real.decode("utf-8", "replace")
    try:
        mine, theirs = json.loads(our_text), json.loads(real_text)
    except ValueError:
        if not pairs.alike(our_text, real_text):
            yield Difference.of("body", our_text, real_text)
        return
    differences = list(compare_json(mine, theirs, pairs))
    yield from differences or compare_layout(our_text, real_text)
