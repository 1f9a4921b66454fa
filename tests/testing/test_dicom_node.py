"""The DICOM node does what it is told to, and records what has happened."""

from __future__ import annotations

import doctest
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from orthanc_lab import samples
from orthanc_lab.testing import dicom_node as node_module
from orthanc_lab.testing import dicom_peer as peer_module
from orthanc_lab.testing import dicom_records
from orthanc_lab.testing.dicom_node import DicomNode
from orthanc_lab.testing.dicom_peer import DicomPeer, DicomPeerError
from tests.programs import program
from tests.waiting import until

MR = samples.dicom_files("mr")
STUDY = {"PatientID": "PHANTOM-MR"}


@pytest.fixture(scope="module")
def lasting():
    with DicomNode(samples.path("mr"), aet="ARCHIVE") as node:
        yield node


@pytest.fixture
def node(lasting):
    lasting.recover()
    lasting.wait_until_idle()
    lasting.clear()
    return lasting


@pytest.fixture
def peer(node):
    return DicomPeer(node.port, aet="CALLER", called_aet="ARCHIVE")


@pytest.fixture
def hasty(node):
    """A peer that waits for one second only, for a node that ends a connection in the middle of a message."""
    return DicomPeer(node.port, aet="CALLER", called_aet="ARCHIVE", timeout=1)


def end(node):
    """Return how the only association has ended."""
    node.wait_until_idle()
    (association,) = node.associations
    return association.end


def test_an_association_is_recorded(node, peer):
    assert peer.echo() == 0
    assert end(node) == "released"
    (association,) = node.associations
    assert (association.calling_aet, association.called_aet, association.host) == ("CALLER", "ARCHIVE", "127.0.0.1")
    assert association.accepted == (("1.2.840.10008.1.1", "1.2.840.10008.1.2"),)
    assert node.messages.names == [
        "A-ASSOCIATE-RQ",
        "A-ASSOCIATE-AC",
        "C-ECHO-RQ",
        "C-ECHO-RSP",
        "A-RELEASE-RQ",
        "A-RELEASE-RP",
    ]
    assert [message.is_received for message in node.messages] == [True, False] * 3


def test_the_log_is_a_picture(node, peer):
    peer.store(MR[0])
    end(node)
    picture = node.messages.of(node.associations[0].number)._repr_svg_()
    assert picture.count("<path") == 6
    assert "C-STORE-RSP 0000 Success" in picture
    assert "CALLER" in picture


def test_instances_arrive_with_every_byte(node, peer):
    assert peer.store(*MR) == [0] * 12
    assert [instance.sop_instance for instance in node.instances] == [
        instance.dataset.SOPInstanceUID for instance in node.instances
    ]
    assert node.instances[0].dataset.PixelData == dcmread(MR[0]).PixelData
    assert repr(node).startswith(f"<DicomNode {node.aet} at 127.0.0.1:{node.port}: {len(node.instances)} instances")
    assert len(repr(node.instances[0])) < 400


def test_queries_are_answered_from_its_data_sets(node, peer):
    assert [(answer.PatientID, answer.StudyDescription) for answer in peer.find("STUDY", STUDY, StudyDescription="")]
    assert len(peer.find("IMAGE", STUDY, InstanceNumber="")) == 12
    assert [int(answer.InstanceNumber) for answer in peer.find("IMAGE", InstanceNumber="1")] == [1]
    assert peer.find("STUDY", PatientID="NOBODY") == []
    assert len(peer.find("PATIENT", PatientName="phantom*", model="patient")) == 1
    assert len(peer.find("STUDY", StudyDate="20000101-")) == 1
    assert peer.find("STUDY", StudyDate="-20000101") == []
    assert len(peer.find("STUDY", StudyDate="20*", ModalitiesInStudy="")) == 1


def test_a_worklist_has_no_level(peer, node):
    item = Dataset()
    item.PatientName = "Doe^Jane"
    item.ScheduledProcedureStepSequence = [Dataset()]
    item.ScheduledProcedureStepSequence[0].Modality = "MR"
    node.datasets.append(item)
    try:
        step = Dataset()
        step.Modality = "MR"
        found = peer.find(None, PatientName="", ScheduledProcedureStepSequence=[step], model="worklist")
        step.Modality = "CT"
        none = peer.find(None, PatientName="", ScheduledProcedureStepSequence=[step], model="worklist")
    finally:
        node.datasets.remove(item)
    assert [str(answer.PatientName) for answer in found] == ["Doe^Jane"]
    assert none == []


