"""Text of files in the character sets of DICOM."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom.files.text import decoder_of, text_bytes


@pytest.mark.parametrize(
    ("term", "value", "text"),
    [
        (None, b"\xe9\x80", "é\x80"),
        (b"", b"\xe9", "é"),
        (b"ISO_IR 100 ", b"\xe9", "é"),
        (b" iso_ir 100", b"\xe9", "é"),
        (b"ISO_IR 6", b"a\xe9\tb\n", "ab\n"),
        (b"FOO", b"a\xe9", "a"),
        (b"ISO_IR 144", b"\xbb\xee", "Лю"),
        (b"ISO_IR 126", b"\xc4\xe9", "Δι"),
        (b"ISO_IR 13", b"\\~\xd4\xcf", "¥‾ﾔﾏ"),
        (b"GB18030", b"\xcd\xf5", "王"),
        (b"GBK", b"\xcd\xf5", "王"),
        (b"ISO 2022 IR 58", b"\xb0\xa1", "啊"),
        (b"\\ISO 2022 IR 149", b"\x1b$)C\xfb\xf3", "洪"),
        (b"ISO 2022 IR 149", b"J\xe9r\xf4me^\xda^\xc7A!\xb0\xa1", "Je^!가"),
        (b"ISO 2022 IR 149", b"\x80\xff\xc9\xa1\xfe\xfe\x81A\x811", "\x80\uf8f7\ue000\ue0bb갂1"),
        (b"ISO_IR 166", b"\x80\xa1\x9f\xdb", "ก"),
        (b"GB18030", b"\xa6\xd9\xa8\xbc\xfe\x59", "︐ḿ龴"),
        (b"\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B", "山田"),
        (b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\x1b$B;3\x1b(J", ";3"),
        (b"ISO 2022 IR 6\\ISO 2022 IR 87", b"\x1b$B;3\x1b(B", "$B;3(B"),
        (b"ISO_IR 100\\ISO_IR 192", b"a\x1b-A\xe9\x0e", "aé"),
        (b"ISO_IR 192", "é日😀".encode(), "é日😀"),
        (b"ISO_IR 192", b"a\xffb", "ab"),
        (b"ISO_IR 192", b"a\xc3\xa9b\xc3(c", "aébc"),
        (b"ISO_IR 192", b"\xed\xa0\x80x\xf4\x90\x80\x80y\xe2\x82", "xy"),
    ],
)
def test_first_term_decides_and_broken_bytes_are_dropped(term: bytes | None, value: bytes, text: str) -> None:
    assert decoder_of(term)(value) == text


def test_default_encoding() -> None:
    assert decoder_of(None, "Utf8")("é".encode()) == "é"
    assert decoder_of(None, "Ascii")(b"\xe9a") == "a"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"abc ", b"abc"),
        (b"abc  \0", b"abc  "),
        (b"ab  ", b"ab"),
        (b" ", b" "),
        (b"abc\0 ", b"abc"),
        (b"a\0bc", b"a"),
        (b" \t", b" \t"),
        (b"\0\0", b""),
    ],
)
def test_padding(value: bytes, text: bytes) -> None:
    assert text_bytes(value) == text


@given(
    st.sampled_from(
        [b"ISO_IR 192", b"ISO_IR 13", b"\\ISO 2022 IR 87", b"\\ISO 2022 IR 149", b"GB18030", b"ISO_IR 166", b"X"]
    ),
    st.binary(max_size=60),
)
def test_any_bytes_become_text_that_can_be_sent(term: bytes, value: bytes) -> None:
    decoder_of(term)(value).encode("utf-8")
