"""What a download may do to a folder: the name comes from the server, or from another user of it."""

from __future__ import annotations

import errno
import io
import zipfile
from pathlib import Path

import pytest

from orthanc_lab import Client
from orthanc_lab.client import Instance, Study
from orthanc_lab.client.download import safe_name
from tests.client.scripted import Scripted, answer
from tests.full_disk import full_disk


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("study.zip", "study.zip"),
        ("Study 1.ZIP", "Study 1.ZIP"),
        (".bashrc", "bashrc.zip"),
        ("...", "download.zip"),
        ("", "download.zip"),
        (".zip", "download.zip"),
        ("../../x.zip", "x.zip"),
        ("..\\..\\x.zip", "x.zip"),
        ("a/", "download.zip"),
        ("sitecustomize.py", "sitecustomize.py.zip"),
        ("numpy", "numpy.zip"),
        ("CON", "_CON.zip"),
        ("nul.zip", "_nul.zip"),
        ("com1 .zip", "_com1 .zip"),
        ("x.zip. ", "x.zip"),
        ("a:b.zip", "a_b.zip"),
        ("a\u202egpj.zip", "a_gpj.zip"),
        ("a\x00\n.zip", "a__.zip"),
        ("ü" * 5000, f"{'ü' * 100}.zip"),
    ],
)
def test_names(given: str, expected: str) -> None:
    assert safe_name(given, ".zip") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("numpy.py", "numpy.py.data"),
        ("../x.PTH", "x.PTH.data"),
        ("run.sh. ", "run.sh.data"),
    ],
)
def test_no_output_of_a_job_becomes_a_program(given: str, expected: str) -> None:
    assert safe_name(given) == expected


def zip_file() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x", "x")
    return out.getvalue()


@pytest.mark.parametrize("name", [".bashrc", "../.bashrc", "/etc/.bashrc", "..\\.bashrc"])
def test_a_hostile_name_replaces_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / ".bashrc").write_text("mine")
    (tmp_path / "bashrc.zip").write_text("mine, too")
    head = (f'Content-Disposition: attachment; filename="{name}"', "Content-Type: application/zip")
    content = zip_file()
    with Scripted(answer(content, "200 OK", *head)) as server, Client(server.url) as client:
        saved = client.archive("x", tmp_path)
    assert saved == tmp_path / "bashrc-1.zip"
    assert saved.read_bytes() == content
    assert (tmp_path / ".bashrc").read_text() == "mine"
    assert (tmp_path / "bashrc.zip").read_text() == "mine, too"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_cannot_be_given_its_name_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "replace", refuse)
    with (
        Scripted(answer(zip_file(), "200 OK", "Content-Type: application/zip")) as server,
        Client(server.url) as client,
        pytest.raises(OSError, match="Input/output error"),
    ):
        client.archive("x", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_document_that_does_not_fit_on_the_disk_leaves_no_file(tmp_path: Path) -> None:
    with Scripted(answer(bytes(5000), "200 OK")) as server, Client(server.url) as client:
        instance = Instance(client.transport, "x")
        with full_disk(1000), pytest.raises(OSError, match="File too large"):
            instance.save_pdf(tmp_path / "report.pdf")
    assert list(tmp_path.iterdir()) == []


def test_all_that_saves_in_a_folder_replaces_nothing(client: Client, study: Study, tmp_path: Path) -> None:
    body = {"Resources": [study.id], "Asynchronous": True, "Filename": ".profile"}
    job = client.jobs[client.transport.json("POST", "/tools/create-archive", json=body)["ID"]].wait(60)
    instance = study.series[0].instances[0]
    (tmp_path / ".profile").write_text("mine")
    saves = (
        lambda: job.download(tmp_path),
        lambda: client.archive(study, tmp_path),
        lambda: client.media(study, tmp_path),
        lambda: study.archive(tmp_path),
        lambda: study.series[0].media(tmp_path),
        lambda: instance.save(tmp_path),
    )
    saved: list[Path] = []
    for save in saves:
        saved += [save(), save()]
    assert len(set(saved)) == len(saved) == 2 * len(saves)
    assert {path.suffix for path in saved} == {".zip", ".dcm"}
    assert (tmp_path / ".profile").read_text() == "mine"
    assert not [path for path in saved if path.name.startswith(".")]
    assert len(list(tmp_path.iterdir())) == len(saved) + 1


def test_a_name_that_the_user_chose_is_replaced(study: Study, tmp_path: Path) -> None:
    target = tmp_path / "study.zip"
    target.write_text("old")
    assert study.archive(target) == target
    assert zipfile.is_zipfile(target)
