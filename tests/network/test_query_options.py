"""The options of C-FIND and C-MOVE, on both servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from orthanc_lab.dimse.association import Proposal
from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.protocol.transfer_syntaxes import IMPLICIT_LE
from tests.network.conftest import Server, our_server, real_server
from tests.network.identifiers import UID, Keys, identifier
from tests.network.wire import FIND, MOVE, Wire
from tests.waiting import until

pytestmark = pytest.mark.real

_OPTIONS = {
    "CaseSensitivePN": True,
    "DefaultEncoding": "Utf8",
    "StorageAccessOnFind": "Never",
    "LimitFindResults": 2,
    "LimitFindInstances": 2,
    "SynchronousCMove": False,
    "StorageCommitmentReportsSize": 2,
}
_NAME, _ID, _ROWS, _STUDY = "0010,0010", "0010,0020", "0028,0010", "0020,000d"
CASES: dict[str, tuple[str, Keys]] = {
    "name": ("STUDY", {_NAME: "Test^P1"}),
    "name-in-lower-case": ("STUDY", {_NAME: "test^p1"}),
    "name-pattern": ("STUDY", {_NAME: "test*"}),
    "names": ("STUDY", {_NAME: "", _ID: ""}),
    "not-read-from-the-file": ("STUDY", {_ID: "P1", _ROWS: b"", "0010,4000": ""}),
    "not-compared-with-the-file": ("STUDY", {_ID: "P1", _ROWS: 4}),
    "sequence": ("STUDY", {_ID: "P1", "0008,1140": []}),
    "many-images": ("IMAGE", {_ID: "P1", "0008,0018": ""}),
}


@pytest.fixture(scope="module")
def pair(real_program: str) -> Iterator[tuple[Server, Server]]:
    with our_server(**_OPTIONS) as ours, real_server(**_OPTIONS) as real:
        yield ours, real


def test_find(pair: tuple[Server, Server]) -> None:
    def answers(server: Server) -> dict[str, list[str]]:
        with Wire.open(server.dicom_port, Proposal(FIND["study"], [IMPLICIT_LE])) as wire:
            return {
                name: wire.ask(Operation.C_FIND, FIND["study"], identifier(level, keys))
                for name, (level, keys) in CASES.items()
            }

    ours, real = map(answers, pair)
    assert ours == real


def test_move_as_a_job(pair: tuple[Server, Server]) -> None:
    def move(server: Server) -> list[Any]:
        with Wire.open(server.dicom_port, Proposal(MOVE["study"], [IMPLICIT_LE]), called="ANY") as wire:
            fields = {Field.MOVE_DESTINATION: "PROBE"}
            answered = wire.ask(Operation.C_MOVE, MOVE["study"], identifier("STUDY", {_STUDY: f"{UID}1"}), fields)
        until(lambda: server.job()["State"] == "Success")
        return [answered, server.job()["Content"], server.job()["Type"], server.job()["Priority"]]

    ours, real = map(move, pair)
    assert ours == real


def test_old_reports_are_dropped(pair: tuple[Server, Server]) -> None:
    def ask(server: Server) -> list[int]:
        body = {"DicomInstances": [["1.2", "1.2.3"]]}
        uri = f"{server.url}/modalities/probe/storage-commitment"
        paths = [requests.post(uri, json=body, timeout=30).json()["Path"] for _ in range(3)]
        return [requests.get(f"{server.url}{path}", timeout=30).status_code for path in paths]

    assert [ask(server) for server in pair] == [[404, 200, 200]] * 2


def test_an_encoding_that_dicom_has_no_term_for(real_program: str) -> None:
    def exchanged(server: Server) -> list[Any]:
        with Wire.open(server.dicom_port, Proposal(FIND["study"], [IMPLICIT_LE])) as wire:
            answers = wire.ask(Operation.C_FIND, FIND["study"], identifier("STUDY", {_NAME: "", _ID: "SCSRUSS"}))
        query = {"Level": "Study", "Query": {"PatientName": "Люк*"}}
        requests.post(f"{server.url}/modalities/probe/query", json=query, timeout=30).raise_for_status()
        return [answers, _asked(server)]

    with our_server(DefaultEncoding="Windows1251") as ours, real_server(DefaultEncoding="Windows1251") as real:
        assert exchanged(ours) == exchanged(real)


@pytest.mark.parametrize("kind", ["query", "find-worklist"])
def test_the_character_set_of_a_query_to_a_node(pair: tuple[Server, Server], kind: str) -> None:
    def ask(server: Server, term: Any) -> list[Any]:
        server.node.clear()
        query = {"Level": "Study", "Query": {"PatientName": "Люк*é", "SpecificCharacterSet": term}}
        answer = requests.post(f"{server.url}/modalities/probe/{kind}", json=query, timeout=30)
        return [answer.status_code, answer.text if answer.status_code != 200 else _asked(server)]

    terms = ["", "ISO_IR 100", " iso_ir 144", "GBK", "ISO 2022 IR 87", "NOPE", "ISO_IR 100\\ISO 2022 IR 87", 'é"', "  "]
    if kind == "find-worklist":
        terms += [None, 5, ["ISO_IR 192"]]
    for term in terms:
        ours, real = (ask(server, term) for server in pair)
        assert ours == real, term


def _asked(server: Server) -> list[tuple[Any, bytes]]:
    """Return the character set and the bytes of the name in the queries that the node has received."""
    data_sets = [message.dataset for message in server.node.messages if message.name == "C-FIND-RQ"]
    return [
        (data_set.get("SpecificCharacterSet"), data_set["PatientName"].value.original_string)
        for data_set in data_sets
        if data_set is not None
    ]


def test_the_metrics_of_the_real_server(pair: tuple[Server, Server]) -> None:
    def names(server: Server) -> list[str]:
        lines = requests.get(f"{server.url}/tools/metrics-prometheus", timeout=30).text.splitlines()
        return [line.split()[0] for line in lines if "_scp_" in line]

    ours, real = map(names, pair)
    assert ours == real == ["orthanc_find_scp_duration_ms", "orthanc_move_scp_duration_ms"]
