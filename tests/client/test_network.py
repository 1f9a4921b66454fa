"""The client and DICOM nodes: the same on our server and on the real one."""

from __future__ import annotations

import socket

import pytest

from orthanc_lab import (
    JobFailedError,
    NotFoundError,
    ResponseError,
    samples,
)
from orthanc_lab.client import known_fields
from orthanc_lab.client.network_advice import network_advice
from orthanc_lab.dimse.modality import FIELDS
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.dicom_node import DicomNode
from orthanc_lab.testing.holding_peer import HoldingPeer

MR = samples.dicom_files("mr")


def test_nodes_are_a_mapping(network):
    assert list(network.modalities) == ["archive"]
    network.modalities.add("spare", AET="SPARE", Host="127.0.0.1", Port=104, AllowMove=False)
    assert len(network.modalities) == 2
    assert "spare" in network.modalities
    spare = network.modalities["spare"]
    assert repr(spare) == "<Modality spare: SPARE at 127.0.0.1:104>"
    spare.configure(Port=11112)
    assert (spare.configuration["Port"], spare.configuration["AllowMove"]) == (11112, False)
    assert network.modalities.configurations()["spare"]["AET"] == "SPARE"
    spare.remove()
    with pytest.raises(KeyError):
        network.modalities["spare"]
    with pytest.raises(ResponseError, match=r"Only alphanumeric.*Orthanc error 15"):
        network.modalities.add("a name", AET="A", Host="h", Port=1)


def test_options_of_nodes_are_those_of_the_server(network):
    assert set(known_fields.MODALITY) == set(FIELDS)
    with pytest.raises(TypeError, match=r"configure\(\) takes no 'timeout'; did you mean 'Timeout'"):
        network.modalities["archive"].configure(timeout=3)


def test_levels_and_methods_are_checked(network):
    modality = network.modalities["archive"]
    query = modality.query("Study", PatientID="PHANTOM*")
    for ask in (modality.query, modality.find, query[0].query):
        with pytest.raises(
            ValueError, match="'Studys' is not a level; there are: 'Patient', 'Study', 'Series', 'Instance'"
        ):
            ask("Studys")
    with pytest.raises(ValueError, match="method must be one of 'C-MOVE', 'C-GET', not 'C-STORE'"):
        query.retrieve(method="C-STORE")


def test_a_node_answers(network, archive):
    network.modalities["archive"].echo()
    network.modalities["archive"].echo(timeout=20, check_find=True)
    assert archive.messages.names.count("C-ECHO-RQ") == 2
    assert archive.associations[0].calling_aet == "LAB"


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (lambda node: node.refuse_association(), "does the node know the AE title of this server"),
        (lambda node: node.refuse_contexts(), "accepts none of the kinds of objects"),
        (lambda node: node.abort("C-ECHO"), "its log says more"),
    ],
)
def test_a_node_that_fails_is_reported_with_advice(network, archive, fault, advice):
    fault(archive)
    with pytest.raises(ResponseError, match=advice):
        network.modalities["archive"].echo()


def test_what_is_no_node_is_reported_with_advice(network):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        places = {
            "No program listens": (free_port(), 20),
            "no DICOM server, or expects TLS": (int(network.url.rpartition(":")[2]), 20),
            "The node is silent": (silent.getsockname()[1], 1),
        }
        for advice, (port, seconds) in places.items():
            other = network.modalities.add("other", AET="OTHER", Host="127.0.0.1", Port=port, Timeout=seconds)
            with pytest.raises(ResponseError, match=advice):
                other.echo()
    with pytest.raises(NotFoundError, match=r"Add it first: client\.modalities\.add"):
        network.studies.find()[0].send("nobody")


@pytest.mark.parametrize("level", ["patients", "studies", "series", "instances"])
def test_resources_are_sent(network, archive, level):
    resource = next(iter(getattr(network, level)))
    job = resource.send("archive", priority=2).wait()
    assert (job.type, job.progress, job.priority) == ("DicomModalityStore", 100, 2)
    assert len(archive.instances) == int(job.content["InstancesCount"]) == (1 if level == "instances" else 10)


