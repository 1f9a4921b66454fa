"""``/modalities/{name}/query`` and ``/queries``: the same calls to our server and to the real one."""

from __future__ import annotations

from typing import Any

import pytest

from orthanc_lab.dicom.dictionary.tags import PATIENT_ID, ROWS, SERIES_NUMBER
from orthanc_lab.dicom.files.data_set import Element, encode
from orthanc_lab.dicom.files.read import read_data_set
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE
from tests.queries.answering import STUDY, elements, finding, statuses
from tests.queries.conftest import Asked
from tests.queries.scripted_node import PENDING, Conversation, ScriptedNode, element

QUERY = "/modalities/node/query"
ALWAYS = {"0008,0005": b"ISO_IR 100", "0008,0050": b"", "0008,0052": b"STUDY ", "0010,0020": b"", "0020,000d": b""}
PLAIN = {"Level": "Study", "Query": {}}


def make(asked: Asked, path: str = QUERY, body: Any = None) -> str:
    made = asked.post(path, body or PLAIN)
    assert made["Path"] == f"/queries/{made['ID']}"
    return str(made["Path"])


def test_a_query_is_sent_and_kept(asked: Asked) -> None:
    asked.script(finding(STUDY))
    path = make(asked, body={"Level": "Study", "Query": {"PatientName": "DOE*", "StudyDate": ""}, "Normalize": True})
    (sent,) = asked.node.received
    assert elements(sent) == {**ALWAYS, "0008,0020": b"", "0010,0010": b"DOE*"}
    assert sent.command[0x0002] == "1.2.840.10008.5.1.4.1.2.2.1"
    (proposal,) = asked.node.proposals
    assert (proposal.called, proposal.calling, proposal.maximum_length) == ("NODE", "ORTHANC", 16384)
    syntaxes = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2")
    models = ("1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.31")
    assert list(proposal.contexts.values()) == [(model, syntaxes) for model in models]
    assert asked.get(path) == ["answers", "level", "modality", "query", "retrieve"]
    assert asked("GET", path + "/level").text == "Study"
    assert asked("GET", path + "/modality").text == "node"
    assert asked.get(path + "/query?simplify") == {"PatientName": "DOE*", "StudyDate": ""}
    assert asked.get(path + "/query?short") == {"0008,0020": "", "0010,0010": "DOE*"}
    assert asked.get(path + "/answers") == ["0"]


def test_answers(asked: Asked) -> None:
    long = "x" * 5000
    other = element(0x00080018, "1.2.9", "UI") + element(0x00081030, long) + element(0x00200013, "  5 ")
    sequence = element(0x00081110, b"\xfe\xff\x00\xe0\x00\x00\x00\x00", "SQ")
    asked.script(finding(STUDY, element(0x00080008, "A\\B") + other + sequence))
    path = make(asked)
    first = {
        "AccessionNumber": "A1",
        "PatientID": "P1",
        "PatientName": "DOE^JANE",
        "QueryRetrieveLevel": "STUDY",
        "RetrieveAETitle": "NODE",
        "SpecificCharacterSet": "ISO_IR 100",
        "StudyInstanceUID": "1.2.3",
    }
    assert asked.get(path + "/answers/0/content?simplify") == first
    assert asked.get(path + "/answers?expand&simplify")[0] == first
    second = asked.get(path + "/answers/1/content?short")
    assert second == {
        "0002,0003": "1.2.9",
        "0008,0005": "ISO_IR 100",
        "0008,0008": "A\\B",
        "0008,0018": "1.2.9",
        "0008,0052": "STUDY",
        "0008,1030": long,
        "0020,0013": "  5",
    }
    full = asked.get(path + "/answers/0/content")
    assert full["0010,0020"] == {"Name": "PatientID", "Type": "String", "Value": "P1"}
    assert asked.get(path + "/answers?expand")[0] == full


