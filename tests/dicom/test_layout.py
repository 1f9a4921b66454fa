"""A file that is laid out like the ones before it is read without a walk, and read the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from orthanc_lab.dicom.dictionary.main_tags import MainTags
from orthanc_lab.dicom.files import scan as scanner
from orthanc_lab.dicom.files.layout import Layouts
from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.testing.contracts.dicom_files import dicom, element

WANTED = MainTags().all


def outcome(file: bytes) -> Any:
    try:
        return scan(file)
    except OrthancError as error:
        return error.code, error.details


def scanned_alone(file: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as fresh:
        fresh.setattr(scanner, "_layouts", Layouts())
        return outcome(file)


@pytest.fixture
def layouts(monkeypatch: pytest.MonkeyPatch) -> Layouts:
    layouts = Layouts()
    monkeypatch.setattr(scanner, "_layouts", layouts)
    return layouts


def known_file() -> bytes:
    item = b"\xfe\xff\x00\xe0\x0a\x00\x00\x00" + element(0x00080100, b"SH", b"ab")
    file = dicom(charset="ISO_IR 100", name="A^B", instance="1.2.3", study="1.2", series="1.2.4", request=item)
    for _ in range(2):
        scan(file)
    return file


def test_every_byte_counts(layouts: Layouts, monkeypatch: pytest.MonkeyPatch) -> None:
    file = known_file()
    chance = random.Random(0)
    for place in range(len(file)):
        for value in {0, 0xFF, file[place] ^ 1, chance.randrange(256)}:
            other = file[:place] + bytes([value]) + file[place + 1 :]
            assert outcome(other) == scanned_alone(other, monkeypatch), (place, value)


def test_another_value_does_not_matter(layouts: Layouts) -> None:
    file = known_file()
    other = file.replace(b"A^B", b"C^D").replace(b"1.2.3", b"1.2.9")
    assert layouts.find(other, WANTED) is not None
    assert scan(other).tags["0010,0010"] == "C^D"
    assert scan(other).tags["0008,0018"] == "1.2.9"


def test_one_of_a_kind_is_not_kept_and_others_not_for_ever(layouts: Layouts) -> None:
    file = known_file()
    assert layouts.find(file, WANTED) is not None
    for length in range(0, 400, 2):
        alone = dicom(pixels=bytes(length), instance="1.2.5")
        scan(alone)
        assert layouts.find(alone, WANTED) is None
    assert layouts.find(file, WANTED) is None
