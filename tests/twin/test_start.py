"""Configurations at the start: both programs refuse the same ones, with the same code and words.

The usual run starts them with each third one, ``--long`` with all.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from orthanc_lab.server.loopback import free_port, is_listening
from orthanc_lab.server.options.option import Kind
from orthanc_lab.server.options.option_table import OPTIONS
from tests.waiting import until

pytestmark = pytest.mark.real

# What follows the port, the folders and the DICOM server (off) in the configuration file.
CONFIGURATIONS = (
    "",
    '"Unknown": 12, // a comment\n',
    '"Name": /* here too */ "x",',
    '"MediaArchiveSize": 0',
    '"MediaArchiveSize": -3',
    '"MediaArchiveSize": "3"',
    '"ConcurrentJobs": -1',
    '"ConcurrentJobs": 0',
    '"JobsHistorySize": -1',
    '"JobsHistorySize": 1.5',
    '"StorageCompression": 1',
    '"SaveJobs": "yes"',
    '"DefaultEncoding": "x"',
    '"UserMetadata": {"a": 12}',
    '"UserMetadata": {"a": 1024, "b": 1024}',
    '"UserContentType": {"a": 12}',
    '"UserContentType": {"a": [1024, "x/y"]}',
    '"UserContentType": {"a": [1024]}',
    '"UserContentType": {"dicom": 1024}',
    '"UserMetadata": {"LastUpdate": 1024}',
    '"RegisteredUsers": []',
    '"IngestTranscoding": "nope"',
    '"OrthancPeers": {"a": 12}',
    '"OrthancPeers": {"a": {}}',
    '"QueryRetrieveSize": 0',
    '"DicomTlsTrustedCertificates": "/nope.pem"',
    '"DicomTlsPrivateKey": "/nope.key", "DicomTlsCertificate": "/nope.pem"',
    '"DicomLossyTranscodingQuality": 0',
    '"DicomLossyTranscodingQuality": 101',
    '"HttpThreadsCount": 0',
    '"StorageAccessOnFind": "x"',
    '"ExtraMainDicomTags": {"Instance": ["Foo"]}',
    '"JobsEngineThreadsCount": {"ResourceModification": -1}',
    '"SslEnabled": true',
    '"CheckRevisions": true, "StoreMD5ForAttachments": false',
    '"Dictionary": {"0405,0010": ["LO", "A", 1, 1, "C"]}',
    '"Dictionary": {"0405,0010": ["LO", "A", 1, 1]}',
    '"Dictionary": {"0405,0010": ["LO", "A", 1, 0, ""]}',
    '"Dictionary": {"0405,0010": ["LO", "A", 1]}',
    '"Dictionary": {"0010,0010": ["LO", "A", 1, 1]}',
    '"Dictionary": {"0014,1020": ["DA", "ValidationExpiryDate", 1, 1]}',
    '"Dictionary": {"0405,0010": ["LO", "A"]}',
    '"Dictionary": {"0405,0010": ["LO"]}',
    '"Dictionary": {"0405,0010": ["LO", "A", 1, 1, "C", 1]}',
    '"Dictionary": {"0405,0010": ["LO", "A", "1", 1]}',
    '"Dictionary": {"0405,0010": "LO"}',
    '"Dictionary": {"0405,0010": ["XX", "A", 1, 1]}',
    '"Dictionary": {"0405,0010": ["lo", "A", 1, 1]}',
    '"Dictionary": {"0405,0010": ["LO", "A", 3, 1]}',
    '"Dictionary": {"0405,0010": ["LO", "A", 0, 1]}',
    '"Dictionary": {"nope": ["LO", "A", 1, 1]}',
)

# The real server logs an error of these and goes on with Recycle, which deletes patients; ours refuses them.
STRICTER = (
    ('"MaximumStorageMode": "reject"', 'StorageMode" should be "Recycle" or "Reject": reject'),
    ('"MaximumStorageMode": 5', 'The configuration option "MaximumStorageMode" must be a string'),
)

FOLDERS = '"StorageDirectory": "FOLDER", "IndexDirectory": "FOLDER", "DicomServerEnabled": false'

TEXTS = ("", "[]", '"x"', "{", '{"Name" "x"}', '{"HttpPort": "x"}', '{"HttpPort": -1}')

REFUSAL = re.compile(r"stopping now: \[(?P<text>.*)\] \(code (?P<code>-?\d+)\)")


@dataclass(frozen=True)
class Outcome:
    """What became of a start."""

    exit_code: int | None  # None: it listens
    code: str
    text: str
    details: str  # what the log says after the text of the code


def start(command: list[str], port: int) -> tuple[Outcome, str]:
    """Run a program until it listens or ends; return what happened and its log."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        until(lambda: process.poll() is not None or is_listening(port), seconds=30, what=str(command))
        exit_code = process.poll()
        process.kill()
        log = process.communicate(timeout=30)[1].decode("utf-8", "replace")
    finally:
        process.kill()
        process.wait(30)
    refusal = REFUSAL.search(log)
    if exit_code is None or refusal is None:
        return Outcome(exit_code, "", "", ""), log
    details = re.search(rf"\] {re.escape(refusal['text'])}: (.*)", log)
    return Outcome(exit_code, refusal["code"], refusal["text"], details[1] if details else ""), log


