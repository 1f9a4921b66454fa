"""The server stops while a node owes an answer without end: it does not wait for it, and the job goes on later."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.dicom_node import DicomNode
from tests.rest.test_peers import Caller, wait_for_end


@pytest.mark.parametrize(("operation", "permissive"), [("move", False), ("get", True)])
def test_a_stop_interrupts_what_waits_for_a_node(tmp_path: Path, operation: str, permissive: bool) -> None:
    before = set(threading.enumerate())
    with DicomNode(*samples.dicom_files("mr")[:3], aet="NODE") as node:
        node.hold()
        modalities = {"node": {"AET": "NODE", "Host": "127.0.0.1", "Port": node.port}}
        query = {"StudyInstanceUID": node.datasets[0].StudyInstanceUID}
        body: dict[str, Any] = {"Level": "Study", "Resources": [query], "Asynchronous": True, "Permissive": permissive}
        body |= {"Timeout": 0} | ({"TargetAet": "NODE"} if operation == "move" else {})
        node.know("NODE", node.port)
        with orthanc_lab.serve(folder=tmp_path, DicomModalities=modalities) as server:
            job = Caller(server.url)("POST", f"/modalities/node/{operation}", body).json()["ID"]
            node.wait_until_held()
        workers = [thread for thread in threading.enumerate() if thread.name.startswith("jobs-worker")]
        assert not set(workers) - before
        node.let_go()
        with orthanc_lab.serve(folder=tmp_path, DicomModalities=modalities) as server:
            ended = wait_for_end(Caller(server.url), job)
    assert (ended["State"], ended["Progress"]) == ("Success", 100)