@pytest.mark.parametrize(
    ("index", "status", "code"), [("1", 400, 3), ("-1", 400, 3), ("x", 400, 5), ("9" * 20, 400, 5)]
)
def test_answers_that_are_not_there(asked: Asked, index: str, status: int, code: int) -> None:
    asked.script(finding(STUDY))
    path = make(asked)
    for end in ("", "/content"):
        answer = asked("GET", f"{path}/answers/{index}{end}")
        assert (answer.status_code, answer.json()["OrthancStatus"]) == (400, code)
    assert asked.refused(f"{path}/answers/{index}/retrieve")[:2] == (400, code)
    assert asked.refused(f"{path}/answers/{index}/query-series", {"Query": {}})[:2] == (400, code)


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, EXPLICIT_BE])
def test_answers_in_other_syntaxes(asked: Asked, syntax: str) -> None:
    answer = {PATIENT_ID: Element("LO", b"P1"), ROWS: Element("US", b"\x02\x01"), SERIES_NUMBER: Element("IS", b"7 ")}
    with ScriptedNode(finding(b"".join(encode(answer, syntax))), syntax=syntax) as node:
        asked("PUT", "/modalities/other", ["NODE", "127.0.0.1", node.port])
        path = make(asked, "/modalities/other/query")
        assert read_data_set(node.received[0].data, syntax)[PATIENT_ID].value == b""
        shown = asked.get(path + "/answers/0/content?short")
        assert (shown["0010,0020"], shown["0028,0010"], shown["0020,0011"]) == ("P1", "258", "7")


def test_names_of_any_script_are_shown_whole(ours: Asked) -> None:
    # The real one shows what fits into DefaultEncoding.
    ours.script(finding(element(0x00080005, "ISO_IR 192") + element(0x00100010, "Jé^日本")))
    assert ours.get(make(ours) + "/answers/0/content?simplify")["PatientName"] == "Jé^日本"


@pytest.mark.parametrize(
    ("level", "keys"),
    [
        ("Patient", "0008,0005 0008,0052 0010,0020"),
        ("Series", "0008,0005 0008,0050 0008,0052 0010,0020 0020,000d 0020,000e"),
        ("Image", "0008,0005 0008,0018 0008,0050 0008,0052 0010,0020 0020,000d 0020,000e"),
    ],
)
def test_what_each_level_asks_for(asked: Asked, level: str, keys: str) -> None:
    asked.script(finding())
    foreign = {"Rows": "1", "PatientWeight": "70", "NumberOfPatientRelatedInstances": ""}
    if level == "Patient":
        keys += " 0020,1204"
    make(asked, body={"Level": level, "Query": foreign})
    (sent,) = asked.node.received
    assert " ".join(elements(sent)) == keys


def test_what_is_not_normalized_goes_out_as_it_is(asked: Asked) -> None:
    asked.script(finding())
    make(
        asked,
        body={"Level": "Study", "Query": {"Rows": "12", "PatientName": "é", "Modality": "CT"}, "Normalize": False},
    )
    (sent,) = asked.node.received
    assert elements(sent) == {**ALWAYS, "0008,0060": b"CT", "0010,0010": b"\xe9 ", "0028,0010": b"\x0c\x00"}


def test_the_character_set_of_a_query(asked: Asked) -> None:
    asked.script(finding())
    make(asked, body={"Level": "Study", "Query": {"PatientName": "日本", "SpecificCharacterSet": "ISO_IR 192"}})
    (sent,) = asked.node.received
    assert elements(sent)["0010,0010"] == "日本".encode()
    assert elements(sent)["0008,0005"] == b"ISO_IR 192"


@pytest.mark.parametrize(
    ("name", "date", "patient", "study"),
    [
        ("node", b"* ", b"* ", b""),
        ("dates", b"", b"* ", b""),
        ("universal", b"", b"", b""),
        ("ge", b"* ", b"* ", b"*\0"),
    ],
)
def test_manufacturers_are_asked_as_they_understand(
    asked: Asked, name: str, date: bytes, patient: bytes, study: bytes
) -> None:
    asked.script(finding())
    make(asked, f"/modalities/{name}/query", {"Level": "Study", "Query": {"StudyDate": "*", "PatientName": "*"}})
    (sent,) = asked.node.received
    found = elements(sent)
    assert (found["0008,0020"], found["0010,0010"], found["0020,000d"]) == (date, patient, study)


