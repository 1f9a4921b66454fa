"""Archives that our server asks: another one of ours, a real Orthanc, DCMTK's dcmqrscp."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

import orthanc_lab
from orthanc_lab.server.loopback import free_port, is_listening
from orthanc_lab.testing.dicom_peer import DicomPeer
from orthanc_lab.testing.real import RealOrthanc
from tests.programs import program

__all__ = ["ARCHIVES", "Archive"]

Archive = Callable[[list[Path], int, Path], Any]
"""Starts an archive with files, which may send to a port of ours; gives its definition as a modality."""

_TABLES = """
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
lab = (ORTHANC, 127.0.0.1, {ours})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCHIVE {folder} RW (200, 1024mb) ANY
AETable END
"""


@contextmanager
def lab(files: list[Path], ours: int, folder: Path) -> Iterator[Mapping[str, Any]]:
    """Another server of ours."""
    modalities = {"lab": ["ORTHANC", "127.0.0.1", ours]}
    with orthanc_lab.serve(DicomServerEnabled=True, DicomAet="ARCHIVE", DicomModalities=modalities) as server:
        for file in files:
            requests.post(f"{server.url}/instances", data=file.read_bytes(), timeout=20).raise_for_status()
        yield {"AET": "ARCHIVE", "Host": "127.0.0.1", "Port": server.dicom_port}
        assert server.errors == []


@contextmanager
def orthanc(files: list[Path], ours: int, folder: Path) -> Iterator[Mapping[str, Any]]:
    """The real Orthanc."""
    port = free_port()
    modalities = {"lab": ["ORTHANC", "127.0.0.1", ours]}
    options = {"DicomServerEnabled": True, "DicomPort": port, "DicomAet": "ARCHIVE", "DicomModalities": modalities}
    with RealOrthanc(**options) as real:
        for file in files:
            requests.post(f"{real.url}/instances", data=file.read_bytes(), timeout=20).raise_for_status()
        yield {"AET": "ARCHIVE", "Host": "127.0.0.1", "Port": port}


@contextmanager
def dcmqrscp(files: list[Path], ours: int, folder: Path) -> Iterator[Mapping[str, Any]]:
    """DCMTK's archive."""
    path = program("dcmqrscp")
    port = free_port()
    stored = folder / "archive"
    stored.mkdir()
    tables = folder / "dcmqrscp.cfg"
    tables.write_text(_TABLES.format(port=port, ours=ours, folder=stored), "ascii")
    with (folder / "dcmqrscp.log").open("wb") as log:
        process = subprocess.Popen([path, "--config", str(tables)], stdout=log, stderr=log)
        try:
            _wait_until_it_listens(process, port)
            DicomPeer(port, called_aet="ARCHIVE").store(*files)
            yield {"AET": "ARCHIVE", "Host": "127.0.0.1", "Port": port}
        finally:
            process.kill()
            process.wait(20)


ARCHIVES: Mapping[str, Archive] = {"lab": lab, "orthanc": orthanc, "dcmqrscp": dcmqrscp}


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 20
    while not is_listening(port):
        assert process.poll() is None, "dcmqrscp has ended"
        assert time.monotonic() < deadline, "dcmqrscp does not listen"
        time.sleep(0.005)
