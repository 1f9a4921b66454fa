"""C-GET and C-MOVE on both servers: the same instances in the same order, the same responses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orthanc_lab.dimse.association import Proposal
from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from tests.network.conftest import Server
from tests.network.identifiers import UID, Keys, identifier
from tests.network.wire import GET, MOVE, Wire

pytestmark = pytest.mark.real

_CT, _REPORT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.33"
_ID, _ACCESSION, _STUDY, _SERIES, _INSTANCE = "0010,0020", "0008,0050", "0020,000d", "0020,000e", "0008,0018"
_MPEG2 = "1.2.840.10008.1.2.4.100"

CASES: dict[str, tuple[str | None, Keys]] = {
    "study": ("STUDY", {_STUDY: f"{UID}1"}),
    "study-lower-case-level": ("study", {_STUDY: f"{UID}2"}),
    "study-by-patient": ("STUDY", {_ID: "P1"}),
    "study-by-series": ("STUDY", {_SERIES: f"{UID}1.2"}),
    "study-by-accession": ("STUDY", {_ACCESSION: "A1"}),
    "study-by-accession-in-lower-case": ("STUDY", {_ACCESSION: "a3"}),
    "study-by-accession-with-blank": ("STUDY", {_ACCESSION: " A3"}),
    "study-by-accessions": ("STUDY", {_ACCESSION: "A3\\A1"}),
    "study-by-pattern": ("STUDY", {_ACCESSION: "A*"}),
    "accession-before-uid": ("STUDY", {_ACCESSION: "A3", _STUDY: f"{UID}2"}),
    "unknown-accession": ("STUDY", {_ACCESSION: "ZZ", _STUDY: f"{UID}2"}),
    "studies": ("STUDY", {_STUDY: f"{UID}3\\{UID}2"}),
    "study-twice": ("STUDY", {_STUDY: f"{UID}2\\{UID}2"}),
    "nothing": ("STUDY", {_STUDY: f"{UID}99"}),
    "empty": ("STUDY", {_STUDY: ""}),
    "no-key": ("STUDY", {}),
    "uid-pattern": ("STUDY", {_STUDY: "*"}),
    "unknown-level": ("FOO", {_STUDY: f"{UID}1"}),
    "patient": ("PATIENT", {_ID: "P1"}),
    "patient-in-lower-case": ("PATIENT", {_ID: "p2"}),
    "patient-pattern": ("PATIENT", {_ID: "P*"}),
    "patient-by-study": ("PATIENT", {_STUDY: f"{UID}2"}),
    "series": ("SERIES", {_STUDY: f"{UID}1", _SERIES: f"{UID}1.1"}),
    "series-of-another-study": ("SERIES", {_STUDY: f"{UID}2", _SERIES: f"{UID}1.2"}),
    "series-by-accession": ("SERIES", {_ACCESSION: "A1"}),
    "some-series": ("SERIES", {_SERIES: f"{UID}1.2\\{UID}3.4"}),
    "image": ("IMAGE", {_INSTANCE: f"{UID}1.1.1"}),
    "images": ("IMAGE", {_INSTANCE: f"{UID}1.1.1\\{UID}1.1.2"}),
    "image-by-series": ("IMAGE", {_SERIES: f"{UID}1.2"}),
}
NO_LEVEL: dict[str, Keys] = {
    "study": {_STUDY: f"{UID}1"},
    "image-first": {_ID: "P2", _STUDY: f"{UID}1", _SERIES: f"{UID}1.2", _INSTANCE: f"{UID}1.1.1"},
    "series-before-accession": {_SERIES: f"{UID}1.1", _ACCESSION: "A3"},
    "accession-before-study": {_STUDY: f"{UID}2", _ACCESSION: "A3"},
    "study-before-patient": {_ID: "zz", _STUDY: f"{UID}2"},
}


def _twice(do: Callable[[Server], object], ours: Server, real: Server) -> None:
    assert do(ours) == do(real)


def test_get(ours: Server, real: Server) -> None:
    def all_cases(server: Server) -> dict[str, list[str]]:
        proposals = [Proposal(GET["study"], [IMPLICIT_LE]), Proposal(_CT, [EXPLICIT_LE])]
        with Wire.open(server.dicom_port, *proposals, scp_roles=[_CT]) as wire:
            return {
                name: wire.ask(Operation.C_GET, GET["study"], identifier(level, keys))
                for name, (level, keys) in {**CASES, "no-level": (None, NO_LEVEL["study"])}.items()
            }

    _twice(all_cases, ours, real)


@pytest.mark.parametrize(
    "syntaxes",
    [[IMPLICIT_LE], [EXPLICIT_BE], [EXPLICIT_LE], [_MPEG2]],
    ids=["implicit", "big-endian", "explicit", "mpeg2"],
)
def test_get_in_another_transfer_syntax(ours: Server, real: Server, syntaxes: list[str]) -> None:
    def get(server: Server) -> list[str]:
        proposals = [Proposal(GET["patient"], [IMPLICIT_LE]), Proposal(_CT, syntaxes)]
        with Wire.open(server.dicom_port, *proposals, scp_roles=[_CT]) as wire:
            return wire.ask(Operation.C_GET, GET["patient"], identifier("STUDY", {_STUDY: f"{UID}3"}))

    _twice(get, ours, real)


def test_get_without_a_context_for_the_sop_class(ours: Server, real: Server) -> None:
    def get(server: Server) -> list[str]:
        proposals = [Proposal(GET["study"], [IMPLICIT_LE]), Proposal(_REPORT, [IMPLICIT_LE])]
        with Wire.open(server.dicom_port, *proposals, scp_roles=[_REPORT]) as wire:
            return wire.ask(Operation.C_GET, GET["study"], identifier("STUDY", {_STUDY: f"{UID}3"}))

    _twice(get, ours, real)


@pytest.mark.parametrize("refused", [(2,), (1, 2, 3, 4), ()], ids=["second", "all", "warnings"])
def test_get_of_what_the_client_refuses(ours: Server, real: Server, refused: tuple[int, ...]) -> None:
    """The list of failed instances is where PS3.4 wants it; Orthanc puts it into the command set."""

    def get(server: Server) -> list[str]:
        proposals = [Proposal(GET["study"], [IMPLICIT_LE]), Proposal(_CT, [EXPLICIT_LE])]
        with Wire.open(server.dicom_port, *proposals, scp_roles=[_CT]) as wire:
            status = dict.fromkeys(refused, 42752) or dict.fromkeys(range(5), 0xB000)
            return wire.ask(
                Operation.C_GET,
                GET["study"],
                identifier("STUDY", {_STUDY: f"{UID}1"}),
                status=lambda number: status.get(number, 0),
            )

    answered = get(ours)
    lists = [line for line in answered if line.startswith("0008,0058 ")]
    assert [line.count(UID) for line in lists] == ([len(refused)] if refused else [])
    assert [line for line in answered if line not in lists] == get(real)


def test_move(ours: Server, real: Server) -> None:
    def all_cases(server: Server) -> dict[str, tuple[list[str], list[str]]]:
        found = {}
        cases = {**CASES, **{f"no-level-{name}": (None, keys) for name, keys in NO_LEVEL.items()}}
        with Wire.open(server.dicom_port, Proposal(MOVE["study"], [IMPLICIT_LE])) as wire:
            for name, (level, keys) in cases.items():
                server.node.clear()
                fields = {Field.MOVE_DESTINATION: "PROBE"}
                answered = wire.ask(Operation.C_MOVE, MOVE["study"], identifier(level, keys), fields)
                found[name] = (answered, [instance.sop_instance for instance in server.node.instances])
        return found

    _twice(all_cases, ours, real)


@pytest.mark.parametrize("destination", ["FOO", "probe", "DEAD", ""])
def test_move_to(ours: Server, real: Server, destination: str) -> None:
    def move(server: Server) -> list[str]:
        with Wire.open(server.dicom_port, Proposal(MOVE["study"], [IMPLICIT_LE])) as wire:
            fields = {Field.MOVE_DESTINATION: destination}
            return wire.ask(Operation.C_MOVE, MOVE["study"], identifier("STUDY", {_STUDY: f"{UID}2"}), fields)

    _twice(move, ours, real)


@pytest.mark.parametrize("status", [0xA700, 0xB000])
def test_move_of_what_the_node_refuses(ours: Server, real: Server, status: int) -> None:
    def move(server: Server) -> list[str]:
        server.node.refuse("C-STORE", status, after=1, times=1)
        with Wire.open(server.dicom_port, Proposal(MOVE["study"], [IMPLICIT_LE])) as wire:
            fields = {Field.MOVE_DESTINATION: "PROBE"}
            return wire.ask(Operation.C_MOVE, MOVE["study"], identifier("STUDY", {_STUDY: f"{UID}1"}), fields)

    _twice(move, ours, real)


def test_who_sends_and_for_whom(ours: Server, real: Server) -> None:
    def move(server: Server) -> list[object]:
        server.node.clear()
        with Wire.open(server.dicom_port, Proposal(MOVE["study"], [IMPLICIT_LE]), called="ANY") as wire:
            fields = {Field.MOVE_DESTINATION: "PROBE"}
            wire.ask(Operation.C_MOVE, MOVE["study"], identifier("STUDY", {_STUDY: f"{UID}2"}), fields)
        (association,) = server.node.associations
        (instance,) = server.node.instances
        return [association.calling_aet, association.called_aet, instance.move_originator, instance.transfer_syntax]

    _twice(move, ours, real)
