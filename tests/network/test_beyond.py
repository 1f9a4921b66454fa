"""Where the DICOM server does better than the real one, on purpose: docs/reference/differences.md lists it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import orthanc_lab
from orthanc_lab.dimse.association import Proposal
from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE, IMPLICIT_LE
from orthanc_lab.testing.scenarios.bodies.files import slice_of, written
from tests.network.commitment_bodies import CT, information
from tests.network.conftest import fill
from tests.network.identifiers import UID, identifier
from tests.network.report_taker import ReportTaker
from tests.network.wire import COMMITMENT, FIND, GET, Wire
from tests.waiting import until

_JPEG_2000 = "1.2.840.10008.1.2.4.90"


@pytest.fixture(scope="module")
def taker() -> Iterator[ReportTaker]:
    with ReportTaker() as taker:
        yield taker


@pytest.fixture(scope="module")
def port(taker: ReportTaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("server")
    options = {
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomModalities": {"taker": [taker.aet, "127.0.0.1", taker.port]},
        "MaximumStorageCacheSize": 0,
    }
    with orthanc_lab.serve(options, folder=folder) as server:
        fill(server.url, "a1", "c1", "d1")
        with orthanc_lab.Client(server.url) as client:
            client.upload(written(slice_of("P3", "5", "1", 1, PixelData=bytes(100_000), Rows=250, Columns=200)))
        (large,) = (path for path in folder.rglob("*") if path.is_file() and 90_000 < path.stat().st_size < 110_000)
        large.unlink()
        yield server.dicom_port


def _get(port: int, keys: dict[str, str], syntax: str) -> list[str]:
    with Wire.open(port, Proposal(GET["study"], [IMPLICIT_LE]), Proposal(CT, [syntax]), scp_roles=[CT]) as wire:
        return wire.ask(Operation.C_GET, GET["study"], identifier("STUDY", keys))


def test_an_instance_is_transcoded_into_what_the_client_accepts(port: int) -> None:
    assert "STATUS=0000" in _get(port, {"0020,000d": f"{UID}3"}, _JPEG_2000)[-1]


def test_an_empty_accession_number_names_nothing(port: int) -> None:
    sent = _get(port, {"0020,000d": f"{UID}3", "0008,0050": ""}, EXPLICIT_LE)
    assert [f"{UID}3.4.1 " in line for line in sent if "PRIORITY" in line] == [True]


def test_pixel_data_are_no_answer(port: int) -> None:
    with Wire.open(port, Proposal(FIND["study"], [IMPLICIT_LE])) as wire:
        answered = wire.ask(Operation.C_FIND, FIND["study"], identifier("IMAGE", {"0010,0020": "P2", "7fe0,0010": b""}))
    assert "7fe0,0010 b''" in answered


def test_an_instance_whose_file_has_vanished_is_not_committed(port: int, taker: ReportTaker) -> None:
    with Wire.open(port, Proposal(COMMITMENT, [IMPLICIT_LE]), aet=taker.aet) as wire:
        fields = {
            Field.REQUESTED_SOP_CLASS_UID: COMMITMENT,
            Field.REQUESTED_SOP_INSTANCE_UID: f"{COMMITMENT}.1",
            Field.ACTION_TYPE_ID: 1,
        }
        wire.ask(Operation.N_ACTION, COMMITMENT, information("1.2.3", (CT, f"{UID}1.1.1"), (CT, f"{UID}5.1.1")), fields)
    until(lambda: bool(taker.reports))
    report = taker.reports[0][-1]
    assert [item.ReferencedSOPInstanceUID for item in report.ReferencedSOPSequence] == [f"{UID}1.1.1"]
    assert [item.FailureReason for item in report.FailedSOPSequence] == [0x0112]


def test_a_client_cancels_a_query(port: int) -> None:
    with Wire.open(port, Proposal(FIND["study"], [IMPLICIT_LE])) as wire:
        answered = wire.ask(Operation.C_FIND, FIND["study"], identifier("STUDY", {"0010,0020": ""}), cancelled=True)
    assert "STATUS=FE00" in answered[-1]
