"""One table for each fact: tags by name, transfer syntaxes, UIDs by name."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom.uid
import pytest

import orthanc_lab
from orthanc_lab.client.volumes.tag_numbers import TAGS as VOLUME_TAGS
from orthanc_lab.dicom.codecs.codec import codec_of
from orthanc_lab.dicom.codecs.pixels import decode_frame
from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.dictionary.dictionary import STANDARD
from orthanc_lab.dicom.dictionary.uid_names import uid_by_name
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.protocol import transfer_syntaxes
from orthanc_lab.protocol.ports import SeededIdentifiers
from orthanc_lab.protocol.transfer_syntaxes import (
    EXPLICIT_LE,
    TransferSyntax,
    find_transfer_syntax,
    known_uids,
    register,
    target_syntaxes,
    unregister,
)
from tests.dicom.build import file_of, image_of

TOY = "1.2.3.4.5"
TAG_TABLES = {"tags.py", "inheritance.py", "dictionary.py"}
TAG_TABLES |= {"elscint_runs.py", "dicom_files.py"}  # private tags; the test harness
TAG_TABLES |= {"tag_numbers.py", "kept_tags.py"}  # of the client, which has no dictionary; what a capsule keeps
TAG = re.compile(r"\b0x(?:0[0-9A-F]{3}|7FE0|FFFE)[0-9A-F]{4}\b", re.IGNORECASE)


@pytest.fixture
def toy() -> Iterator[TransferSyntax]:
    """A transfer syntax in two places: a row of the table, and the module that it names."""
    row = TransferSyntax(TOY, "Toy", mime="image/x-toy", codec="tests.dicom.toy_codec", is_target=True)
    register(row)
    yield row
    unregister(TOY)


def test_a_new_transfer_syntax_takes_a_row_and_a_codec(toy: TransferSyntax) -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    made = transcode(file_of(image_of(pixels.tobytes(), 8, 6)), TOY, STANDARD, identifiers=SeededIdentifiers())
    assert made is not None
    assert pixels[::-1].tobytes() in made
    assert np.array_equal(decode_frame(read_file(made), 0), pixels)
    header = scan(made)
    assert (header.transfer_syntax, made[header.pixel_data_offset :][:4]) == (TOY, b"\xe0\x7f\x10\x00")
    back = transcode(made, EXPLICIT_LE, STANDARD, identifiers=SeededIdentifiers())
    assert back is not None
    assert np.array_equal(decode_frame(read_file(back), 0), pixels)
    assert toy in target_syntaxes()
    assert known_uids()[-1] == TOY


def test_a_server_knows_the_new_one(toy: TransferSyntax) -> None:
    # By default the option accepts the UIDs of DICOM only.
    with orthanc_lab.in_process(AcceptedTransferSyntaxes=["*"]) as server:
        pixels = bytes(range(48))
        made = server.session.post(f"{server.url}/instances", data=file_of(image_of(pixels, 8, 6))).json()
        instance = f"{server.url}{made['Path']}"
        file = server.session.get(f"{instance}/file", params={"transcode": TOY}).content
        server.session.delete(instance)
        server.session.post(f"{server.url}/instances", data=file)
        raw = server.session.get(f"{instance}/frames/0/raw")
        assert raw.headers["Content-Type"] == "image/x-toy"
        assert raw.content == np.frombuffer(pixels, np.uint8).reshape(6, 8)[::-1].tobytes()
        assert server.session.get(f"{instance}/metadata/TransferSyntax").text == TOY
        assert server.session.get(f"{instance}/preview").status_code == 200
        assert TOY in server.session.get(f"{server.url}/tools/accepted-transfer-syntaxes").json()


def test_without_the_extra_only_some_can_be_coded() -> None:
    code = (
        "import sys; sys.modules |= {'imagecodecs': None, 'jpeg_ls': None}\n"
        "from orthanc_lab.dicom.codecs.codec import codec_of\n"
        "from orthanc_lab.protocol.transfer_syntaxes import known_uids\n"
        "codecs = {uid: codec_of(uid) for uid in known_uids()}\n"
        "print([uid[18:] for uid, codec in codecs.items() if codec and codec.decode])\n"
        "print([uid[18:] for uid, codec in codecs.items() if codec and codec.encode])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.splitlines() == ["['4.50', '5']", "['4.50', '4.51', '5']"]


def test_each_codec_of_the_table_exists() -> None:
    for uid in known_uids():
        syntax = find_transfer_syntax(uid)
        assert syntax is not None
        codec = codec_of(uid)
        assert (codec is not None) == bool(syntax.codec)
        if codec is not None and codec.encode is not None:
            assert syntax.is_target
            assert bool(codec.method) == syntax.lossy


def test_the_table_agrees_with_pydicom() -> None:
    for uid in known_uids():
        judge = pydicom.uid.UID(uid)
        syntax = find_transfer_syntax(uid)
        assert syntax is not None
        if not judge.is_transfer_syntax or uid.endswith((".4.94", ".4.95", ".6.1", ".6.2")):
            continue  # pydicom takes these for encapsulated, Orthanc does not
        assert (syntax.encapsulated, syntax.deflated) == (judge.is_encapsulated, judge.is_deflated)
        assert (syntax.layout == transfer_syntaxes.IMPLICIT_LE) == judge.is_implicit_VR
        assert (syntax.layout == transfer_syntaxes.EXPLICIT_BE) == (not judge.is_little_endian)


def test_each_tag_has_the_name_of_the_dictionary() -> None:
    named = {name: tag for name, tag in vars(tags).items() if name.isupper() and isinstance(tag, int)}
    assert len(named) == len(set(named.values())) > 80
    for name, tag in named.items():
        if tag >> 16 != 0xFFFE:
            assert name.replace("_", "").lower() == STANDARD.name_of(tag).lower()


def test_the_tags_of_volumes_have_the_names_of_the_dictionary() -> None:
    for name, tag in VOLUME_TAGS.items():
        assert STANDARD.name_of(tag) == name


def test_no_tag_is_written_as_a_number_elsewhere() -> None:
    package = Path(orthanc_lab.__file__).parent
    found = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        if path.name not in TAG_TABLES and "scenarios" not in path.parts  # which are tests
        for line in path.read_text("utf-8").splitlines()
        if TAG.search(line) and "``0x" not in line
    ]
    assert found == []


def test_uids_by_name() -> None:
    assert uid_by_name("CTImageStorage") == pydicom.uid.CTImageStorage
    assert uid_by_name("JPEGBaseline") == pydicom.uid.JPEGBaseline8Bit
    assert uid_by_name("NoSuchName") is None