def test_a_query_can_be_cancelled(node, peer):
    assert len(peer.find("IMAGE", InstanceNumber="", limit=2)) >= 2
    assert "C-CANCEL-RQ" in node.messages.names


def test_what_is_retrieved_arrives(node, peer):
    found = peer.get("STUDY", STUDY)
    assert (found.status, found.completed, len(found.datasets)) == (0, 12, 12)
    with DicomNode(aet="OTHER") as other:
        node.know("OTHER", other.port)
        moved = peer.move("OTHER", "STUDY", STUDY)
        assert (moved.status, moved.completed, len(other.instances)) == (0, 12, 12)
        assert other.instances[0].move_originator == ("ARCHIVE", 1)  # pynetdicom names itself, not who asked
    assert peer.move("NOWHERE", "STUDY", STUDY).status == 0xA801


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Called AE title not recognised"),
        ({"reason": 3}, "Calling AE title not recognised"),
        ({"permanent": False, "source": 3, "reason": 2}, "Transient, Local limit exceeded"),
    ],
)
def test_an_association_is_refused(node, peer, options, words):
    node.refuse_association(**options, times=1)
    with pytest.raises(DicomPeerError, match=words):
        peer.echo()
    assert end(node) == "rejected"
    assert peer.echo() == 0


def test_contexts_are_refused(node, peer):
    node.refuse_contexts("1.2.840.10008.5.1.4.1.1.4")
    with pytest.raises(DicomPeerError, match="none of the presentation contexts"):
        peer.store(MR[0])
    assert peer.echo() == 0
    node.refuse_contexts()
    with pytest.raises(DicomPeerError, match="none of the presentation contexts"):
        peer.echo()
    assert [association.accepted for association in node.associations][::2] == [(), ()]


@pytest.mark.parametrize(
    ("service", "when", "call"),
    [
        ("C-ECHO", "before", lambda peer: peer.echo()),
        ("C-STORE", "before", lambda peer: peer.store(MR[0])[0]),
        ("C-MOVE", "before", lambda peer: peer.move("CALLER", "STUDY", STUDY).status),
        ("C-GET", "before", lambda peer: peer.get("STUDY", STUDY).status),
        ("C-GET", "during", lambda peer: peer.get("STUDY", STUDY).status),
    ],
)
def test_a_service_is_refused_with_a_status(node, peer, service, when, call):
    node.refuse(service, 0xA700, times=1, when=when)
    assert call(peer) == 0xA700
    assert node.instances == []


def test_a_warning_stores(node, peer):
    node.refuse("C-STORE", 0xB000)
    assert peer.store(MR[0]) == [0xB000]
    assert len(node.instances) == 1


def test_a_query_is_refused(node, peer):
    node.refuse("C-FIND", 0xA700, when="during")
    with pytest.raises(DicomPeerError, match="refused the query with status A700"):
        peer.find("IMAGE", InstanceNumber="")
    assert [message.status for message in node.messages if message.status is not None] == [0xFF00, 0xA700]


CALLS = {
    "C-STORE": lambda peer: peer.store(*MR[:3]),
    "C-FIND": lambda peer: peer.find("IMAGE", InstanceNumber=""),
    "C-GET": lambda peer: peer.get("STUDY", STUDY),
}


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize("when", ["before", "during", "after"])
@pytest.mark.parametrize("fault", ["abort", "disconnect"])
def test_an_association_breaks_off(node, hasty, fault, when, service):
    getattr(node, fault)(service, when=when)
    if when == "after" and service != "C-STORE":  # everything has been answered by then
        CALLS[service](hasty)
    else:
        with pytest.raises(DicomPeerError, match="ended the association"):
            CALLS[service](hasty)
    assert end(node) == {"abort": "aborted", "disconnect": "lost"}[fault]
    assert len(node.instances) == (1 if (service, when) == ("C-STORE", "after") else 0)


