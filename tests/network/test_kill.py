"""``kill -9`` after a C-MOVE or a request of storage commitment was acknowledged: it is done all the same."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.dimse.association import Proposal
from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.protocol.transfer_syntaxes import IMPLICIT_LE
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.dicom_node import DicomNode
from orthanc_lab.testing.dicom_peer import DicomPeer
from orthanc_lab.testing.scenarios.bodies.files import slice_of, written
from tests.network.commitment_bodies import CT, information
from tests.network.report_taker import ReportTaker
from tests.network.wire import COMMITMENT, Wire
from tests.waiting import until

FILES = 20
DEADLINE = 60
_SLICES = [slice_of("P1", "1", "1", number) for number in range(1, FILES + 1)]
_UIDS = {str(one.SOPInstanceUID) for one in _SLICES}


@pytest.fixture(scope="module")
def node() -> Iterator[DicomNode]:
    with DicomNode() as node:
        yield node


@pytest.fixture(scope="module")
def taker() -> Iterator[ReportTaker]:
    with ReportTaker() as taker:
        yield taker


@pytest.fixture(scope="module")
def dicom_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(node: DicomNode, taker: ReportTaker, dicom_port: int) -> Iterator[ServerProcess]:
    options = {
        "DicomServerEnabled": True,
        "DicomPort": dicom_port,
        "DicomAlwaysAllowMove": True,
        "DicomModalities": {"node": node.modality(), "taker": [taker.aet, "127.0.0.1", taker.port]},
        "JobsHistorySize": 1000,
        "SynchronousCMove": False,
    }
    server = ServerProcess("orthanc-lab", f"{sys.executable} -m orthanc_lab serve {{config}}", options)
    server.start()
    for one in _SLICES:
        requests.post(f"{server.url}/instances", data=written(one), timeout=DEADLINE).raise_for_status()
    yield server
    server.remove()


def _all_succeeded(server: ServerProcess) -> bool:
    jobs: list[dict[str, Any]] = requests.get(f"{server.url}/jobs?expand", timeout=DEADLINE).json()
    return all(job["State"] == "Success" for job in jobs)


def test_a_move_is_completed(
    server: ServerProcess, node: DicomNode, dicom_port: int, pytestconfig: pytest.Config
) -> None:
    chance = random.Random(2)
    kills = 0
    while kills < pytestconfig.option.kills:
        node.clear()
        node.hold()
        moved = DicomPeer(dicom_port, called_aet="ORTHANC").move(
            node.aet, "STUDY", StudyInstanceUID=_SLICES[0].StudyInstanceUID
        )
        assert (moved.status, moved.completed) == (0x0000, FILES)
        for _ in range(2):
            node.let_through(chance.randrange(1, FILES // 3))
            node.wait_until_held()
            server.kill()
            kills += 1
            node.hold()
            server.start()
        node.let_go()
        until(lambda: _all_succeeded(server), seconds=DEADLINE)
        node.wait_until_idle()
        assert {instance.sop_instance for instance in node.instances} == _UIDS
        assert {instance.move_originator for instance in node.instances} == {("PEER", 1)}


def test_a_report_is_sent(
    server: ServerProcess, taker: ReportTaker, dicom_port: int, pytestconfig: pytest.Config
) -> None:
    for number in range(max(1, pytestconfig.option.kills // 2)):
        taker.reports.clear()
        with Wire.open(dicom_port, Proposal(COMMITMENT, [IMPLICIT_LE]), aet=taker.aet) as wire:
            fields = {
                Field.REQUESTED_SOP_CLASS_UID: COMMITMENT,
                Field.REQUESTED_SOP_INSTANCE_UID: f"{COMMITMENT}.1",
                Field.ACTION_TYPE_ID: 1,
            }
            data = information(f"1.2.3.{number}", *((CT, uid) for uid in sorted(_UIDS)))
            assert "STATUS=0000" in wire.ask(Operation.N_ACTION, COMMITMENT, data, fields)[0]
            server.kill()
        server.start()
        until(lambda: bool(taker.reports) and _all_succeeded(server), seconds=DEADLINE)
        for report in taker.reports:  # at least once
            assert len(report[-1].ReferencedSOPSequence) == FILES
            assert report[-1].TransactionUID == f"1.2.3.{number}"


def test_a_report_on_a_request_of_ours_survives(server: ServerProcess, node: DicomNode, dicom_port: int) -> None:
    body = {"DicomInstances": [[CT, "1.2.3"]]}
    asked = requests.post(f"{server.url}/modalities/node/storage-commitment", json=body, timeout=DEADLINE).json()
    assert "Path" in asked, asked
    uri = f"{server.url}{asked['Path']}"
    server.kill()
    server.start()
    assert requests.get(uri, timeout=DEADLINE).json()["Status"] == "Pending"
    with Wire.open(dicom_port, Proposal(COMMITMENT, [IMPLICIT_LE]), aet=node.aet) as wire:
        fields = {Field.AFFECTED_SOP_INSTANCE_UID: f"{COMMITMENT}.1", Field.EVENT_TYPE_ID: 1}
        data = information(asked["ID"], (CT, "1.2.3"))
        assert "STATUS=0000" in wire.ask(Operation.N_EVENT_REPORT, COMMITMENT, data, fields)[0]
        server.kill()
    server.start()
    assert requests.get(uri, timeout=DEADLINE).json()["Success"] == [{"SOPClassUID": CT, "SOPInstanceUID": "1.2.3"}]
