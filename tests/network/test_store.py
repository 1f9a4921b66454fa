"""C-STORE: what is stored, and what is answered."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pydicom
import pytest

import orthanc_lab
from orthanc_lab.bench import material
from orthanc_lab.bench.dicom_wire import associate_and_send, dicom_port, echo_message
from orthanc_lab.bench.dicom_wire import store_message as prepared
from tests.network.data_sets import data_set
from tests.network.raw_client import EXPLICIT, STORING, RawClient, store_message
from tests.programs import program
from tests.rest.files import CT_IMAGE, dicom_file, orthanc_id

NO_STUDY = data_set("1.2.7").replace(b"\x20\x00\x0d\x00UI", b"\x20\x00\x0f\x00UI")


def send(server: orthanc_lab.EmbeddedServer, instance: str, data: bytes, sop_class: str = CT_IMAGE) -> int:
    with RawClient(server.dicom_port, STORING) as client:
        response = client.ask(store_message(instance, data, sop_class, number=77))
        assert response.number(0x0120) == 77  # type: ignore[arg-type] # MessageIDBeingRespondedTo
        assert response.text(0x1000) == instance  # type: ignore[arg-type] # AffectedSOPInstanceUID
        client.release()
        return response.status


def test_metadata_and_file(server: orthanc_lab.EmbeddedServer):
    data = data_set("1.2.5", size=40_000)
    assert send(server, "1.2.5", data) == 0
    instance = orthanc_id("P", "1.2", "1.2.3", "1.2.5")
    metadata = server.session.get(f"{server.url}/instances/{instance}/metadata?expand").json()
    assert {name: metadata[name] for name in ("RemoteAET", "CalledAET", "RemoteIP", "Origin", "TransferSyntax")} == {
        "RemoteAET": "RAW",
        "CalledAET": "ORTHANC",
        "RemoteIP": "127.0.0.1",
        "Origin": "DicomProtocol",
        "TransferSyntax": EXPLICIT,
    }
    file = server.session.get(f"{server.url}/instances/{instance}/file").content
    assert file[128:132] == b"DICM"
    assert file.endswith(data), "the data set is stored as it came"
    read = pydicom.dcmread(pydicom.filebase.DicomBytesIO(file))
    assert read.file_meta.MediaStorageSOPInstanceUID == read.SOPInstanceUID == "1.2.5"
    assert read.file_meta.TransferSyntaxUID == EXPLICIT
    metrics = server.session.get(f"{server.url}/tools/metrics-prometheus").text
    assert "orthanc_store_dicom_duration_ms " in metrics


def test_twice(server: orthanc_lab.EmbeddedServer):
    assert send(server, "1.2.5", data_set("1.2.5")) == 0
    changes = server.session.get(f"{server.url}/changes?last").json()["Last"]
    assert send(server, "1.2.5", data_set("1.2.5")) == 0
    assert server.session.get(f"{server.url}/changes?last").json()["Last"] == changes


@pytest.mark.parametrize(
    ("instance", "data", "status"),
    [
        pytest.param("1.2.6", data_set("1.2.5"), 0xA900, id="other instance"),
        pytest.param("1.2.5", b"", 0xC000, id="empty"),
        pytest.param("1.2.5", b"\xff" * 100, 0xC000, id="no data set"),
        pytest.param("1.2.5", data_set("1.2.5")[:-3], 0xC000, id="cut off"),
        pytest.param("1.2.5", data_set("1.2.5", size=1000).replace(b"OB\0\0", b"SQ\0\0"), 0xC000, id="no sequence"),
        pytest.param("1.2.7", NO_STUDY, 0xA700, id="no study"),
    ],
)
def test_refusals(server: orthanc_lab.EmbeddedServer, instance: str, data: bytes, status: int):
    assert send(server, instance, data) == status
    assert server.session.get(f"{server.url}/instances").json() == []


def test_other_class(server: orthanc_lab.EmbeddedServer):
    assert send(server, "1.2.5", data_set("1.2.5"), sop_class="1.2.840.10008.5.1.4.1.1.4") == 0xA900


def test_full_storage_and_read_only(tmp_path: Path):
    with orthanc_lab.serve(MaximumPatientCount=1, MaximumStorageMode="Reject") as server:
        assert send(server, "1.2.5", data_set("1.2.5", patient="A")) == 0
        assert send(server, "1.3.5", data_set("1.3.5", patient="B", study="1.3")) == 0xA700
        server.restart({"ReadOnly": True})
        assert send(server, "1.2.6", data_set("1.2.6", patient="A")) == 0xA700


def test_any_transfer_syntax_is_kept(server: orthanc_lab.EmbeddedServer):
    for number, syntax in enumerate(("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.100")):
        uid = f"1.2.{number}"
        with RawClient(server.dicom_port, [(1, CT_IMAGE, [syntax])]) as client:
            assert client.ask(store_message(uid, data_set(uid))).status == 0
        stored = orthanc_id("P", "1.2", "1.2.3", uid)
        assert server.session.get(f"{server.url}/instances/{stored}/metadata/TransferSyntax").text == syntax


def test_dcmtk(server: orthanc_lab.EmbeddedServer, tmp_path: Path):
    for number in range(3):
        file = dicom_file("D", "1.4", "1.4.1", f"1.4.1.{number}", SOPClassUID=CT_IMAGE)
        (tmp_path / f"{number}.dcm").write_bytes(file)
    run = [program("storescu"), "-aet", "STORESCU", "127.0.0.1", str(server.dicom_port), "+sd", str(tmp_path)]
    subprocess.run(run, check=True, timeout=60)
    subprocess.run([program("echoscu"), "--repeat", "50", "127.0.0.1", str(server.dicom_port)], check=True, timeout=60)
    assert len(server.session.get(f"{server.url}/instances").json()) == 3


def test_the_client_of_the_bench(server: orthanc_lab.EmbeddedServer):
    assert dicom_port(server.port) == server.dicom_port
    associate_and_send(server.dicom_port, [echo_message()] * 3)
    associate_and_send(server.dicom_port, [prepared(file) for file in material.small_instances(4)], associations=2)
    assert len(server.session.get(f"{server.url}/instances").json()) == 4
    with pytest.raises(RuntimeError, match="a900"):
        associate_and_send(
            server.dicom_port, [("1.2.840.10008.5.1.4.1.1.2", store_message("1.2.6", data_set("1.2.5")))]
        )