def test_a_fault_spares_and_hits_as_it_is_told(node, peer):
    node.refuse("C-STORE", 0xA700, after=1, times=2)
    assert peer.store(*MR[:5]) == [0, 0xA700, 0xA700, 0, 0]
    node.recover()
    node.lose(after=1, times=1)
    node.clear()
    assert peer.store(*MR[:3]) == [0, 0, 0]
    assert [instance.dataset.InstanceNumber for instance in node.instances] == [1, 3]


def test_there_is_no_fault_of_an_unknown_service(node):
    with pytest.raises(ValueError, match="no service 'C-SHOUT'"):
        node.refuse("C-SHOUT", 0xA700)


def test_a_response_is_delayed(node):
    node.delay("C-ECHO", 30.0)
    hasty = DicomPeer(node.port, called_aet="ARCHIVE", timeout=0.1)
    with pytest.raises(DicomPeerError, match="without a response"):
        hasty.echo()


def test_responses_are_held(node, peer):
    node.hold()
    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(peer.store, *MR[:2])
        node.wait_until_held()
        assert not sent.done()
        node.let_through(1)
        until(lambda: len(node.instances) == 1)
        node.wait_until_held()
        node.let_go()
        assert sent.result() == [0, 0]


def test_storage_commitment_tells_what_is_there(node, peer):
    from pynetdicom import build_context, evt
    from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

    node.lose(after=1)
    peer.store(*MR[:2])
    reports = []
    with DicomNode(aet="CALLER") as caller:
        caller._server.bind(
            evt.EVT_N_EVENT_REPORT, lambda event: (reports.append(event.event_information), (0, None))[1]
        )
        node.know("CALLER", caller.port)
        request = Dataset()
        request.TransactionUID = "1.2.3"
        request.ReferencedSOPSequence = []
        for dataset in node.datasets[:2]:
            item = Dataset()
            item.ReferencedSOPClassUID = dataset.SOPClassUID
            item.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
            request.ReferencedSOPSequence.append(item)
        model = StorageCommitmentPushModel
        with peer.associate([build_context(model)]) as association:
            status, _ = association.send_n_action(request, 1, model, StorageCommitmentPushModelInstance)
            assert status.Status == 0
        report = until(lambda: reports)[0]
    assert report.TransactionUID == "1.2.3"
    assert len(report.ReferencedSOPSequence) == 1
    assert [item.FailureReason for item in report.FailedSOPSequence] == [0x0112]


def test_nodes_speak_tls(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [program("openssl"), "req", "-x509", *options, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, key)
    with DicomNode(aet="SECURE", tls=serving) as node:
        trusting = ssl.create_default_context(cafile=str(certificate))
        assert DicomPeer(node.port, called_aet="SECURE", tls=trusting).echo() == 0
        assert [message.category for message in node.messages][3] == "Success"


def test_an_address_without_a_node_is_told():
    with DicomNode() as node:
        port = node.port
    with pytest.raises(DicomPeerError, match="does not answer"):
        DicomPeer(port, timeout=5).echo()


def test_a_node_stops_with_open_associations():
    with ThreadPoolExecutor(1) as threads:
        with DicomNode(aet="ARCHIVE") as node:
            node.hold()
            sent = threads.submit(DicomPeer(node.port, called_aet="ARCHIVE", timeout=5).echo)
            node.wait_until_held()
        assert sent.exception() is None or isinstance(sent.exception(), DicomPeerError)


@pytest.mark.parametrize("module", [node_module, peer_module, dicom_records])
def test_the_examples_run(module):
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=options).failed == 0


def test_dcmtk_agrees(node, tmp_path: Path):
    address = ["-aec", "ARCHIVE", "127.0.0.1", str(node.port)]
    subprocess.run([program("echoscu"), *address], check=True, capture_output=True)
    subprocess.run([program("storescu"), *address, str(MR[0])], check=True, capture_output=True)
    assert len(node.instances) == 1
    keys = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=PHANTOM-MR"]
    found = subprocess.run([program("findscu"), *keys, *address], check=True, capture_output=True, text=True)
    assert "PHANTOM-MR" in found.stdout + found.stderr
    subprocess.run([program("getscu"), *keys, "-od", tmp_path, *address], check=True, capture_output=True)
    assert len(list(tmp_path.iterdir())) == 12
