"""The job that sends to a DICOM node: what arrives, what happens to the association, how it goes on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from orthanc_lab.testing.dicom_node import DicomNode
from tests.archives.files import dicom
from tests.waiting import until

IMPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with orthanc_lab.serve(DicomScuTimeout=5, DicomServerEnabled=False) as server:
        yield server


@pytest.fixture(autouse=True)
def known(server: EmbeddedServer, dicom_node: DicomNode) -> Iterator[None]:
    """The server knows the node, and forgets it and all that was stored."""
    put(server, dicom_node.modality())
    yield
    for patient in server.session.get(f"{server.url}/patients").json():
        server.session.delete(f"{server.url}/patients/{patient}")


def put(server: EmbeddedServer, definition: object) -> None:
    assert server.session.put(f"{server.url}/modalities/node", json=definition).status_code == 200


def upload(server: EmbeddedServer, *files: bytes) -> list[str]:
    return [server.session.post(f"{server.url}/instances", data=file).json()["ID"] for file in files]


def many(count: int, **fields: Any) -> list[bytes]:
    return [dicom(sop=f"1.2.3.{number}", number=str(number), **fields) for number in range(count)]


def submit(server: EmbeddedServer, resources: list[str], **fields: object) -> str:
    body = {"Resources": resources, "Asynchronous": True, **fields}
    answer = server.session.post(f"{server.url}/modalities/node/store", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["ID"])


def job(server: EmbeddedServer, id: str) -> dict[str, Any]:
    view: dict[str, Any] = server.session.get(f"{server.url}/jobs/{id}").json()
    return view


def wait(server: EmbeddedServer, id: str, *states: str) -> dict[str, Any]:
    return until(
        lambda: view if (view := job(server, id))["State"] in (states or ("Success", "Failure")) else None,
        what=lambda: str(job(server, id)),
    )


def act(server: EmbeddedServer, id: str, action: str) -> None:
    assert server.session.post(f"{server.url}/jobs/{id}/{action}").status_code == 200


def received(node: DicomNode) -> list[str]:
    return [instance.sop_instance for instance in node.instances]


def test_what_arrives_is_byte_for_byte_what_is_stored(server: EmbeddedServer, dicom_node: DicomNode) -> None:
    files = [path.read_bytes() for path in samples.dicom_files("mr")[:3]]
    files += many(1, pixels=bytes(300_000), size=(300, 500))
    ids = upload(server, *files)
    assert wait(server, submit(server, ids))["State"] == "Success"
    for file, instance in zip(files, dicom_node.instances, strict=True):
        data_set = instance.file[132 + 12 + int.from_bytes(instance.file[140:144], "little") :]
        assert file.endswith(data_set)
        assert len(data_set) > len(file) - 500
    assert [association.end for association in dicom_node.associations] == ["released"]


def test_a_paused_job_gives_up_its_association_and_goes_on_with_the_next_instance(
    server: EmbeddedServer, dicom_node: DicomNode
) -> None:
    ids = upload(server, *many(8))
    dicom_node.hold()
    id = submit(server, ids)
    dicom_node.let_through(3)
    dicom_node.wait_until_held()
    act(server, id, "pause")
    dicom_node.let_through(1)
    view = wait(server, id, "Paused")
    assert view["Progress"] == 50
    dicom_node.let_go()
    dicom_node.wait_until_idle()
    assert [association.end for association in dicom_node.associations] == ["released"]
    act(server, id, "resume")
    assert wait(server, id)["State"] == "Success"
    assert received(dicom_node) == [f"1.2.3.{number}" for number in range(8)]
    assert len(dicom_node.associations) == 2


def test_a_canceled_job_gives_up_its_association(server: EmbeddedServer, dicom_node: DicomNode) -> None:
    dicom_node.hold()
    id = submit(server, upload(server, *many(3)))
    dicom_node.wait_until_held()
    act(server, id, "cancel")
    dicom_node.let_go()
    assert wait(server, id)["ErrorCode"] == 37
    dicom_node.wait_until_idle()
    assert len(dicom_node.instances) == 1


def test_a_restart_in_the_middle_goes_on_with_the_next_instance(dicom_node: DicomNode, tmp_path: Path) -> None:
    options: dict[str, Any] = {"folder": tmp_path, "DicomModalities": {"node": dicom_node.modality()}}
    dicom_node.hold()
    with orthanc_lab.serve(**options) as server:
        id = submit(server, upload(server, *many(6)), MoveOriginatorAet="MOVER", MoveOriginatorID=7, LocalAet="ME")
        dicom_node.let_through(2)
        dicom_node.wait_until_held()
        threading.Timer(0.1, dicom_node.let_go).start()
    before = len(dicom_node.instances)
    with orthanc_lab.serve(**options) as server:
        view = wait(server, id)
        assert view["State"] == "Success"
        assert view["Content"]["MoveOriginatorAET"] == "MOVER"
    assert 2 <= before <= 6
    assert set(received(dicom_node)) == {f"1.2.3.{number}" for number in range(6)}
    assert {instance.move_originator for instance in dicom_node.instances} == {("MOVER", 7)}
    assert {association.calling_aet for association in dicom_node.associations} == {"ME"}


def test_permissive_jobs_open_another_association_after_one_is_lost(
    server: EmbeddedServer, dicom_node: DicomNode
) -> None:
    ids = upload(server, *many(5))
    dicom_node.abort("C-STORE", after=1)
    dicom_node.disconnect("C-STORE", after=2)
    assert wait(server, submit(server, ids, Permissive=True))["State"] == "Success"
    assert len(dicom_node.instances) == 3
    assert len(dicom_node.associations) == 3


def test_a_failed_job_sends_all_when_it_is_resubmitted(server: EmbeddedServer, dicom_node: DicomNode) -> None:
    ids = upload(server, *many(3))
    dicom_node.refuse("C-STORE", 0xA700, after=1, times=1)
    id = submit(server, ids)
    view = wait(server, id)
    assert (view["State"], view["Progress"]) == ("Failure", 33)
    assert view["ErrorDetails"] == 'C-STORE SCU to AET "NODE" has failed with DIMSE status 0xA700'
    act(server, id, "resubmit")
    assert wait(server, id)["State"] == "Success"
    assert len(dicom_node.instances) == 4


def test_an_instance_that_has_vanished_counts_as_failed(server: EmbeddedServer, dicom_node: DicomNode) -> None:
    ids = upload(server, *many(3))
    dicom_node.hold()
    id = submit(server, ids, Permissive=True)
    dicom_node.wait_until_held()
    server.session.delete(f"{server.url}/instances/{ids[1]}")
    dicom_node.let_go()
    view = wait(server, id)
    assert (view["State"], view["Content"]["FailedInstancesCount"]) == ("Success", 1)
    assert len(dicom_node.instances) == 2


def test_more_contexts_than_an_association_can_have(server: EmbeddedServer, dicom_node: DicomNode) -> None:
    from pynetdicom import AllStoragePresentationContexts

    classes = [str(context.abstract_syntax) for context in AllStoragePresentationContexts[:60]]
    files = [
        dicom(sop=f"1.2.3.{number}.{kind}", sop_class=sop_class, syntax=syntax, pixels=None)
        for number, sop_class in enumerate(classes)
        for kind, syntax in enumerate((IMPLICIT, BIG))
    ]
    view = wait(server, submit(server, upload(server, *files)))
    assert view["ErrorDetails"] == ""
    assert len(dicom_node.instances) == len(files)
    assert {(one.sop_class, one.transfer_syntax) for one in dicom_node.instances} == {
        (sop_class, syntax) for sop_class in classes for syntax in (IMPLICIT, BIG)
    }
    proposals = [len(association.proposed) for association in dicom_node.associations]
    assert max(proposals) <= 128
    assert len(proposals) == 2


def test_an_instance_of_a_class_that_is_refused_is_no_harm_to_the_others(
    server: EmbeddedServer, dicom_node: DicomNode
) -> None:
    dicom_node.refuse_contexts("1.2.840.10008.5.1.4.1.1.4")
    files = [*many(2), *many(1, sop_class="1.2.840.10008.5.1.4.1.1.4", series="1.1.9"), *many(1, series="1.1.8")]
    assert wait(server, submit(server, upload(server, *files), Permissive=True))["State"] == "Success"
    assert {instance.sop_class for instance in dicom_node.instances} == {"1.2.840.10008.5.1.4.1.1.2"}


@pytest.mark.parametrize(
    ("fields", "code", "details"),
    [
        ({"sop_class": ""}, 2014, "Unable to determine the SOP class/instance for C-STORE with AET NODE"),
        (
            {"sop_class": "1." + "2" * 70},
            9,
            f"No valid presentation context was negotiated for SOP class UID [1.{'2' * 70}] and transfer syntax "
            "[1.2.840.10008.1.2.1] while sending to modality [NODE]",
        ),
    ],
)
def test_what_cannot_be_sent(server: EmbeddedServer, fields: dict[str, Any], code: int, details: str) -> None:
    (file,) = many(1, **fields)
    answer = server.session.post(f"{server.url}/modalities/node/store-straight", data=file)
    assert (answer.status_code, answer.json()["OrthancStatus"], answer.json()["Details"]) == (500, code, details)


@pytest.mark.parametrize("aet", ["é", "A\\B", "A\nB", "  "])
def test_titles_that_are_none(server: EmbeddedServer, dicom_node: DicomNode, aet: str) -> None:
    for title, side in (("AET", "Called"), ("LocalAet", "Calling")):
        put(server, dicom_node.modality(**{title: aet}))
        details = server.session.post(f"{server.url}/modalities/node/echo").json()["Details"]
        assert details.endswith(f": Illegal service parameter: {side} AP Title")


def test_storage_commitment_follows(server: EmbeddedServer, dicom_node: DicomNode) -> None:
    ids = upload(server, *many(2))
    id = submit(server, ids, StorageCommitment=True)
    view = wait(server, id)
    assert view["State"] == "Success"
    transaction = view["Content"]["StorageCommitmentTransactionUID"]
    report = server.session.get(f"{server.url}/storage-commitment/{transaction}").json()
    assert report["RemoteAET"] == "NODE"
    assert "N-ACTION-RQ" in {message.name for message in dicom_node.messages}


def test_a_peer_that_does_not_read_is_given_up(server: EmbeddedServer) -> None:
    (id,) = upload(server, *many(1, pixels=bytes(8_000_000), size=(2000, 2000)))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        put(server, {"AET": "DEAF", "Host": "127.0.0.1", "Port": deaf.getsockname()[1], "Timeout": 1})
        view = wait(server, submit(server, [id]))
    assert view["ErrorDetails"] == 'DicomAssociation - connecting to AET "DEAF": DUL network read timeout'


def test_nodes_that_are_put_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    with orthanc_lab.serve(folder=tmp_path, DicomModalitiesInDatabase=True) as server:

        def put_ten(thread: int) -> None:
            for number in range(10):
                server.session.put(f"{server.url}/modalities/m{thread}-{number}", json=["A", "h", 104])

        threads = [threading.Thread(target=put_ten, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.session.get(f"{server.url}/modalities").json()) == 40