def test_titles(asked: Asked) -> None:
    asked.script(finding())
    for name, body in (
        ("titled", PLAIN),
        ("titled", {**PLAIN, "LocalAet": "BODY"}),
        ("node", {**PLAIN, "LocalAet": "BODY"}),
    ):
        make(asked, f"/modalities/{name}/query", body)
    assert [proposal.calling for proposal in asked.node.proposals] == ["TITLED", "TITLED", "BODY"]


NO_STRINGS = "Associative array of DICOM tags to strings expected in field: Query"
WRONG: list[tuple[Any, int, str]] = [
    ("", 15, "Must provide a JSON object"),
    ("x", 15, "Must provide a JSON object"),
    ([], 15, "Must provide a JSON object"),
    ({}, 15, "The JSON body must contain field Level"),
    ({"Level": 1, "Query": {}}, 15, "The JSON body must contain field Level"),
    ({"Level": "foo", "Query": {}}, 3, "Invalid resource type 'foo'"),
    ({"Level": "Study", "Query": []}, 15, "The field Query must contain a JSON object"),
    (
        {"Level": "Study", "Query": {"PatientID": 5}},
        15,
        "Associative array of DICOM tags to strings expected in field: Query",
    ),
    (
        {"Level": "Study", "Query": {"Nope": "x"}},
        15,
        "Associative array of DICOM tags to strings expected in field: Query",
    ),
    ({**PLAIN, "Normalize": 1}, 15, "The field Normalize must contain a Boolean"),
    ({**PLAIN, "LocalAet": 1}, 15, "The field LocalAet must contain a string"),
    ({**PLAIN, "LocalAet": None}, 15, "The field LocalAet must contain a string"),
    ({**PLAIN, "Timeout": "5"}, 15, "Integer value expected in field: Timeout"),
    ({**PLAIN, "Timeout": -1}, 15, "Unsigned integer value expected in field: Timeout"),
    (
        {"Level": "Study", "Query": {"Rows": "*"}, "Normalize": False},
        15,
        'While creating a DICOM instance, tag (0028,0010) has out-of-range value: "*"',
    ),
]


@pytest.mark.parametrize(("body", "code", "details"), WRONG)
def test_wrong_bodies(asked: Asked, body: Any, code: int, details: str) -> None:
    assert asked.refused(QUERY, body) == (400, code, details)


def test_unknown_nodes_and_queries(asked: Asked) -> None:
    assert asked.refused("/modalities/zz/query", PLAIN) == (404, 7, "No modality with symbolic name: zz")
    for path in ("/queries/zz", "/queries/zz/answers", "/queries/zz/answers/0/content", "/queries/zz/level"):
        assert asked("GET", path).json()["OrthancStatus"] == 17
    assert asked("DELETE", "/queries/zz").status_code == 200


INVALID = " (unable to process - invalid query ?)"


@pytest.mark.parametrize(
    ("status", "http", "remark"),
    [(0xA700, 500, ""), (0xC001, 500, ""), (0xB000, 500, ""), (0xFE00, 500, ""), (0xC000, 422, INVALID)],
)
def test_statuses_of_failure(asked: Asked, status: int, http: int, remark: str) -> None:
    asked.script(statuses(status))
    words = f'C-FIND SCU to AET "NODE" has failed with DIMSE status 0x{status:04X}{remark}'
    assert asked.refused(QUERY, PLAIN) == (http, 9, words)


def test_nodes_that_are_not_there(asked: Asked) -> None:
    words = 'DicomAssociation - connecting to AET "DEAD": TCP Initialization Error: Connection refused'
    assert asked.refused("/modalities/dead/query", PLAIN) == (500, 9, words)