def test_a_resource_is_sent_to_another_orthanc(network):
    with HoldingPeer() as peer:
        network.transport.send("PUT", "/peers/other", json={"Url": peer.url})
        job = next(iter(network.instances)).send_to_peer("other", Compress=True).wait()
        network.transport.send("DELETE", "/peers/other")
        assert (job.type, job.content["Compress"]) == ("OrthancPeerStore", True)
        assert sum(line.startswith("POST /instances") for line in peer.seen) == 1


def test_a_selection_and_a_file_are_sent(network, archive):
    modality = network.modalities["archive"]
    modality.store(list(network.instances)[:3]).wait()
    modality.store_straight(MR[0])
    modality.store_straight(MR[1].read_bytes())
    assert [instance.dataset.Modality for instance in archive.instances] == ["CT"] * 3 + ["MR"] * 2


def test_a_failed_job_says_what_to_do_and_is_resubmitted(network, archive):
    archive.refuse("C-STORE", 0xA700, after=4, times=1)
    job = network.studies.find()[0].send("archive")
    with pytest.raises(JobFailedError, match=r"out of resources, such as disk space\. Retry it with job\.resubmit"):
        job.wait()
    job.resubmit().wait()
    assert {instance.sop_instance for instance in archive.instances} == {
        instance.SOPInstanceUID for instance in network.instances
    }


def test_queries_and_their_answers(network):
    query = network.modalities["archive"].query("Study", PatientID="PHANTOM*", StudyDescription="")
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
    assert query.id in [other.id for other in network.queries]
    assert len(network.queries[query.id]) == 1
    query.delete()
    with pytest.raises(KeyError):
        network.queries[query.id]


def test_a_query_finds_nothing(network):
    assert network.modalities["archive"].find("Study", PatientID="NOBODY") == []


def test_a_query_is_refused(network, archive):
    archive.refuse("C-FIND", 0xA700)
    with pytest.raises(ResponseError, match="out of resources"):
        network.modalities["archive"].find("Study", PatientID="")


@pytest.mark.parametrize("method", ["C-MOVE", "C-GET", None])
def test_what_a_query_found_is_retrieved(network, method):
    job = network.modalities["archive"].query("Series", Modality="MR").retrieve(method=method, priority=1).wait()
    assert (job.type, job.priority) == ("DicomGetScu" if method == "C-GET" else "DicomMoveScu", 1)
    assert len(network.series.find(Modality="MR")[0].instances) == 12


def test_one_answer_is_retrieved_elsewhere(network, archive):
    with DicomNode(aet="ELSEWHERE") as elsewhere:
        archive.know("ELSEWHERE", elsewhere.port)
        network.modalities["archive"].find("Study", PatientID="")[0].retrieve(target="ELSEWHERE").wait()
        assert len(elsewhere.instances) == 12
    with pytest.raises(JobFailedError, match="enter the target's AE title and address there"):
        network.modalities["archive"].find("Study", PatientID="")[0].retrieve(target="NOWHERE").wait()


def test_resources_are_moved_and_fetched_by_their_tags(network, archive):
    uid = {"StudyInstanceUID": str(archive.datasets[0].StudyInstanceUID)}
    network.modalities["archive"].move("Study", uid).wait()
    assert len(network.studies.find(**uid)) == 1
    network.studies.find(**uid)[0].delete()
    network.modalities["archive"].get("Study", [uid]).wait()
    assert len(network.studies.find(**uid)) == 1


def test_storage_commitment(network, archive):
    archive.lose(after=9)
    network.studies.find()[0].send("archive").wait()
    request = network.modalities["archive"].storage_commitment(network.studies.find())
    report = request.wait()
    assert (report["Status"], len(report["Success"]), len(report["Failures"])) == ("Failure", 9, 1)
    assert repr(request) == "<StorageCommitment by ARCHIVE: Failure, 9 kept, 1 missing>"


def test_what_a_node_keeps_is_removed(network, archive):
    network.studies.find()[0].send("archive").wait()
    request = network.modalities["archive"].storage_commitment(network.studies.find())
    assert request.wait()["Status"] == "Success"
    request.remove()
    assert len(network.instances) == 0


def test_a_worklist(network, archive):
    assert {item["PatientID"] for item in network.modalities["archive"].worklist(PatientID="*")} == {"PHANTOM-MR"}


def test_advice_is_for_the_network_alone():
    assert network_advice("") == ""
    assert network_advice("Unknown tag") == ""
    assert "unknown host" not in network_advice('connecting to AET "X": Attempt to connect to unknown host: y')
