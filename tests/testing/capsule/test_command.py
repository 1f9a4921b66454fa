"""``orthanc-lab capsule``: shows the manifest, asks, saves or not; examples and size."""

from __future__ import annotations

import doctest
import importlib
import io
import pkgutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pydicom
import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.server.command_line import main
from orthanc_lab.testing import Recorder, Recording, capsule, make_capsule
from orthanc_lab.testing.recordings import BytesBody, RecordedExchange, RecordingWriter

MODULES = [module.name for module in pkgutil.iter_modules(capsule.__path__)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("command") / "story.recording"
    with orthanc_lab.serve() as server, Recorder(server.url, path) as proxy, orthanc_lab.Client(proxy.url) as client:
        client.upload(samples.dicom_files("ct")[0])
    return path


def answered(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_it_shows_what_stays_and_asks(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "capsule"
    for answer in ("n\n", "\n", ""):
        answered(monkeypatch, answer)
        assert main(["capsule", str(recording), str(out)]) == 1
        assert list(tmp_path.iterdir()) == []
    assert "(0008,0060) Modality: CT" in capsys.readouterr().out
    answered(monkeypatch, "y\n")
    assert main(["capsule", str(recording), str(out)]) == 0
    shown = capsys.readouterr().out
    with Recording(out) as made:
        assert made.summary["manifest"] in shown
        assert made.header == {"program": made.header["program"], "capsule": True}
        assert made.is_complete
    assert out.stat().st_mode & 0o777 == 0o600
    assert main(["capsule", "--yes", str(recording), str(out)]) == 255
    assert capsys.readouterr().err == f"{out} exists; a capsule needs a new file\n"
    assert main(["capsule", "--yes", str(recording), str(tmp_path / "other")]) == 0


def test_what_is_wrong_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no").write_bytes(b"PK")
    assert main(["capsule", "--yes", str(tmp_path / "no"), str(tmp_path / "out")]) == 255
    assert main(["capsule", "--yes", str(tmp_path / "none"), str(tmp_path / "out")]) == 255
    errors = capsys.readouterr().err.replace(str(tmp_path), "").splitlines()
    assert errors == ["/no is not a recording", "There is no file /none"]
    assert [path.name for path in tmp_path.iterdir()] == ["no"]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"{capsule.__name__}.{name}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "story.recording").write_bytes(recording.read_bytes())
    assert doctest.testmod(module).failed == 0


def test_words_that_promise_too_much_are_nowhere() -> None:
    root = Path(orthanc_lab.__file__).parent / "testing"
    for path in (*root.glob("capsule/*"), *root.glob("recordings/*")):
        with suppress(UnicodeDecodeError, IsADirectoryError):
            text = path.read_text("utf-8").lower()
            assert "anonym" + "ous" not in text, path
            assert "guarant" + "eed" not in text, path


def instances(number: int) -> list[bytes]:
    """CT instances of 128 by 128 noisy pixels."""
    data_set = pydicom.dcmread(samples.dicom_files("ct")[1])
    noise = np.random.default_rng(1)
    data_set.Rows = data_set.Columns = 128
    found = []
    for index in range(number):
        data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.4711.{index}"
        data_set.InstanceNumber = str(index + 1)
        data_set.ImagePositionPatient = [-100.0, -100.0, 2.5 * index]
        data_set.PixelData = noise.integers(0, 4096, 128 * 128, dtype=np.uint16).tobytes()
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, data_set)
        found.append(buffer.getvalue())
    return found


@pytest.mark.parametrize(
    ("number", "most"),
    [(30, 60_000), pytest.param(1000, 1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])],
)
def test_a_capsule_is_small(number: int, most: int, tmp_path: Path) -> None:
    with orthanc_lab.in_process() as server, RecordingWriter(tmp_path / "recording") as writer:
        for content in instances(number):
            answer = server.session.post(f"{server.url}/instances", data=content)
            exchange = RecordedExchange(
                method="POST",
                target="/instances",
                headers=(("content-type", "application/dicom"),),
                body=BytesBody(content),
                status=answer.status_code,
                answer_headers=(("content-type", answer.headers["Content-Type"]),),
                answer=BytesBody(answer.content),
            )
            writer.add(exchange)
    make_capsule(tmp_path / "recording", tmp_path / "capsule")
    assert (tmp_path / "recording").stat().st_size > 20_000 * number
    assert (tmp_path / "capsule").stat().st_size < most
