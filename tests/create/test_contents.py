"""Data URIs, documents, raw samples and large bodies: create-dicom.md §7."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom.files import data_uri as uris
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.rest.making.create_body import parse_create_body
from tests.create.creator import Creator, Refusal, data_uri, text
from tests.create.pictures import picture

RAW = "data:application/octet-stream;base64,"
PDF = data_uri(b"%PDF-1.4\nx", "application/pdf")
UNSUPPORTED = "Unsupported MIME type for the content of a new DICOM file: "


@pytest.mark.parametrize("content", [None, 5, {}, True, 1.5])
def test_content_of_another_type(creator: Creator, content: Any) -> None:
    assert creator.refusal({"Tags": {}, "Content": content}) == Refusal(400, 2023)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        *(
            (content, Refusal(400, 15))
            for content in (
                "", "x", "data:", "data:image/png,abc", "data:;base64,AAAA", "data:image/png;charset=x;base64,AAAA",
                " data:image/png;base64,AAAA", "data:image/png;base64 ,AAAA", RAW + " AAAA", RAW + "AAAA\n",
                RAW + "AA AA", RAW + "A-_A", RAW + "é", "data:image/png;base64,", "data:foo/bar;base64,A*",
            )
        ),
        *(
            (f"data:{mime};base64,AAAA", Refusal(500, 2, UNSUPPORTED + mime))
            for mime in ("text/plain", "image/gif", "image/jp2", "image/svg+xml", "application/json")
        ),
        *(
            (f"data:{mime};base64,AAAA", Refusal(400, 3))
            for mime in ("foo/bar", "application/stl", "foo", " image/png")
        ),
        ("data:application/pdf;base64,", Refusal(400, 15, "Not a PDF file")),
        ("data:application/pdf;base64,JVBERg==", Refusal(400, 15, "Not a PDF file")),
        ("data:model/stl;base64,", Refusal(500, 4)),
    ],
)  # fmt: skip
def test_contents_that_are_refused(creator: Creator, content: str, refusal: Refusal) -> None:
    assert creator.refusal({"Tags": {}, "Content": content}) == refusal
    assert creator.count() == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("AAEC", b"\0\1\2\0"), ("AAE=", b"\0\1"), ("AAE", b"\0\1"), ("AA", b"\0\0"), ("A", b""), ("", b""),
        ("AAE===", b"\0\1"), ("A=AA", b""), ("AB==", b"\0\0"), ("AAAA=AAAA", b"\0\0\0\0"), ("AAAA\0?", b"\0\0\0\0"),
    ],
)  # fmt: skip
def test_raw_samples_and_forms_of_base64(creator: Creator, data: str, expected: bytes) -> None:
    assert creator.create(content=RAW + data)[0x7FE00010] == ("OW", expected)


@given(st.binary(max_size=200))
def test_any_bytes_come_through(data: bytes) -> None:
    encoded = base64.b64encode(data).decode()
    for text_ in (encoded, encoded.rstrip("=")):
        assert uris.decode(f"DATA:Application/PDF;BASE64,{text_}") == ("Application/PDF", data)
        assert uris.decode(memoryview(f"data:application/pdf;base64,{text_}".encode())) == ("application/pdf", data)


@given(st.text(max_size=60))
def test_any_text_is_decoded_or_refused(tail: str) -> None:
    for uri in (tail, f"data:{tail}", f"data:image/png;base64,{tail}"):
        try:
            mime, data = uris.decode(uri)
        except OrthancError as error:
            assert error.code == 15  # noqa: PT017 - either outcome is fine
        else:
            assert mime == mime.lower()
            assert isinstance(data, bytes)


@pytest.mark.parametrize(
    ("mime", "sop_class", "modality", "conversion"),
    [
        ("application/pdf", "1.2.840.10008.5.1.4.1.1.104.1", "OT", "WSD"),
        ("model/stl", "1.2.840.10008.5.1.4.1.1.104.3", "M3D", ""),
        ("model/obj", "1.2.840.10008.5.1.4.1.1.104.4", "M3D", ""),
        ("model/mtl", "1.2.840.10008.5.1.4.1.1.104.5", "M3D", ""),
    ],
)
def test_documents(creator: Creator, mime: str, sop_class: str, modality: str, conversion: str) -> None:
    file = creator.create_file({"MIMETypeOfEncapsulatedDocument": "x"}, data_uri(b"%PDF-odd!", mime), Force=True)
    data_set = file.data_set
    assert text(data_set, 0x00080016) == text(file.meta, 0x00020002) == sop_class
    assert text(data_set, 0x00080060) == modality
    assert text(data_set, 0x00080064) == conversion
    assert text(data_set, 0x00420012) == mime
    assert data_set[0x00420011] == ("OB", b"%PDF-odd!\0")
    assert 0x00420015 not in data_set


def test_tags_of_the_body_win_over_those_of_the_document(creator: Creator) -> None:
    data_set = creator.create({"SOPClassUID": "1.2.3", "Modality": "DOC", "ConversionType": "SD"}, PDF)
    assert (text(data_set, 0x00080016), text(data_set, 0x00080060), text(data_set, 0x00080064)) == (
        "1.2.3",
        "DOC",
        "SD",
    )


def test_a_document_given_as_a_tag(creator: Creator) -> None:
    data_set = creator.create({"EncapsulatedDocument": PDF})
    assert text(data_set, 0x00420012) == "application/pdf"
    assert text(data_set, 0x00080060) == "OT"
    assert creator.create({"EncapsulatedDocument": RAW + "AAE="})[0x7FE00010] == ("OW", b"\0\1")
    assert creator.create({"EncapsulatedDocument": PDF}, InterpretBinaryTags=False)[0x00420011].value.startswith(
        b"data:"
    )
    assert creator.refusal({"Tags": {"EncapsulatedDocument": "x"}, "Content": PDF}) == Refusal(500, 4)


@pytest.mark.parametrize("size", [0, 1, 1023, 200_000, 200_001])
def test_the_pdf_comes_back(creator: Creator, size: int) -> None:
    pdf = b"%PDF-1.4\n" + bytes(range(256)) * (size // 256) + b"y" * (size % 256)
    id = creator.answer({"Tags": {}, "Content": data_uri(pdf, "application/pdf")})["ID"]
    answer = creator.session.get(f"{creator.url}/instances/{id}/pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content == pdf


# -- large bodies: the content is taken out before the rest is read as JSON ---------------------

LARGE = data_uri(b"%PDF-" + bytes(100_000), "application/pdf")


def plain(body: Any) -> Any:
    """Return a parsed body with views made into text."""
    if isinstance(body, memoryview):
        return bytes(body).decode()
    if isinstance(body, dict):
        return {key: plain(value) for key, value in body.items()}
    return [plain(value) for value in body] if isinstance(body, list) else body


@pytest.mark.parametrize(
    "body",
    [
        {"Tags": {}, "Content": LARGE},
        {"Content": LARGE, "Tags": {"PatientName": 'quote " and \\ and "data:x"'}},
        {"Tags": {}, "Content": [LARGE, {"Content": LARGE, "Tags": {"PatientID": LARGE[:70_000]}}, LARGE]},
        {"Tags": {"EncapsulatedDocument": LARGE}},
        {"Tags": {}, "Content": LARGE, "Other": LARGE},
        {"Tags": {}, "Content": "a\"data:" + "x" * 100_000},
        {"Tags": {}, "Content": "data:é" + "x" * 100_000},
        {"Tags": {}, "Content": {"Content": LARGE}},
        {"data:" + "k" * 100_000: LARGE, "Tags": {}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("ascii", [True, False])
def test_large_bodies_are_read_like_any_json(body: Any, ascii: bool) -> None:
    assert plain(parse_create_body(json.dumps(body, ensure_ascii=ascii).encode())) == body


def test_a_large_content_is_not_copied() -> None:
    content = parse_create_body(json.dumps({"Tags": {}, "Content": LARGE}).encode())["Content"]
    assert isinstance(content, memoryview)


@pytest.mark.parametrize("tail", [b"", b",", b'"', b'"} x', b'"]', b'"}}'])
def test_large_bodies_with_a_broken_end(tail: bytes) -> None:
    data = b'{"Tags": {}, "Content": "' + LARGE.encode() + tail
    if tail in (b'"} x', b'"}}'):
        assert plain(parse_create_body(data)) == {"Tags": {}, "Content": LARGE}
    else:
        with pytest.raises(OrthancError) as caught:
            parse_create_body(data)
        assert caught.value.code == 8


def test_large_contents_are_stored(creator: Creator) -> None:
    pdf = b"%PDF-" + bytes(range(256)) * 1000
    data_set = creator.create(content=data_uri(pdf, "application/pdf"))
    assert data_set[0x00420011].value == pdf + b"\0"
    png = data_uri(picture("RGB", (300, 300)))
    body = {"Tags": {}, "Content": [png, {"Content": png}]}
    assert len(creator.files(creator.answer(body)["Path"])) == 2