def test_queries_below_an_answer(asked: Asked) -> None:
    asked.script(finding(STUDY))
    path = make(asked)
    assert asked.get(path + "/answers/0") == ["content", "retrieve", "query-series", "query-instances"]
    series = make(asked, path + "/answers/0/query-series", {"Query": {"Modality": "CT", "StudyInstanceUID": "9"}})
    sent = elements(asked.node.received[-1])
    assert (sent["0008,0052"], sent["0008,0060"], sent["0020,000d"]) == (b"SERIES", b"CT", b"1.2.3\0")
    assert asked.get(series + "/query?simplify") == {"Modality": "CT", "StudyInstanceUID": "1.2.3"}
    assert asked("GET", series + "/level").text == "Series"
    assert asked.get(series + "/answers/0") == ["content", "retrieve", "query-instances"]
    instances = make(asked, path + "/answers/0/query-instances", {})
    assert asked.get(instances + "/answers/0") == ["content", "retrieve"]
    assert asked.refused(series + "/answers/0/query-instances", {}) == (404, 21, "")
    assert asked.refused(path + "/answers/0/query-studies", {})[:2] == (404, 17)
    assert asked.refused(path + "/answers/0/query-series", "x") == (400, 15, "Must provide a JSON object")
    assert asked.refused(path + "/answers/0/query-series", [])[:2] == (500, -1)


def test_queries_below_a_patient(asked: Asked) -> None:
    asked.script(finding(STUDY))
    path = make(asked, body={"Level": "Patient", "Query": {}})
    listed = ["content", "retrieve", "query-study", "query-series", "query-instances"]
    assert asked.get(path + "/answers/0") == listed
    for end, level in (("studies", b"STUDY "), ("series", b"SERIES"), ("instances", b"IMAGE ")):
        make(asked, f"{path}/answers/0/query-{end}", {"Query": {}})
        sent = elements(asked.node.received[-1])
        assert (sent["0008,0052"], sent["0010,0020"]) == (level, b"P1")


def test_the_least_recently_used_query_is_dropped(asked: Asked) -> None:
    asked.script(finding())
    paths = [make(asked) for _ in range(20)]
    asked.get(paths[0])
    paths.append(make(asked))
    assert asked.get("/queries") == sorted(path.removeprefix("/queries/") for path in [paths[0], *paths[2:]])
    assert asked("DELETE", paths[0]).status_code == 200
    assert asked("GET", paths[0]).status_code == 404


def test_the_older_calls(asked: Asked) -> None:
    asked.script(finding(STUDY))
    (patient,) = asked.post("/modalities/node/find", {"PatientName": "D*"})
    assert patient["Studies"][0]["Series"][0]["PatientID"] == "P1"
    assert [elements(sent)["0008,0052"] for sent in asked.node.received] == [b"PATIENT ", b"STUDY ", b"SERIES"]
    assert len(asked.node.proposals) == 1
    identifiers = {"PatientID": "PPP", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4"}
    for end, level in (("patient", b"PATIENT "), ("study", b"STUDY "), ("series", b"SERIES"), ("instance", b"IMAGE ")):
        (found,) = asked.post(f"/modalities/node/find-{end}", identifiers)
        assert found["PatientName"] == "DOE^JANE"
        assert elements(asked.node.received[-1])["0008,0052"] == level
    for end, body in (("", "x"), ("", []), ("-study", {}), ("-series", {"PatientID": "PPP"}), ("-instance", {})):
        answer = asked("POST", f"/modalities/node/find{end}", body)
        assert (answer.status_code, answer.content) == (400, b"")
    assert asked.refused("/modalities/node/find", {"Nope": ""}) == (500, 27, "Nope")


def test_answers_with_warnings_are_answers(asked: Asked) -> None:
    def script(conversation: Conversation) -> None:
        for message in conversation.messages():
            conversation.answer(message, PENDING | 1, STUDY)
            conversation.answer(message, 0)

    asked.script(script)
    assert asked.get(make(asked) + "/answers") == ["0"]
