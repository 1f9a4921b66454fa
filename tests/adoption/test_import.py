"""``orthanc-lab import``: our server answers as the real one did, whose folder stays as it was."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import zlib
from contextlib import closing
from pathlib import Path

import pydicom
import pytest
import requests

import orthanc_lab
from orthanc_lab.server.adoption.command import main
from orthanc_lab.server.adoption.progress import Progress
from orthanc_lab.server.adoption.source_lock import open_untouched
from orthanc_lab.testing.real import RealOrthanc
from tests.adoption.answers import answers
from tests.adoption.conftest import OPTIONS, Made, untouched
from tests.waiting import until


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


def imported(source: Path, target: Path) -> int:
    return main([str(source), "--storage", str(target)])


def dicom_of(source: Path, number: int) -> Path:
    """Return the file of one of the instances."""
    with tempfile.TemporaryDirectory() as folder:
        for path in source.glob("index*"):
            shutil.copy(path, folder)
        with closing(sqlite3.connect(f"{folder}/index")) as index:
            rows = index.execute("SELECT uuid FROM AttachedFiles WHERE fileType = 1 ORDER BY id").fetchall()
    uuid = rows[number][0]
    return source / uuid[:2] / uuid[2:4] / uuid


def content_of(source: Path, path: Path) -> bytes:
    """Return what a file holds, uncompressed."""
    content = path.read_bytes()
    return content if content[128:132] == b"DICM" else zlib.decompress(content[8:])


def test_ours_answers_as_the_real_one_did(made: Made, source: Path, tmp_path: Path) -> None:
    compressed = "dicom-until-pixel-data" in str(made.answers)
    options = OPTIONS | {"StorageDirectory": "target", "StorageCompression": compressed}
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(json.dumps(options))
    with untouched(source):
        assert main([str(source), str(configuration)]) == 0
    with orthanc_lab.serve(options | {"StorageDirectory": str(tmp_path / "target")}) as server:
        assert answers(server.url) == made.answers


def test_an_index_that_was_closed_is_read_where_it_is(source: Path, target: Path) -> None:
    settle(source)
    source.chmod(0o500)
    try:
        assert imported(source, target) == 0
    finally:
        source.chmod(0o700)
    assert sorted(path.name for path in source.iterdir() if path.is_file()) == ["index"]


def test_a_second_import_brings_nothing_twice(source: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(source, target) == 0
    first = capsys.readouterr().out
    assert imported(source, target) == 0
    second = capsys.readouterr().out
    number = first.split()[0]
    assert second.startswith(f"0 instances were imported, {number} were there already\n0 changes and 0 exports")


def files_in(folder: Path) -> int:
    """Return how many files of attachments there are, while folders come and go."""
    return sum(name.count("-") == 4 for _, _, names in os.walk(folder) for name in names)


@pytest.mark.long
def test_an_import_that_is_killed_goes_on(made: Made, source: Path, target: Path) -> None:
    command = [sys.executable, "-m", "orthanc_lab", "import", str(source), "--storage", str(target)]
    for number in (1, 1, 2, 3, 5, 8):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda least=number, of=process: of.poll() is not None or files_in(target) >= least)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with orthanc_lab.serve(OPTIONS, folder=target) as server:
            half = answers(server.url)
        for path, answer in half.items():
            if path.endswith(("/metadata?expand", "/data")):
                assert answer == made.answers[path]
    assert imported(source, target) == 0
    with orthanc_lab.serve(OPTIONS, folder=target) as server:
        found = answers(server.url)
    for path, answer in made.answers.items():
        if path.endswith(("/metadata?expand", "/data", "/exports", "/labels")) and "until" not in path:
            assert found[path] == answer
    assert found["/changes?limit=1000"] == made.answers["/changes?limit=1000"]


def test_what_is_damaged_is_listed_and_all_else_is_taken(
    source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, missing, short, pipe = (dicom_of(source, number) for number in range(4))
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    missing.unlink()
    short.write_bytes(content[:100])
    pipe.unlink()
    pipe.mkdir()
    with untouched(source):
        told = ended(source, target, capsys, code=1)
    assert "\n4 could not be taken:\n" in told
    assert "the MD5 is not that of the index" in told
    assert f"{missing} is missing" in told
    assert f"{short} has 100 bytes in place of" in told
    assert f"{pipe} is no file" in told
    shutil.copy(damaged, missing)
    assert "\n4 could not be taken:\n" in ended(source, target, capsys, code=1)


def test_a_file_of_another_instance_is_not_taken(
    source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(source)
    with closing(sqlite3.connect(source / "index")) as index, index:
        first, second = index.execute("SELECT id FROM AttachedFiles WHERE fileType = 1 ORDER BY id LIMIT 2").fetchall()
        index.execute("UPDATE AttachedFiles SET id = -1 WHERE id = ? AND fileType = 1", first)
        index.execute("UPDATE AttachedFiles SET id = ? WHERE id = ? AND fileType = 1", (*first, *second))
        index.execute("UPDATE AttachedFiles SET id = ? WHERE id = -1", second)
    told = ended(source, target, capsys, code=1)
    assert told.count("its tags are those of the instance") == 2


def test_another_file_of_an_instance_that_is_there_stays(
    source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = pydicom.dcmread(io.BytesIO(content_of(source, dicom_of(source, 0))))
    file.ImageComments = "another one"
    with orthanc_lab.serve(folder=target) as server, io.BytesIO() as changed:
        file.save_as(changed)
        client = orthanc_lab.Client.from_server(server)
        client.upload(changed.getvalue())
    told = ended(source, target, capsys, code=1)
    assert "1 could not be taken" in told
    assert "another file of this instance is there already, and stays" in told


def test_what_is_there_already_gets_what_it_lacks(made: Made, source: Path, target: Path) -> None:
    with orthanc_lab.serve(folder=target) as server:
        client = orthanc_lab.Client.from_server(server)
        for path in source.rglob("*-*-*-*-*"):
            if path == dicom_of(source, 0):
                client.upload(content_of(source, path))
    assert imported(source, target) == 0
    with orthanc_lab.serve(OPTIONS, folder=target) as server:
        found = answers(server.url)
    for path, answer in made.answers.items():
        if path.endswith(("/data", "/labels")) and "until" not in path:
            assert found[path] == answer


def test_a_running_server_is_left_alone(
    real_program: str, tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RealOrthanc(folder=tmp_path / "real"):
        told = ended(tmp_path / "real" / "storage", target, capsys)
    assert "is in use: stop the Orthanc that owns it" in told


def test_no_server_starts_on_what_is_being_read(real_program: str, source: Path, tmp_path: Path) -> None:
    with (
        untouched(source),
        open_untouched(source / "index", tmp_path / "copies"),
        pytest.raises(RuntimeError, match="database is locked"),
    ):
        RealOrthanc(folder=tmp_path, StorageDirectory=str(source), IndexDirectory=str(source)).start()


def test_the_target_is_another_folder(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with untouched(source):
        assert "the target needs one of its own" in ended(source, source, capsys)
        assert "the target needs one of its own" in ended(source, source / "below", capsys)


def test_a_target_that_is_served_is_left_alone(source: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with orthanc_lab.serve(folder=target):
        assert "already in use by another server" in ended(source, target, capsys)


def test_a_configuration_that_cannot_be_read_began_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path / "nothing.json")]) == 255
    assert capsys.readouterr().err == f"Inexistent file: Inexistent path to configuration: {tmp_path}/nothing.json\n"
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{\n]")
    assert main([str(tmp_path), str(wrong)]) == 255
    assert f"{wrong}, line 2, column 1" in capsys.readouterr().err


def test_a_full_target_ends_the_import_and_later_it_goes_on(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(json.dumps({"StorageDirectory": "target", "MaximumPatientCount": 1}))
    assert main([str(source), str(configuration)]) == 255
    assert "MaximumPatientCount is reached\nThe import ended early" in capsys.readouterr().err
    configuration.write_text(json.dumps({"StorageDirectory": "target"}))
    assert main([str(source), str(configuration)]) == 0


def test_a_disk_that_takes_no_more_ends_the_import_and_later_it_goes_on(source: Path, target: Path) -> None:
    command = [sys.executable, "-m", "orthanc_lab", "import", str(source), "--storage", str(target)]
    limited = ["bash", "-c", 'ulimit -f 20; exec "$@"', "bash", *command]  # kB of a file
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # the limit would cut them
    ended = subprocess.run(limited, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert ended.returncode == 255
    assert "The import ended early; started again, it goes on" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert imported(source, target) == 0


def test_jobs_stay_behind_and_bad_nodes_are_listed(
    source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(source)
    with closing(sqlite3.connect(source / "index")) as index, index:
        statement = "INSERT OR REPLACE INTO GlobalProperties VALUES (?, ?)"
        index.execute(statement, (5, json.dumps({"Jobs": {"a": {}, "b": {}, "c": {}}})))
        index.execute(statement, (21, json.dumps({"good": ["http://127.0.0.1:1/"], "bad": 7})))
        index.execute("INSERT INTO Changes SELECT NULL, 99, internalId, 1, 'never' FROM Resources LIMIT 1")
    told = ended(source, target, capsys, code=1)
    assert "3 jobs stay behind" in told
    assert "OrthancPeers bad: " in told
    assert "a change: its type, level or date is unknown" in told
    with orthanc_lab.serve(OPTIONS, folder=target) as server:
        assert requests.get(f"{server.url}/peers", timeout=10).json() == ["good"]


def test_a_terminal_shows_a_bar() -> None:
    terminal = Terminal()
    progress = Progress(4, terminal)
    progress.show(2)
    progress.end()
    assert terminal.getvalue().endswith("\r[###############               ] 2 of 4 instances\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE GlobalProperties SET value = '7' WHERE property = 1", "has version 7; only version 6"),
        ("DROP TABLE GlobalProperties", "is no index of an Orthanc"),
        ("ALTER TABLE Labels RENAME COLUMN label TO word", "its table Labels is another one"),
    ],
)
def test_another_database_is_refused(
    statement: str, why: str, source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(source)
    with closing(sqlite3.connect(source / "index")) as index, index:
        index.execute(statement)
    with untouched(source):
        assert why in ended(source, target, capsys)


def test_what_is_no_folder_of_an_orthanc_is_refused(
    tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "does not exist" in ended(tmp_path / "nowhere", target, capsys)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "index").write_bytes(b"no database, but text " * 100)
    assert "is damaged, or no index of an Orthanc" in ended(tmp_path / "source", target, capsys)


def test_the_words_must_say_where_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path)])
    assert "either CONFIGURATION or --storage FOLDER" in capsys.readouterr().err


def ended(source: Path, target: Path, capsys: pytest.CaptureFixture[str], *, code: int = 255) -> str:
    """Import, and return what it said in the end."""
    assert imported(source, target) == code
    return "".join(capsys.readouterr())


def settle(source: Path) -> None:
    """Bring what a killed server left in the log into the database."""
    with closing(sqlite3.connect(source / "index")) as index:
        index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        index.execute("PRAGMA journal_mode = DELETE")
        # Its triggers call functions of the server, and would not let the tables be changed.
        for (name,) in index.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            index.execute(f"DROP TRIGGER {name}")
