"""Storage commitment on both servers: as provider, and as user by REST."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from orthanc_lab.dimse.association import Proposal
from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.protocol.transfer_syntaxes import IMPLICIT_LE
from tests.network.commitment_bodies import CT, MR, information
from tests.network.conftest import Server, fill
from tests.network.identifiers import UID
from tests.network.wire import COMMITMENT, Wire
from tests.waiting import until

pytestmark = pytest.mark.real

_INSTANCE = "1.2.840.10008.1.20.1.1"
_PRESENT, _OTHER, _MISSING = f"{UID}1.1.1", f"{UID}1.1.2", f"{UID}9.9.9"

REQUESTS = {
    "all-there": information("1.2.3.1", (CT, _PRESENT), (CT, _OTHER)),
    "some-missing": information("1.2.3.2", (CT, _PRESENT), (CT, _MISSING), (MR, _OTHER)),
    "all-missing": information("1.2.3.3", (CT, _MISSING)),
    "nothing": information("1.2.3.4"),
    "again": information("1.2.3.1", (CT, _PRESENT)),
}
WRONG = {
    "no-sequence": information("1.2.3.5", without_sequence=True),
    "no-transaction": information(None, (CT, _PRESENT)),
    "empty-transaction": information("", (CT, _PRESENT)),
    "no-class": information("1.2.3.6", (None, _PRESENT)),
    "no-data-set": b"\1\2\3",
}


def _action(
    server: Server, data: bytes, *, action: int = 1, instance: str = _INSTANCE, aet: str = "TAKER"
) -> list[str]:
    with Wire.open(server.dicom_port, Proposal(COMMITMENT, [IMPLICIT_LE]), aet=aet) as wire:
        fields = {
            Field.REQUESTED_SOP_CLASS_UID: COMMITMENT,
            Field.REQUESTED_SOP_INSTANCE_UID: instance,
            Field.ACTION_TYPE_ID: action,
        }
        return wire.ask(Operation.N_ACTION, COMMITMENT, data, fields)


def _event(server: Server, data: bytes, event: int) -> list[str]:
    with Wire.open(server.dicom_port, Proposal(COMMITMENT, [IMPLICIT_LE]), scp_roles=[COMMITMENT]) as wire:
        fields = {Field.AFFECTED_SOP_INSTANCE_UID: _INSTANCE, Field.EVENT_TYPE_ID: event}
        return wire.ask(Operation.N_EVENT_REPORT, COMMITMENT, data, fields)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_by_a_report(ours: Server, real: Server, name: str) -> None:
    def commit(server: Server) -> list[object]:
        server.taker.reports.clear()
        answered = _action(server, REQUESTS[name])
        until(lambda: server.taker.reports and server.job()["State"] == "Success")
        return [answered, server.taker.reports, server.job()["Content"]]

    assert commit(ours) == commit(real)


@pytest.mark.parametrize("name", WRONG)
def test_a_broken_request_is_answered_by_an_abort(ours: Server, name: str) -> None:
    """The real server reads on until its time-out, and then ends the association."""
    assert _action(ours, WRONG[name]) == ["the association has ended"]


@pytest.mark.parametrize(("action", "instance"), [(2, _INSTANCE), (1, "1.2.3")])
def test_another_action_is_refused(ours: Server, real: Server, action: int, instance: str) -> None:
    def commit(server: Server) -> list[str]:
        return _action(server, REQUESTS["nothing"], action=action, instance=instance)

    assert commit(ours) == commit(real) == ["the association has ended"]


def test_a_request_of_nobody_is_refused(ours: Server, real: Server) -> None:
    assert _action(ours, REQUESTS["nothing"], aet="NOBODY") == _action(real, REQUESTS["nothing"], aet="NOBODY")


def test_a_job_whose_report_does_not_arrive_fails(ours: Server, real: Server) -> None:
    def commit(server: Server) -> list[object]:
        server.node.refuse_association(times=1)
        _action(server, REQUESTS["all-there"], aet="PROBE")
        until(lambda: server.job()["State"] == "Failure")
        job = server.job()
        return [job["ErrorCode"], job["ErrorDetails"], job["Progress"]]

    assert commit(ours) == commit(real)


BODIES: dict[str, Any] = {
    "empty": {},
    "no-resources": {"Resources": []},
    "no-identifier": {"Resources": ["nope"]},
    "unknown": {"Resources": ["66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"]},
    "text": {"Resources": "66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"},
    "number": {"Resources": [1]},
    "array": ["66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"],
    "no-instances": {"DicomInstances": []},
    "instance-text": {"DicomInstances": ["x"]},
    "instance-empty": {"DicomInstances": [{}]},
    "instance-half": {"DicomInstances": [{"SOPClassUID": CT}]},
    "instance-number": {"DicomInstances": [{"SOPClassUID": 1, "SOPInstanceUID": "1"}]},
    "instances-object": {"DicomInstances": {}},
    "instance": {"DicomInstances": [{"SOPClassUID": CT, "SOPInstanceUID": "1.2.3"}]},
    "instance-array": {"DicomInstances": [[CT, "1.2.3"]]},
    "instance-short-array": {"DicomInstances": [["a"]]},
    "timeout-text": {"Resources": [], "Timeout": "x"},
    "timeout-negative": {"Resources": [], "Timeout": -1},
    "timeout": {"Resources": [], "Timeout": 5},
}


def _post(server: Server, path: str, body: Any) -> requests.Response:
    return requests.post(f"{server.url}{path}", json=body, timeout=30)


def _shown(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, re.sub(r"2\.25\.[0-9]+", "UID", answer.text)


@pytest.mark.parametrize("name", BODIES)
def test_bodies(ours: Server, real: Server, name: str) -> None:
    def post(server: Server) -> tuple[int, Any]:
        return _shown(_post(server, "/modalities/probe/storage-commitment", BODIES[name]))

    assert post(ours) == post(real)


@pytest.mark.parametrize(
    "path",
    ["/modalities/zz/storage-commitment", "/modalities/dead/storage-commitment", "/storage-commitment/zz/remove"],
)
def test_what_is_not_there(ours: Server, real: Server, path: str) -> None:
    def post(server: Server) -> tuple[int, Any]:
        return _shown(_post(server, path, {"Resources": []}))

    assert post(ours) == post(real)


@pytest.mark.parametrize("path", ["", "/zz", "/zz/remove", "/zz/other"])
def test_other_paths(ours: Server, real: Server, path: str) -> None:
    def get(server: Server) -> tuple[int, Any]:
        return _shown(requests.get(f"{server.url}/storage-commitment{path}", timeout=30))

    assert get(ours) == get(real)


def test_a_node_that_refuses(ours: Server, real: Server) -> None:
    def post(server: Server) -> tuple[int, Any]:
        server.node.refuse("N-ACTION", 0x0110, times=1)
        return _shown(_post(server, "/modalities/probe/storage-commitment", {"Resources": []}))

    assert post(ours) == post(real)


def test_reports_are_kept(ours: Server, real: Server) -> None:
    """Success, failure, all reasons; what is unknown, and what is said twice."""

    def told(server: Server) -> list[object]:
        seen: list[object] = [_event(server, information("1.2.3.99", (CT, _PRESENT)), 1)]
        for event, make in (
            (1, lambda uid: information(uid, (CT, "1.2.3"))),
            (1, information),
            (2, lambda uid: information(uid, failures=[(CT, "1.2.3", 0x0112), (CT, "1.2.4", 0x0999)])),
            (2, lambda uid: information(uid, (CT, "1.2.5"), failures=_FAILURES)),
        ):
            answer = _post(server, "/modalities/probe/storage-commitment", BODIES["instance"]).json()
            seen.append(_told(server, answer["Path"]))
            seen.append(_event(server, make(answer["ID"]), event))
            seen.append(_told(server, answer["Path"]))
            seen.append(_shown(_post(server, f"{answer['Path']}/remove", {})))
        return seen

    assert told(ours) == told(real)


_FAILURES = [(CT, "1.2.3", reason) for reason in (0, 0x0110, 0x0119, 0x0122, 0x0131, 0x0213, 0xC000)]


def _told(server: Server, path: str) -> str:
    return requests.get(f"{server.url}{path}", timeout=30).text


@pytest.mark.parametrize("event", [2, 3])
def test_a_broken_report_is_answered_by_an_abort(ours: Server, event: int) -> None:
    assert _event(ours, information("1.2.3", (CT, "1")), event) == ["the association has ended"]


@pytest.mark.parametrize("reported", [(_PRESENT,), (_OTHER,), (f"{UID}1.1", f"{UID}1"), ()])
def test_what_the_report_lists_is_removed(ours: Server, real: Server, reported: tuple[str, ...]) -> None:
    """Also what nobody asked about; studies and series are no instances."""

    def removed(server: Server) -> list[object]:
        request = {"DicomInstances": [[CT, _PRESENT]]}
        answer = _post(server, "/modalities/probe/storage-commitment", request).json()
        seen: list[object] = [_event(server, information(answer["ID"], *((CT, uid) for uid in reported)), 1)]
        seen.append(_shown(_post(server, f"{answer['Path']}/remove", {})))
        seen.append(sorted(requests.get(f"{server.url}/instances", timeout=30).json()))
        fill(server.url, "a1", "a2")
        return [*seen, _told(server, answer["Path"])]

    assert removed(ours) == removed(real)