def starts_alike(real_program: str, text: str, folder: Path) -> None:
    """Start both programs with one configuration and compare what happens."""
    outcomes, logs = [], []
    for name, program in (("ours", [sys.executable, "-m", "orthanc_lab"]), ("real", [real_program])):
        port = free_port()
        path = folder / name / "orthanc.json"
        path.parent.mkdir()
        path.write_text(text.replace("PORT", str(port)).replace("FOLDER", str(folder / name)))
        outcome, log = start([*program, str(path)], port)
        outcomes.append(outcome)
        logs.append(log.replace(str(folder / name), "FOLDER"))
    ours, real = outcomes
    assert (ours.exit_code, ours.code, ours.text) == (real.exit_code, real.code, real.text), "\n".join(logs)
    # Where the real one says no more than the text of the code, ours may say more.
    assert real.details.replace(str(folder / "real"), "FOLDER") in logs[0], "\n".join(logs)


@pytest.mark.parametrize("options", CONFIGURATIONS)
def test_options_are_refused_alike(
    options: str, real_program: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--long") and CONFIGURATIONS.index(options) % 3:
        pytest.skip("with --long")
    text = f'{{"HttpPort": PORT, {FOLDERS}, {options}}}'
    starts_alike(real_program, text, tmp_path)


@pytest.mark.parametrize(("options", "words"), STRICTER)
def test_what_would_delete_patients_is_refused_in_the_words_that_the_real_server_logs(
    options: str, words: str, real_program: str, tmp_path: Path
) -> None:
    path = tmp_path / "configuration.json"
    logs = []
    for program in ([sys.executable, "-m", "orthanc_lab"], [real_program]):
        port = free_port()
        folder = str(tmp_path / str(port))
        path.write_text(f'{{"HttpPort": {port}, {FOLDERS.replace("FOLDER", folder)}, {options}}}')
        outcome, log = start([*program, str(path)], port)
        logs.append((outcome.exit_code, words in log))
    assert logs == [(255, True), (None, True)]


def test_a_wrong_type_of_an_option_that_is_read_later_does_not_hinder_the_start(
    real_program: str, tmp_path: Path
) -> None:
    late = [option for option in OPTIONS.values() if option.late]
    assert len(late) >= 20
    values = json.dumps({option.name: {"wrong": 1} if option.kind is not Kind.OBJECT else 5 for option in late})
    starts_alike(real_program, f'{{"HttpPort": PORT, {FOLDERS}, {values[1:]}', tmp_path)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_refused_alike(text: str, real_program: str, tmp_path: Path) -> None:
    starts_alike(real_program, text, tmp_path)


def test_a_missing_file_and_two_paths_are_refused_alike(real_program: str, tmp_path: Path) -> None:
    for arguments in (["missing.json"], [str(tmp_path), str(tmp_path)]):
        ours, real = (
            start([*program, *arguments], free_port())[0]
            for program in ([sys.executable, "-m", "orthanc_lab"], [real_program])
        )
        assert ours == real


def test_a_port_in_use_is_refused_alike(real_program: str, tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        text = f'{{"HttpPort": {port}, {FOLDERS}}}'
        starts_alike(real_program, text, tmp_path)
