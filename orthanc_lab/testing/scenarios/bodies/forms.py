"""Bodies of forms (multipart/form-data) in all the ways in which a part can be written, with the boundary ``cut``."""

from __future__ import annotations

__all__ = ["form_bodies", "posted_forms"]

_NAMED = b'Content-Disposition: form-data; name="f"; filename="x.dcm"\r\n\r\n'
_END = b"\r\n--cut--\r\n"


def form_bodies(dicom: bytes) -> dict[str, bytes]:
    """Return forms that hold one file, by name."""
    heads = {
        "blanks": b'Content-Disposition  :   form-data  ;  name  =  "f"  ;filename="x.dcm"  \r\n\r\n',
        "tabs": b"Content-Disposition\t:\tform-data\r\n\r\n",
        "lower-case": b"content-disposition:form-data;name=f\r\n\r\n",
        "no-colon": b"no header\r\n\r\n",
        "no-name": b": value\r\n\r\n",
        "length": b"Content-Length: %d\r\n\r\n" % len(dicom),
        "length-blanks": b"content-length  :  %d  \r\n\r\n" % len(dicom),
        "length-plus": b"Content-Length: +%d\r\n\r\n" % len(dicom),
        "length-too-small": b"Content-Length: 3\r\n\r\n",
        "length-too-large": b"Content-Length: %d\r\n\r\n" % (len(dicom) + 1),
        "length-text": b"Content-Length: abc\r\n\r\n",
        "length-negative": b"Content-Length: -1\r\n\r\n",
        "length-empty": b"Content-Length:\r\n\r\n",
    }
    whole = b"--cut\r\n" + _NAMED + dicom
    bodies = {name: b"--cut\r\n" + head + dicom + _END for name, head in heads.items()}
    bodies |= {
        "preamble": b"a preamble\r\n" + whole + _END,
        "preamble-glued": b"a preamble" + whole + _END,
        "epilogue": whole + _END + b"an epilogue\r\n--cut\r\n\r\nnothing",
        "end-without-line": whole + b"\r\n--cut--",
        "end-and-garbage": whole + b"\r\n--cut--garbage",
        "end-cut-off": whole + b"\r\n--cut",
        "end-cut-off-1": whole + b"\r\n--cut-",
        "end-cut-off-2": whole + b"\r\n--cut\r",
        "end-cut-off-3": whole + b"\r\n--cut\r\n",
        "end-with-blank": whole + b"\r\n--cut --\r\n",
        "begin-with-blank": b"--cut \r\n" + _NAMED + dicom + _END,
        "begin-without-return": b"--cut\n" + _NAMED + dicom + _END,
        "another-boundary": b"--cutting\r\n" + _NAMED + dicom + _END,
        "no-boundary": _NAMED + dicom + _END,
        "nothing": b"",
        "end-alone": b"--cut--\r\n",
        "empty-part": b"--cut\r\n" + _NAMED + _END,
        "spaced": (whole + _END).replace(b"--cut", b"--c u,t'"),
        "cut-off": whole,
        "no-headers": b"--cut\r\n\r\n" + dicom + _END,
    }
    return {f"form-{name}": body for name, body in bodies.items()}


_POSTED = {
    "none": (),
    "empty": (b"",),
    "find": (b'{"Level": "Patient", "Query": {}}',),
    "find-twice": (b'{"Level": "Patient", "Query": {}}', b'{"Level": "Study", "Query": {}}'),
    "find-then-broken": (b'{"Level": "Patient", "Query": {}}', b"broken"),
    "two-errors": (b'{"Level": "Foo", "Query": {}}', b"broken"),
    "create": (b'{"Tags": {"PatientID": "one"}}', b'{"Tags": {"PatientID": "two"}}'),
    "create-up-to-an-error": (b'{"Tags": {"PatientID": "three"}}', b'{"Tags": 3}', b'{"Tags": {"PatientID": "four"}}'),
    "archive": (b"[]",),
    "unknown": (b'["nope"]',),
    "text": (b"default",),
}


def posted_forms() -> dict[str, bytes]:
    """Return forms for paths that are no uploads, by name."""
    bodies = {
        name: b"".join(b"--cut\r\n" + _NAMED + part + b"\r\n" for part in parts) + b"--cut--\r\n"
        for name, parts in _POSTED.items()
    }
    bodies |= {
        "no-name": b"--cut\r\nX: y\r\n\r\n" + _POSTED["find"][0] + _END,
        "text-and-file": b'--cut\r\nContent-Disposition: form-data; name="t"\r\n\r\n'
        + _POSTED["find"][0]
        + b"\r\n--cut\r\n"
        + _NAMED
        + b"broken"
        + _END,
        "garbage": b"--cut garbage\r\n",
        "no-form": b"nothing",
    }
    return {f"posted-{name}": body for name, body in bodies.items()}
