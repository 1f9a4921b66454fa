"""The client and DICOM nodes: the same on our server and on the real one."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

import orthanc_lab
from orthanc_lab import (
    Client,
    JobFailedError,
    NotFoundError,
    ResponseError,
    samples,
)
from orthanc_lab.client.network_advice import network_advice
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.dicom_node import DicomNode
from orthanc_lab.testing.real import RealOrthanc

MR = samples.dicom_files("mr")
OPTIONS = {"DicomAet": "LAB", "DicomServerEnabled": True, "DicomScuTimeout": 5}


@pytest.fixture(scope="module")
def archive() -> Iterator[DicomNode]:
    with DicomNode(samples.path("mr"), aet="ARCHIVE") as node:
        yield node


@pytest.fixture(scope="module", params=[pytest.param("real", marks=pytest.mark.real)])
def served(request: pytest.FixtureRequest, archive: DicomNode) -> Iterator[Client]:
    port = free_port()
    archive.know("LAB", port)
    if request.param == "real":
        request.getfixturevalue("real_program")
        with RealOrthanc(DicomPort=port, **OPTIONS) as real:
            yield Client(real.url)
    else:
        with orthanc_lab.serve(DicomPort=port, **OPTIONS) as server:
            yield Client.from_server(server)


@pytest.fixture
def node(archive: DicomNode) -> DicomNode:
    archive.recover()
    archive.clear()
    return archive


@pytest.fixture
def client(served: Client, node: DicomNode) -> Client:
    """A client of a server with ten slices of CT, which knows the archive."""
    for patient in served.patients:
        patient.delete()
    for name in served.modalities:
        served.modalities[name].remove()
    served.upload(samples.path("ct/sharp"))
    served.modalities.add("archive", **node.modality())
    return served


def test_nodes_are_a_mapping(client):
    assert list(client.modalities) == ["archive"]
    client.modalities.add("spare", AET="SPARE", Host="127.0.0.1", Port=104, AllowMove=False)
    assert len(client.modalities) == 2
    assert "spare" in client.modalities
    spare = client.modalities["spare"]
    assert repr(spare) == "<Modality spare: SPARE at 127.0.0.1:104>"
    spare.configure(Port=11112)
    assert (spare.configuration["Port"], spare.configuration["AllowMove"]) == (11112, False)
    assert client.modalities.configurations()["spare"]["AET"] == "SPARE"
    spare.remove()
    with pytest.raises(KeyError):
        client.modalities["spare"]
    with pytest.raises(ResponseError, match=r"Only alphanumeric.*Orthanc error 15"):
        client.modalities.add("a name", AET="A", Host="h", Port=1)


def test_a_node_answers(client, node):
    client.modalities["archive"].echo()
    client.modalities["archive"].echo(timeout=3, check_find=True)
    assert node.messages.names.count("C-ECHO-RQ") == 2
    assert node.associations[0].calling_aet == "LAB"


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (lambda node: node.refuse_association(), "does the node know the AE title of this server"),
        (lambda node: node.refuse_contexts(), "accepts none of the kinds of objects"),
        (lambda node: node.abort("C-ECHO"), "its log says more"),
    ],
)
def test_a_node_that_fails_is_reported_with_advice(client, node, fault, advice):
    fault(node)
    with pytest.raises(ResponseError, match=advice):
        client.modalities["archive"].echo()


def test_what_is_no_node_is_reported_with_advice(client):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        places = {
            "No program listens": free_port(),
            "no DICOM server, or expects TLS": int(client.url.rpartition(":")[2]),
            "The node is silent": silent.getsockname()[1],
        }
        for advice, port in places.items():
            other = client.modalities.add("other", AET="OTHER", Host="127.0.0.1", Port=port, Timeout=1)
            with pytest.raises(ResponseError, match=advice):
                other.echo()
    with pytest.raises(NotFoundError, match=r"Add it first: client\.modalities\.add"):
        client.studies.find()[0].send("nobody")


@pytest.mark.parametrize("level", ["patients", "studies", "series", "instances"])
def test_resources_are_sent(client, node, level):
    resource = next(iter(getattr(client, level)))
    job = resource.send("archive", priority=2).wait()
    assert (job.type, job.progress, job.priority) == ("DicomModalityStore", 100, 2)
    assert len(node.instances) == int(job.content["InstancesCount"]) == (1 if level == "instances" else 10)


def test_a_selection_and_a_file_are_sent(client, node):
    archive = client.modalities["archive"]
    archive.store(list(client.instances)[:3]).wait()
    archive.store_straight(MR[0])
    archive.store_straight(MR[1].read_bytes())
    assert [instance.dataset.Modality for instance in node.instances] == ["CT"] * 3 + ["MR"] * 2


def test_a_failed_job_says_what_to_do_and_is_resubmitted(client, node):
    node.refuse("C-STORE", 0xA700, after=4, times=1)
    job = client.studies.find()[0].send("archive")
    with pytest.raises(JobFailedError, match=r"out of resources, such as disk space\. Retry it with job\.resubmit"):
        job.wait()
    job.resubmit().wait()
    assert {instance.sop_instance for instance in node.instances} == {
        instance.SOPInstanceUID for instance in client.instances
    }


def test_queries_and_their_answers(client):
    query = client.modalities["archive"].query("Study", PatientID="PHANTOM*", StudyDescription="")
    assert (query.level.value, query.modality) == ("Study", "archive")
    assert query.tags == {"PatientID": "PHANTOM*", "StudyDescription": ""}
    (study,) = query
    assert study.StudyDescription == "MR shells"
    assert repr(study) == "<Answer 0: PatientID PHANTOM-MR, StudyDescription MR shells>"
    with pytest.raises(AttributeError, match="Ask for it in the query: StudyTime=''"):
        study.StudyTime  # noqa: B018
    (series,) = study.query("Series", Modality="")
    assert series.Modality == "MR"
    assert len(series.query("Instance", InstanceNumber="")) == 12
    assert "MR shells" in query._repr_html_()
    assert query.id in [other.id for other in client.queries]
    assert len(client.queries[query.id]) == 1
    query.delete()
    with pytest.raises(KeyError):
        client.queries[query.id]


def test_a_query_finds_nothing(client):
    assert client.modalities["archive"].find("Study", PatientID="NOBODY") == []


def test_a_query_is_refused(client, node):
    node.refuse("C-FIND", 0xA700)
    with pytest.raises(ResponseError, match="out of resources"):
        client.modalities["archive"].find("Study", PatientID="")


@pytest.mark.parametrize("method", ["C-MOVE", "C-GET", None])
def test_what_a_query_found_is_retrieved(client, method):
    job = client.modalities["archive"].query("Series", Modality="MR").retrieve(method=method, priority=1).wait()
    assert (job.type, job.priority) == ("DicomGetScu" if method == "C-GET" else "DicomMoveScu", 1)
    assert len(client.series.find(Modality="MR")[0].instances) == 12


def test_one_answer_is_retrieved_elsewhere(client, node):
    with DicomNode(aet="ELSEWHERE") as elsewhere:
        node.know("ELSEWHERE", elsewhere.port)
        client.modalities["archive"].find("Study", PatientID="")[0].retrieve(target="ELSEWHERE").wait()
        assert len(elsewhere.instances) == 12
    with pytest.raises(JobFailedError, match="enter the target's AE title and address there"):
        client.modalities["archive"].find("Study", PatientID="")[0].retrieve(target="NOWHERE").wait()


def test_resources_are_moved_and_fetched_by_their_tags(client, node):
    uid = {"StudyInstanceUID": str(node.datasets[0].StudyInstanceUID)}
    client.modalities["archive"].move("Study", uid).wait()
    assert len(client.studies.find(**uid)) == 1
    client.studies.find(**uid)[0].delete()
    client.modalities["archive"].get("Study", [uid]).wait()
    assert len(client.studies.find(**uid)) == 1


def test_storage_commitment(client, node):
    node.lose(after=9)
    client.studies.find()[0].send("archive").wait()
    request = client.modalities["archive"].storage_commitment(client.studies.find())
    report = request.wait()
    assert (report["Status"], len(report["Success"]), len(report["Failures"])) == ("Failure", 9, 1)
    assert repr(request) == "<StorageCommitment by ARCHIVE: Failure, 9 kept, 1 missing>"


def test_what_a_node_keeps_is_removed(client, node):
    client.studies.find()[0].send("archive").wait()
    request = client.modalities["archive"].storage_commitment(client.studies.find())
    assert request.wait()["Status"] == "Success"
    request.remove()
    assert len(client.instances) == 0


def test_a_worklist(client, node):
    assert {item["PatientID"] for item in client.modalities["archive"].worklist(PatientID="*")} == {"PHANTOM-MR"}


def test_advice_is_for_the_network_alone():
    assert network_advice("") == ""
    assert network_advice("Unknown tag") == ""
    assert "unknown host" not in network_advice('connecting to AET "X": Attempt to connect to unknown host: y')
