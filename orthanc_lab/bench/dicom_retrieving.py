"""The workloads in which DICOM clients find and retrieve: dcmtk's programs, the same for both servers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from orthanc_lab.bench.wire import Wire
from orthanc_lab.server.loopback import free_port

__all__ = ["RETRIEVING", "finding", "getting", "moving"]

RETRIEVING = {
    "DicomServerEnabled": True,
    "DicomAlwaysAllowFind": True,
    "DicomAlwaysAllowGet": True,
    "DicomAlwaysAllowMove": True,
}
"""The options of both servers."""

_MOVER = "MOVESCU"
_KEYS = ("StudyInstanceUID", "PatientID", "PatientName", "StudyDate", "StudyDescription", "AccessionNumber")
_COUNTED = ("NumberOfStudyRelatedInstances", "ModalitiesInStudy")

Run = Callable[[int], int]


def finding() -> Run:
    """Return a run that finds all studies."""
    keys = [part for key in (*_KEYS, *_COUNTED) for part in ("-k", key)]

    def run(port: int) -> int:
        said = _dcmtk("findscu", "--hide-responses", *keys, port=_dicom_port(port))
        if "(Success)" not in said:
            raise RuntimeError(f"The query failed: {said[-500:]}")
        return said.count("(Pending)")

    return run


def getting() -> Run:
    """Return a run in which a client gets the first study."""
    return _retrieving("getscu", "--ignore")


def moving() -> Run:
    """Return a run in which the first study is moved to the client."""
    receiving = free_port()
    move = _retrieving("movescu", "--ignore", "-aem", _MOVER, "+P", str(receiving))

    def run(port: int) -> int:
        wire = Wire(port)
        wire.call("PUT", "/modalities/mover", {"AET": _MOVER, "Host": "127.0.0.1", "Port": receiving})
        wire.close()
        return move(port)

    return run


def _retrieving(program: str, *arguments: str) -> Run:
    def run(port: int) -> int:
        wire = Wire(port)
        study = wire.get_json("/studies?expand&limit=1&since=0")[0]["MainDicomTags"]["StudyInstanceUID"]
        wire.close()
        said = _dcmtk(program, *arguments, "-k", f"StudyInstanceUID={study}", port=_dicom_port(port))
        received = said.count("Received Store Request" if program == "movescu" else "Received C-STORE Request")
        if "(Success)" not in said or not received:
            raise RuntimeError(f"{program} failed: {said[-500:]}")
        return received

    return run


def _dicom_port(port: int) -> int:
    wire = Wire(port)
    found: int = wire.get_json("/system")["DicomPort"]
    wire.close()
    return found


def _dcmtk(program: str, *arguments: str, port: int) -> str:
    path = shutil.which(program)
    if path is None:
        raise FileNotFoundError(f"{program} is not installed; on Debian and Ubuntu: apt-get install dcmtk")
    command = [path, "-v", "-S", "-k", "QueryRetrieveLevel=STUDY", *arguments, "127.0.0.1", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)  # noqa: S603 - dcmtk's
    return done.stdout + done.stderr
