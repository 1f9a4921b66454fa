"""Clients of others, unmodified: dcmtk's and pynetdicom's programs find, get and move."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from orthanc_lab.server.loopback import free_port
from tests.network.conftest import Server
from tests.network.identifiers import UID
from tests.programs import program

_STUDY = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={UID}1"]
_INSTANCES = {f"{UID}1.1.1", f"{UID}1.1.2", f"{UID}1.1.3", f"{UID}1.2.1"}


def _run(*command: object, folder: Path) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=folder, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _received(folder: Path) -> set[str]:
    return {uid for path in folder.iterdir() for uid in _INSTANCES if path.name.removesuffix(".dcm").endswith(uid)}


def test_dcmtk_finds(ours: Server, tmp_path: Path) -> None:
    keys = ["-k", "PatientID=P1", "-k", "StudyDescription", "-k", "QueryRetrieveLevel=STUDY"]
    said = _run(program("findscu"), "-v", "-S", *keys, "127.0.0.1", ours.dicom_port, folder=tmp_path)
    assert "Study 1" in said
    assert "Study 2" in said


def test_dcmtk_gets(ours: Server, tmp_path: Path) -> None:
    _run(program("getscu"), "-S", *_STUDY, "-od", tmp_path, "127.0.0.1", ours.dicom_port, folder=tmp_path)
    assert _received(tmp_path) == _INSTANCES


def _move_to(ours: Server, aet: str) -> int:

    port = free_port()
    body = {"AET": aet, "Host": "127.0.0.1", "Port": port}
    requests.put(f"{ours.url}/modalities/mover", json=body, timeout=30).raise_for_status()
    return port


def test_dcmtk_moves(ours: Server, tmp_path: Path) -> None:
    port = _move_to(ours, "MOVESCU")
    receiving = ["-aem", "MOVESCU", "+P", port, "-od", tmp_path]
    _run(program("movescu"), "-S", *receiving, *_STUDY, "127.0.0.1", ours.dicom_port, folder=tmp_path)
    assert _received(tmp_path) == _INSTANCES


@pytest.mark.parametrize("app", ["findscu", "getscu", "movescu"])
def test_pynetdicom(ours: Server, tmp_path: Path, app: str) -> None:
    extra: list[object] = []
    if app == "movescu":
        extra = ["-aem", "STORESCP", "--store", "--store-port", _move_to(ours, "STORESCP"), "-od", tmp_path]
    elif app == "getscu":
        extra = ["-od", tmp_path]
    command = [sys.executable, "-m", "pynetdicom", app, "127.0.0.1", ours.dicom_port, "-S", *_STUDY, *extra]
    said = _run(*command, folder=tmp_path)
    assert f"{UID}1" in said if app == "findscu" else _received(tmp_path) == _INSTANCES, said
