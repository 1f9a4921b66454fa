"""Requests whose texts make careless readers slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orthanc_lab.testing.contracts.dicom_files import dicom, element

__all__ = ["Asked", "file_of_long_values", "requests"]

Asked = tuple[str, str, str, dict[str, Any]]
"""A name, a verb, a path and the arguments of `requests`."""

HEAD = 30_000  # letters that fit into the head of a request
LEVELS = ("patients", "studies", "series", "instances")


def file_of_long_values(size: int) -> bytes:
    """Return a file with long values in tags that the index does not keep, and that pictures are drawn by."""
    digits = b"1" * (size // 8) + b"x"
    short = b"1" * 60_000 + b"x"
    values = {
        (0x00082111, b"ST"): b"a" * 60_000,  # DerivationDescription
        (0x00104000, b"UT"): b"a" * size,
        (0x00281050, b"DS"): short, (0x00281051, b"DS"): short, (0x00281052, b"DS"): short, (0x00281053, b"DS"): short,
        (0x00280008, b"IS"): b"1" * 60_000, (0x00200032, b"DS"): short, (0x00189087, b"UT"): digits,
        (0x00080018, b"UI"): b"1.2.3.77", (0x00280010, b"US"): b"\2\0", (0x00280011, b"US"): b"\2\0",
        (0x00280100, b"US"): b"\x08\0", (0x00280101, b"US"): b"\x08\0", (0x00280002, b"US"): b"\1\0",
        (0x00280004, b"CS"): b"MONOCHROME2 ", (0x00110010, b"LO"): b"c" * 60_000, (0x00111001, b"LO"): b"v",
    }  # fmt: skip
    more = b"".join(element(tag, vr, value) for (tag, vr), value in values.items())
    return dicom(pixels=b"1234") + more


def requests(size: int, instance: str) -> Iterator[Asked]:
    """Yield requests with texts of about `size` letters."""
    yield from _values(size)
    yield from _queries(size)
    yield from _json(size)
    yield from _heads(instance)
    for view in ("/tags", "/simplified-tags", "/rendered", "/preview", "/numpy", "/matlab", "/frames"):
        yield f"{view} of long values", "GET", instance + view, {}
    for kind in ("application/dicom+json", "application/dicom+xml"):
        yield f"{kind} of long values", "GET", f"{instance}/file", {"headers": {"Accept": kind}}
    path = ".".join(["ReferencedImageSequence[*]"] * (size // 26)) + ".PatientName"
    for name in ("Remove", "Keep"):
        yield f"{name} a long path", "POST", f"{instance}/modify", {"json": {name: [path], "Force": True}}
    yield "Replace a long path", "POST", f"{instance}/modify", {"json": {"Replace": {path: "x"}, "Force": True}}
    yield (
        "Remove many",
        "POST",
        f"{instance}/modify",
        {"json": {"Remove": [f"0011,{n:04x}" for n in range(size // 12)]}},
    )
    yield "boundary", "POST", "/instances", {"data": b"--x\r\n\r\n" * (size // 7), "headers": {
        "Content-Type": "multipart/form-data; boundary=x"}}  # fmt: skip
    yield "boundaries", "POST", "/instances", {"data": (b"--" + b"x" * 500) * (size // 502), "headers": {
        "Content-Type": "multipart/form-data; boundary=" + "x" * 1000}}  # fmt: skip


def _values(size: int) -> Iterator[Asked]:
    """Yield new instances with long values, one for each kind of text."""
    texts = {
        "digits": "1" * size + "x", "point": "1" * (size // 2) + "." + "1" * (size // 2) + "x",
        "exponent": "1e" + "1" * size, "blanks": " " * size + "x", "zeros": "0" * size, "signs": "+-" * (size // 2),
        "values": "1\\" * (size // 2), "nan": "nan(" * (size // 4), "infinity": "inf" * (size // 3),
        "stars": "*?" * (size // 2), "escapes": "\x1b$" + "(" * size, "letters": "é" * (size // 2),
    }  # fmt: skip
    tags = {
        "FD": "DiffusionBValue", "US": "Rows", "DS": "WindowCenter", "IS": "InstanceNumber", "DA": "StudyDate",
        "PN": "PatientName", "UI": "StudyInstanceUID", "AT": "FrameIncrementPointer", "UT": "PixelDataProviderURL",
    }  # fmt: skip
    for name, text in texts.items():
        for vr, tag in tags.items():
            yield f"{vr} of {name}", "POST", "/tools/create-dicom", {"json": {"Tags": {tag: text}, "Force": True}}
    uri = "data:image/png;base64,"
    for name, text in {
        "blanks": " " * size,
        "padding": "=" * size,
        "uris": uri * (size // 22),
        "a": "A" * size,
    }.items():
        yield f"content of {name}", "POST", "/tools/create-dicom", {"json": {"Tags": {}, "Content": uri + text}}
    yield "types", "POST", "/tools/create-dicom", {"json": {"Tags": {}, "Content": "data:" + "a" * size}}
    yield "character set", "POST", "/tools/create-dicom", {"json": {"Tags": {"SpecificCharacterSet": "\\" * size}}}


def _queries(size: int) -> Iterator[Asked]:
    patterns = {
        "stars": "*a" * (size // 2) + "b", "marks": "?" * size, "both": "*?a" * (size // 3) + "b",
        "one": "*" + "a" * size,
        "pairs": "*a?" * 20_000 + "b", "few": "*a*a*a*a*a*b", "late": "*" + "a" * 30_000 + "?b*",
        "list": "\\".join(str(number) for number in range(size // 8)), "range": "1" * size + "-" + "1" * size,
    }  # fmt: skip
    for name, pattern in patterns.items():
        for tag in ("DerivationDescription", "PatientComments", "PatientName", "0011,1001"):
            for path in ("/tools/find", "/tools/count-resources"):
                body = {"Level": "Instance", "Query": {tag: pattern}}
                yield f"{path} {tag} of {name}", "POST", path, {"json": body}
        yield (
            f"metadata of {name}",
            "POST",
            "/tools/find",
            {"json": {"Level": "Instance", "Query": {}, "MetadataQuery": {"ReceptionDate": pattern}}},
        )
    for tag in ("StudyDate", "StudyTime", "AcquisitionDateTime"):
        yield f"{tag} range", "POST", "/tools/find", {"json": {"Level": "Study", "Query": {tag: "-" * size}}}
    many = {"Level": "Study", "Query": {}}
    order = {"Type": "DicomTag", "Key": "PatientName", "Direction": "ASC"}
    lists: dict[str, Any] = {
        "Labels": ["l" * 60] * (size // 64), "OrderBy": [order] * (size // 64), "ParentPatient": "a" * size,
        "RequestedTags": ["PatientName"] * (size // 16), "ResponseContent": ["MainDicomTags"] * (size // 16),
        "MetadataQuery": {str(number): "a" for number in range(1024, 1024 + size // 12)},
    }  # fmt: skip
    for name, value in lists.items():
        yield f"many {name}", "POST", "/tools/find", {"json": {**many, name: value, "Expand": True}}
    tags = {f"0011,{number & 0xFFFF:04x}{' ' * (number >> 16)}": "a*" for number in range(size // 20)}
    yield "many tags", "POST", "/tools/find", {"json": {"Level": "Study", "Query": tags}}
    yield (
        "spellings",
        "POST",
        "/tools/find",
        {"json": {"Level": "Study", "Query": {" " * n + "0010,0010": "a" for n in range(999)}}},
    )
    names = {"hexadecimal": "0" * size, "comma": "0" * size + ",1", "blanks": " " * size + "1,1", "keyword": "A" * size}
    for name, tag in names.items():
        yield f"tag of {name}", "POST", "/tools/find", {"json": {"Level": "Study", "Query": {tag: "a"}}}
        yield f"new tag of {name}", "POST", "/tools/create-dicom", {"json": {"Tags": {tag: "a"}}}
    for name in ("lookup", "bulk-content", "bulk-delete", "create-archive", "bulk-modify", "reconstruct"):
        body = {"Resources": ["a" * 44] * (size // 48), "Replace": {}}
        yield f"resources of {name}", "POST", f"/tools/{name}", {"json": body}


def _json(size: int) -> Iterator[Asked]:
    texts = {
        "comments": "/**/" * (size // 4), "lines": "//\n" * (size // 3), "open comment": "/*" * (size // 2),
        "quotes": '"' * size, "escapes": '"' + "\\" * size, "commas": "[" + "1, " * (size // 3) + "]",
        "trailing": "[" + "," * size, "blanks": " " * size + "{", "digits": "1" * size, "fraction": "0." + "1" * size,
        "surrogates": '"' + "\\ud800" * (size // 6) + '"',
        "exponent": "1e" + "1" * size, "brackets": "[" * size, "objects": '{"a":' * (size // 5),
        "lists": "[]," * (size // 3),
        "keys": "{" + ",".join(f'"{n}":1' for n in range(size // 12)) + "}",
    }  # fmt: skip
    for name, text in texts.items():
        for path in ("/tools/find", "/tools/create-dicom", "/tools/create-archive"):
            yield f"{path} JSON of {name}", "POST", path, {"data": text}
            yield (
                f"{path} object with {name}",
                "POST",
                path,
                {"data": '{"Tags":{},"Level":"Study","Query":{},"X":' + text + "}"},
            )
    yield "a lookup", "POST", "/tools/lookup", {"data": "*?" * size}


def _heads(instance: str) -> Iterator[Asked]:
    headers = {
        "Accept": ["image/png;q=" + "1" * HEAD, "*/*," * (HEAD // 4), ";" * HEAD, "a/b;q=1," * (HEAD // 8)],
        "If-None-Match": ["0" * HEAD + "-x", '"' * HEAD, "1" * HEAD],
        "Range": ["bytes=" + "1" * HEAD + "-", "bytes=" + "-" * HEAD, "bytes=0-1," * (HEAD // 10)],
        "Cookie": ["a=b;" * (HEAD // 4)],
        "Authorization": ["Basic " + "=" * HEAD, "Basic " + "é" * 1000, "Basic " + "A" * HEAD],
        "Content-Type": ["multipart/form-data" + "; boundary=" * (HEAD // 11), "multipart/form-data;" + " " * HEAD],
        "Accept-Encoding": ["gzip;q=1," * (HEAD // 9)],
    }
    for name, values in headers.items():
        for number, value in enumerate(values):
            arguments = {"headers": {name: value.encode("latin-1")}}
            for path in ("/preview", "/file", "/metadata/RemoteIP", "/attachments/dicom/data"):
                yield f"{name} {number} of {path}", "GET", instance + path, arguments
            yield f"{name} {number} of an upload", "POST", "/instances", {**arguments, "data": b"x"}
            yield f"{name} {number} of a write", "PUT", f"{instance}/metadata/1024", {**arguments, "data": b"x"}
    yield "If-Match", "PUT", f"{instance}/metadata/1024", {"data": b"x", "headers": {"If-Match": "0" * HEAD + "-x"}}
    paths = ["/a" * (HEAD // 2), "/a/.." * (HEAD // 5), "/" * HEAD, "/x/" + "." * HEAD, "/%2e" * (HEAD // 4)]
    arguments = [
        "?" + "a=1&" * (HEAD // 4),
        "?since=" + "0" * HEAD + "&limit=1",
        "?requested-tags=" + "0010,0010;" * (HEAD // 10),
    ]
    for number, path in enumerate((*paths, *(f"/studies{argument}" for argument in arguments))):
        yield f"path {number}", "GET", path, {}
    for part in ("/content/" + "0008-1115/0/" * (HEAD // 12), "/frames/" + "1" * HEAD, "/metadata/" + "1" * HEAD,
                 "/labels/" + "a" * HEAD, "/rendered?window-width=" + "1" * HEAD, "/rendered?width=" + "0" * HEAD,
                 "/tags?ignore-length=" + "0" * HEAD, "/preview?quality=" + "0" * HEAD):  # fmt: skip
        yield part[:24], "GET", instance + part, {}
    yield "label", "PUT", f"{instance}/labels/" + "a" * HEAD, {}
