"""``/modalities/{name}/move`` and ``get``, ``/queries/{id}/retrieve``: the same calls to our server and a real one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.queries.answering import STUDY, elements, finding, statuses
from tests.queries.conftest import Asked
from tests.queries.scripted_node import C_GET_RQ, C_MOVE_RQ, PENDING, Conversation
from tests.queries.test_queries import PLAIN, QUERY
from tests.waiting import until

RESOURCES = [{"StudyInstanceUID": "1.2.3"}]
STUDY_BODY = {"Level": "Study", "Resources": RESOURCES}
MISSING = "Must provide a JSON body containing fields Resources and Level"
CONTENT = {
    "Description": "REST API",
    "LocalAet": "ORTHANC",
    "Query": [{"0008,0052": "STUDY", "0020,000d": "1.2.3"}],
    "RemoteAet": "NODE",
}
MODELS = "1.2.840.10008.5.1.4.1.2."


def last_job(asked: Asked) -> dict[str, Any]:
    job: dict[str, Any] = max(asked.get("/jobs?expand"), key=lambda job: job["CreationTime"])
    return job


def counted(conversation: Conversation) -> None:
    """Do two sub-operations."""
    for message in conversation.messages():
        conversation.answer(message, PENDING, remaining=1, completed=1, failed=0, warning=0)
        conversation.answer(message, 0, completed=2, failed=0, warning=0)


def test_move(asked: Asked) -> None:
    asked.script(counted)
    assert asked.post("/modalities/node/move", STUDY_BODY) == {**CONTENT, "TargetAet": "ORTHANC"}
    (sent,) = asked.node.received
    assert (sent.command[0x0002], sent.command[0x0600]) == (MODELS + "2.2", "ORTHANC")
    assert elements(sent) == {"0008,0005": b"ISO_IR 100", "0008,0052": b"STUDY ", "0020,000d": b"1.2.3\0"}
    assert [syntax for syntax, _ in asked.node.proposals[0].contexts.values()] == [MODELS + "1.2", MODELS + "2.2"]
    job = last_job(asked)
    assert (job["Type"], job["State"], job["Progress"]) == ("DicomMoveScu", "Success", 100)


def test_a_move_names_the_resource_and_nothing_else(asked: Asked) -> None:
    asked.script(counted)
    resource = {"PatientID": "P1", "StudyInstanceUID": "1.2.3", "PatientName": "x", "SeriesInstanceUID": "1.2.4"}
    content = asked.post("/modalities/node/move", {"Level": "Series", "Resources": [resource], "TargetAet": "T" * 20})
    assert content["TargetAet"] == "T" * 20
    assert content["Query"] == [
        {"0008,0052": "SERIES", "0010,0010": "x", "0010,0020": "P1", "0020,000d": "1.2.3", "0020,000e": "1.2.4"}
    ]
    (sent,) = asked.node.received
    assert list(elements(sent)) == ["0008,0005", "0008,0052", "0020,000d", "0020,000e"]
    assert sent.command[0x0600] == "T" * 16


@pytest.mark.parametrize(
    ("level", "missing"), [("Study", "0020,000d"), ("Series", "0020,000e"), ("Patient", "0010,0020")]
)
def test_a_move_needs_what_names_the_resource(asked: Asked, level: str, missing: str) -> None:
    asked.script(counted)
    resource = {"StudyInstanceUID": "1.2.3"} if level == "Series" else {"PatientName": "x"}
    body = {"Level": level, "Resources": [resource]}
    assert asked.refused("/modalities/node/move", body) == (400, 8, f"Missing tag {missing}")
    assert asked.node.received == []


def test_get(asked: Asked) -> None:
    asked.script(counted)
    resource = {"StudyInstanceUID": "1.2.3", "PatientID": "P1", "Modality": "CT"}
    content = asked.post("/modalities/node/get", {"Level": "Study", "Resources": [resource]})
    query = {"0008,0052": "STUDY", "0008,0060": "CT", "0010,0020": "P1", "0020,000d": "1.2.3"}
    assert content == {**CONTENT, "Query": [query]}
    (sent,) = asked.node.received
    assert (sent.kind, sent.command[0x0002]) == (C_GET_RQ, MODELS + "2.3")
    assert list(elements(sent)) == ["0008,0005", "0008,0052", "0008,0060", "0010,0020", "0020,000d"]
    (proposal,) = asked.node.proposals
    contexts = list(proposal.contexts.values())
    assert [syntax for syntax, _ in contexts[:2]] == [MODELS + "2.3", MODELS + "1.3"]
    assert {syntaxes for _, syntaxes in contexts[2:]} == {("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")}
    assert len(contexts) == 122
    assert {sop_class: (False, True) for sop_class, _ in contexts[2:]} == proposal.roles


def test_a_get_at_the_level_of_patients(asked: Asked) -> None:
    asked.script(counted)
    asked.post("/modalities/node/get", {"Level": "Patient", "Resources": [{"PatientID": "P1"}]})
    assert asked.node.received[0].command[0x0002] == MODELS + "1.3"


def test_instances_have_their_identifier_twice(asked: Asked) -> None:
    asked.script(counted)
    resource = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3", "SOPInstanceUID": "1.4"}
    content = asked.post("/modalities/node/get", {"Level": "Instance", "Resources": [resource]})
    assert content["Query"] == [
        {"0002,0003": "1.4", "0008,0018": "1.4", "0008,0052": "IMAGE", "0020,000d": "1.2", "0020,000e": "1.3"}
    ]


@pytest.mark.parametrize("operation", ["move", "get"])
def test_several_resources_share_an_association(asked: Asked, operation: str) -> None:
    asked.script(counted)
    asked.post(f"/modalities/node/{operation}", {"Level": "Study", "Resources": RESOURCES * 3})
    assert [sent.id for sent in asked.node.received] == [1, 2, 3]
    assert len(asked.node.proposals) == 1


@pytest.mark.parametrize("operation", ["move", "get"])
def test_titles(asked: Asked, operation: str) -> None:
    asked.script(counted)
    content = asked.post(f"/modalities/titled/{operation}", {**STUDY_BODY, "LocalAet": "BODY"})
    assert content["LocalAet"] == "BODY"
    asked.post(f"/modalities/node/{operation}", {**STUDY_BODY, "LocalAet": "BODY"})
    assert [proposal.calling for proposal in asked.node.proposals] == ["TITLED", "BODY"]


WRONG: list[tuple[Any, tuple[int, int, str]]] = [
    ("", (400, 15, MISSING)),
    ([], (400, 15, MISSING)),
    ({"Level": "Study"}, (400, 15, MISSING)),
    ({"Level": 1, "Resources": RESOURCES}, (400, 15, MISSING)),
    ({"Level": "Study", "Resources": {}}, (400, 15, MISSING)),
    ({"Level": "foo", "Resources": RESOURCES}, (400, 3, "Invalid resource type 'foo'")),
    ({"Level": "Study", "Resources": ["x"]}, (400, 15, "Expecting an object in field 'Resources elements'")),
    ({"Level": "Study", "Resources": [{"Nope": "x"}]}, (500, 27, "Nope")),
    ({"Level": "Study", "Resources": [{"PatientID": 5}]}, (400, 15, "Expecting a string in field 'PatientID'")),
    ({**STUDY_BODY, "Timeout": "x"}, (400, 15, "Integer value expected in field: Timeout")),
    ({**STUDY_BODY, "Permissive": 1}, (400, 15, "Boolean value expected in field: Permissive")),
]


@pytest.mark.parametrize("operation", ["move", "get"])
@pytest.mark.parametrize(("body", "expected"), WRONG)
def test_wrong_bodies(asked: Asked, operation: str, body: Any, expected: tuple[int, int, str]) -> None:
    assert asked.refused(f"/modalities/node/{operation}", body) == expected


def test_nodes_that_are_not_there(asked: Asked) -> None:
    dead = 'DicomAssociation - connecting to AET "DEAD": TCP Initialization Error: Connection refused'
    for operation in ("move", "get"):
        assert asked.refused(f"/modalities/dead/{operation}", STUDY_BODY) == (500, 9, dead)
        unknown = asked.refused(f"/modalities/zz/{operation}", STUDY_BODY)
        assert unknown == (404, 7, "No modality with symbolic name: zz")


@pytest.mark.parametrize("status", [0xA701, 0xA801, 0xB000, 0xC001, 0xFE00, 0x0122])
def test_a_move_that_fails(asked: Asked, status: int) -> None:
    asked.script(statuses(status))
    words = f'C-MOVE SCU to AET "NODE" has failed with DIMSE status 0x{status:04X}'
    assert asked.refused("/modalities/node/move", STUDY_BODY) == (500, 9, words)
    job = last_job(asked)
    assert (job["State"], job["ErrorCode"], job["ErrorDetails"], job["Progress"]) == ("Failure", 9, words, 0)


def test_a_move_of_what_is_not_there(asked: Asked) -> None:
    asked.script(statuses(0xC000))
    words = 'C-MOVE SCU to AET "NODE" has failed with DIMSE status 0xC000 (unable to process - resource not found ?)'
    assert asked.refused("/modalities/node/move", STUDY_BODY) == (500, 9, words)


def test_a_get_of_what_is_not_there_is_no_failure(asked: Asked) -> None:
    asked.script(statuses(0xC000))
    assert asked.post("/modalities/hasty/get", STUDY_BODY) == CONTENT


@pytest.mark.parametrize("status", [0xA701, 0xA900, 0xB000, 0xFE00])
def test_a_get_that_fails_is_a_failure(ours: Asked, status: int) -> None:
    # The real one waits for more until its time-out, and says that all is well.
    ours.script(statuses(status))
    words = f'C-GET SCU to AET "NODE" has failed with DIMSE status 0x{status:04X}'
    assert ours.refused("/modalities/node/get", STUDY_BODY) == (500, 9, words)


def test_permissive_jobs_go_on(asked: Asked) -> None:
    asked.script(statuses(0xA801, 0))
    content = asked.post("/modalities/node/move", {"Level": "Study", "Resources": RESOURCES * 2, "Permissive": True})
    assert len(content["Query"]) == 2
    assert len(asked.node.received) == 2


def test_a_resubmitted_job_begins_again(asked: Asked) -> None:
    asked.script(statuses(0, 0xA801))
    body = {"Level": "Study", "Resources": RESOURCES * 2, "Asynchronous": True, "Priority": 3}
    id = asked.post("/modalities/node/move", body)["ID"]
    until(lambda: asked.get(f"/jobs/{id}")["State"] == "Failure")
    assert asked.get(f"/jobs/{id}")["Priority"] == 3
    asked.script(counted)
    asked.post(f"/jobs/{id}/resubmit")
    until(lambda: asked.get(f"/jobs/{id}")["State"] == "Success")
    assert len(asked.node.received) == 2
    assert asked.get(f"/jobs/{id}")["Progress"] == 100


# -- by a query ---------------------------------------------------------------------------------------------------


def query(asked: Asked, name: str = "node", body: Any = None) -> str:
    asked.script(finding(STUDY, STUDY))
    path = asked.post(QUERY.replace("node", name), body or PLAIN)["Path"]
    asked.script(counted)
    return str(path)


ANSWER = {"0008,0050": "A1", "0008,0052": "STUDY", "0010,0020": "P1", "0020,000d": "1.2.3"}


@pytest.mark.parametrize("body", ["", "ORTHANC", {"TargetAet": "ORTHANC"}, {}, {"RetrieveMethod": "SystemDefault"}])
def test_retrieve_all_answers_or_one(asked: Asked, body: Any) -> None:
    path = query(asked)
    content = asked.post(path + "/retrieve", body)
    assert content == {**CONTENT, "Query": [ANSWER, ANSWER], "TargetAet": "ORTHANC"}
    assert [sent.kind for sent in asked.node.received] == [C_MOVE_RQ, C_MOVE_RQ]
    assert asked.post(path + "/answers/1/retrieve", body) == {**content, "Query": [ANSWER]}


def test_methods_of_retrieving(asked: Asked) -> None:
    path = query(asked)
    assert asked.post(path + "/retrieve", {"RetrieveMethod": "C-GET"}) == {**CONTENT, "Query": [ANSWER, ANSWER]}
    path = query(asked, "getting")
    asked.post(path + "/retrieve")
    asked.post(path + "/retrieve", {"RetrieveMethod": "C-MOVE"})
    asked.post(path + "/retrieve", {"RetrieveMethod": "SystemDefault"})
    kinds = [sent.kind for sent in asked.node.received]
    assert kinds == [C_GET_RQ] * 2 + [C_MOVE_RQ] * 4


def test_forms_of_the_content(asked: Asked) -> None:
    path = query(asked) + "/answers/0/retrieve"
    named = {"AccessionNumber": "A1", "PatientID": "P1", "QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.3"}
    assert asked.post(path, {"Simplify": True})["Query"] == [named]
    assert asked.post(path, {"Simplify": True, "Full": True})["Query"] == [named]
    full = asked.post(path, {"Full": True})["Query"][0]["0010,0020"]
    assert full == {"Name": "PatientID", "Type": "String", "Value": "P1"}


def test_retrieve_bodies(asked: Asked) -> None:
    path = query(asked) + "/retrieve"
    for body, expected in (
        ('"ORTHANC"', (500, -1)),
        ("[]", (500, -1)),
        ("null", (400, 15)),
        ({"TargetAet": 1}, (400, 5)),
        ({"Timeout": "x"}, (400, 5)),
        ({"RetrieveMethod": "x"}, (400, 3)),
        ({"RetrieveMethod": 1}, (400, 15)),
        ({"Full": 1}, (400, 15)),
        ({"Simplify": "x"}, (400, 15)),
        ({"Permissive": 1}, (400, 15)),
    ):
        assert asked.refused(path, body)[:2] == expected, body
    assert asked.post(path, "ORTHANC ")["TargetAet"] == "ORTHANC "
    assert asked.post(path, '{"TargetAet":')["TargetAet"] == '{"TargetAet":'
    assert asked.post(path, {"LocalAet": "BODY"})["LocalAet"] == "ORTHANC"


def test_the_title_of_a_query_is_that_of_its_retrieving(asked: Asked) -> None:
    path = query(asked, body={**PLAIN, "LocalAet": "BODY"})
    content = asked.post(path + "/retrieve")
    assert asked.node.proposals[0].calling == "BODY"
    assert content["LocalAet"] == "BODY"


def test_nothing_to_retrieve(asked: Asked) -> None:
    asked.script(finding())
    path = asked.post(QUERY, PLAIN)["Path"]
    assert asked.post(path + "/retrieve") == {**CONTENT, "Query": [], "TargetAet": "ORTHANC"}
    assert len(asked.node.proposals) == 1
