"""/modalities/{name}/query, find, move and get, and /queries: what is asked, what is shown, what fails."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from orthanc_lab.testing.scenario import Scenario


def _node(aet: str, **fields: Any) -> dict[str, Any]:
    return {"AET": aet, "Host": "127.0.0.1", "Port": "{node}", **fields}


_NODES = {
    "finds": _node("FINDS"),
    "ok": _node("OK"),
    "dates": _node("OK", Manufacturer="GenericNoWildcardInDates"),
    "universal": _node("OK", Manufacturer="GenericNoUniversalWildcard"),
    "vitrea": _node("OK", Manufacturer="Vitrea"),
    "ge": _node("OK", Manufacturer="GE"),
    "titled": _node("OK", LocalAet="TITLED"),
    "getting": _node("FINDS", RetrieveMethod="C-GET"),
    "forbidden": _node("FINDS", AllowFind=False, AllowMove=False, AllowGet=False),
    "dead": ["DEAD", "127.0.0.1", 9],
}
_FAULTS = {
    **{f"status{status.lower()}": f"STATUS {status}" for status in ("0001", "0122", "A700", "A801", "A900", "B000")},
    **{f"status{status.lower()}": f"STATUS {status}" for status in ("C000", "C001", "FE00")},
    "second": "SECOND A700",
    "nothing": "NOTHING",
    "close": "CLOSE",
    "reject": "REJECT 117",
    "abort": "ABORT",
    "mute": "MUTE",
    "gone": "GONE",
    "aborting": "ABORTING",
    "releasing": "RELEASING",
    "otherid": "OTHERID",
    "othertype": "OTHERTYPE",
}
_OPTIONS = {"DicomModalities": _NODES, "DicomScuTimeout": 1, "QueryRetrieveSize": 3}
_FAILING = {"DicomModalities": {name: _node(aet) for name, aet in _FAULTS.items()}, "DicomScuTimeout": 1}
_EVERYTHING = {
    "PatientID": "p*",
    "PatientName": "Ab*",
    "PatientBirthDate": "*",
    "StudyDate": "*",
    "StudyTime": "*",
    "ModalitiesInStudy": "CT\\MR",
    "StudyInstanceUID": "1.2\\1.3",
    "SeriesInstanceUID": "*",
    "SeriesDate": "*",
    "AccessionNumber": "*",
    "Modality": "CT",
    "StudyDescription": "x",
    "0008-1030": "y",
    "InstanceNumber": "*",
    "Rows": "*",
    "NumberOfStudyRelatedInstances": "",
}
_LEVELS = ("Patient", "Study", "Series", "Instance")


def _asking() -> str:
    lines = []
    for level in _LEVELS:
        for name in ("ok", "dates", "universal", "vitrea", "ge"):
            for query in ({}, _EVERYTHING):
                lines.append(f"POST /modalities/{name}/query {json.dumps({'Level': level, 'Query': query})}")
        lines.append("SEEN")
    return "\n".join(lines)


QUERY = """
POST /modalities/ok/query
POST /modalities/ok/query x
POST /modalities/ok/query []
POST /modalities/ok/query null
POST /modalities/ok/query {}
POST /modalities/ok/query {"Level": "Study"}
POST /modalities/ok/query {"Query": {}}
POST /modalities/ok/query {"Level": "studies", "Query": {}}
POST /modalities/ok/query {"Level": "IMAGE", "Query": {}}
POST /modalities/ok/query {"Level": "foo", "Query": {}}
POST /modalities/ok/query {"Level": 1, "Query": {}}
POST /modalities/ok/query {"Level": "Study", "Query": []}
POST /modalities/ok/query {"Level": "Study", "Query": null}
POST /modalities/ok/query {"Level": "Study", "Query": "x"}
POST /modalities/ok/query {"Level": "Study", "Query": {"PatientID": 5}}
POST /modalities/ok/query {"Level": "Study", "Query": {"PatientID": null}}
POST /modalities/ok/query {"Level": "Study", "Query": {"Nope": "x"}}
POST /modalities/ok/query {"Level": "Study", "Query": {"0010,0020": "x", "0010-0010": "é日本"}}
POST /modalities/ok/query {"Level": "Study", "Query": {"PatientID": " x ", "PatientName": "DOE^John "}}
POST /modalities/ok/query {"Level": "Study", "Query": {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "é"}}
POST /modalities/ok/query {"Level": "Study", "Query": {"SpecificCharacterSet": "", "PatientName": "é"}}
POST /modalities/ok/query {"Level": "Study", "Query": {"QueryRetrieveLevel": "SERIES"}}
POST /modalities/ok/query {"Level": "Study", "Query": {"0009-0010": "x", "PixelData": "x"}}
POST /modalities/ok/query {"Level": "Study", "Query": {"ReferencedStudySequence": "x"}}
POST /modalities/ok/query {"Level": "Study", "Query": {"Rows": "x"}, "Normalize": false}
POST /modalities/ok/query {"Level": "Study", "Query": {"Rows": "5", "Modality": "CT"}, "Normalize": false}
POST /modalities/universal/query {"Level": "Study", "Query": {"Rows": "*"}, "Normalize": false}
POST /modalities/universal/query {"Level": "Study", "Query": {"PatientName": "**", "StudyID": "a*", "StudyDate": "2?"}}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "Normalize": "x"}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "LocalAet": "BODY"}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "LocalAet": ""}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "LocalAet": 1}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "LocalAet": "A title of more than 16 letters"}
POST /modalities/titled/query {"Level": "Study", "Query": {}}
POST /modalities/titled/query {"Level": "Study", "Query": {}, "LocalAet": "BODY"}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "Timeout": 5}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "Timeout": 0}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "Timeout": -1}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "Timeout": "5"}
POST /modalities/ok/query {"Level": "Study", "Query": {}, "Timeout": 1.5}
POST /modalities/zz/query {"Level": "Study", "Query": {}}
POST /modalities/zz/query {}
POST /modalities/zz/query
POST /modalities/dead/query {"Level": "Study", "Query": {}}
POST /modalities/forbidden/query {"Level": "Study", "Query": {}}
GET /modalities/ok/query
PUT /modalities/ok/query
SEEN
"""

_FORMS = ("", "?simplify", "?short", "?full", "?simplify&full", "?short&full", "?simplify=false")
_BODIES = ("", "{}", "[]", "x", "null", '{"Query": {}}', '{"Query": {"Modality": "CT"}}', '{"Query": {"Nope": ""}}')


def _answers() -> str:
    lines = ["q = POST /modalities/finds/query " + json.dumps({"Level": "Study", "Query": {"PatientName": "*"}})]
    for path in ("", "/", "/level", "/modality", "/retrieve", "/nope", "/answers", "/answers?expand=false", "/query"):
        lines.append(f"GET /queries/{{q}}{path}")
    lines += [f"GET /queries/{{q}}/query{form}" for form in _FORMS[1:]]
    lines += [f"GET /queries/{{q}}/answers?expand{form.replace('?', '&')}" for form in _FORMS]
    lines += ["GET /queries/{q}/answers?expand=x", "GET /queries/{q}/answers?simplify"]
    for index in ("0", "1", "2"):
        lines += [f"GET /queries/{{q}}/answers/{index}/content{form}" for form in _FORMS]
    for index in ("0", "3", "-1", "01", "x", "99999999999999999999"):
        lines += [
            f"GET /queries/{{q}}/answers/{index}{path}" for path in ("", "/", "/content?short", "/nope", "/retrieve")
        ]
    lines += ["GET /queries", "GET /queries?expand", "POST /queries", "PUT /queries/{q}", "POST /queries/{q}"]
    lines += ["GET /queries/zz", "GET /queries/zz/answers", "GET /queries/zz/answers/0/content", "DELETE /queries/zz"]
    lines += ["DELETE /queries/{q}/answers", "DELETE /queries/{q}", "GET /queries/{q}", "DELETE /queries/{q}"]
    return "\n".join(lines)


def _below() -> str:
    lines = []
    for level in _LEVELS:
        name = level.lower()
        lines.append(f"{name} = POST /modalities/finds/query {json.dumps({'Level': level, 'Query': {}})}")
        lines.append(f"GET /queries/{{{name}}}/answers/0")
        for end in ("query-study", "query-studies", "query-series", "query-instances"):
            lines += [f"below = POST /queries/{{{name}}}/answers/0/{end} " + '{"Query": {"StudyInstanceUID": "9"}}']
            lines += ["GET /queries/{below}/query?simplify", "GET /queries/{below}/level", f"GET /queries/{{{name}}}"]
            lines += [f"POST /queries/{{{name}}}/answers/2/{end} {{}}", f"GET /queries/{{{name}}}/level"]
        lines.append("SEEN")
    lines.append("q = POST /modalities/finds/query " + json.dumps({"Level": "Study", "Query": {}}))
    for body in _BODIES:
        lines += [f"POST /queries/{{q}}/answers/0/query-series {body}", "GET /queries/{q}/level"]
    lines += ["POST /queries/{q}/answers/9/query-series {}", "POST /queries/{q}/answers/x/query-series {}"]
    lines += ['POST /queries/{q}/answers/0/query-series {"Query": {}, "LocalAet": "BODY", "Timeout": 3}', "SEEN"]
    return "\n".join(lines)


RETRIEVE_BODIES = (
    "",
    "ORTHANC",
    "ANY",
    '"ORTHANC"',
    "ORTHANC ",
    "{}",
    "[]",
    "null",
    "1",
    '{"TargetAet":',
    '{"TargetAet": "T"}',
    '{"TargetAet": ""}',
    '{"TargetAet": 1}',
    '{"TargetAet": "A title of more than 16 letters"}',
    '{"Full": true}',
    '{"Simplify": true}',
    '{"Simplify": true, "Full": true}',
    '{"Full": 1}',
    '{"Simplify": "x"}',
    '{"RetrieveMethod": "C-MOVE"}',
    '{"RetrieveMethod": "SystemDefault"}',
    '{"RetrieveMethod": "x"}',
    '{"RetrieveMethod": 1}',
    '{"Timeout": 3}',
    '{"Timeout": "x"}',
    '{"Timeout": -1}',
    '{"LocalAet": "BODY"}',
    '{"Permissive": true, "Priority": 3}',
    '{"Permissive": 1}',
    '{"Priority": "x"}',
    '{"Asynchronous": "x"}',
)


GET_BODIES = (
    "",
    "T",
    '{"RetrieveMethod": "C-GET"}',
    '{"RetrieveMethod": "C-GET", "TargetAet": "T", "Full": true}',
    '{"RetrieveMethod": "C-MOVE"}',
    '{"RetrieveMethod": "SystemDefault"}',
    '{"TargetAet": 1}',
    '{"Simplify": true}',
)


def _retrieving() -> str:
    lines = ["q = POST /modalities/finds/query " + json.dumps({"Level": "Study", "Query": {}})]
    for body in RETRIEVE_BODIES:
        lines += [f"POST /queries/{{q}}/answers/0/retrieve {body}", f"POST /queries/{{q}}/retrieve {body}"]
    lines += ["POST /queries/{q}/answers/9/retrieve", "POST /queries/{q}/answers/x/retrieve", "SEEN"]
    lines += ["o = POST /modalities/forbidden/query " + json.dumps({"Level": "Study", "Query": {}})]
    lines += ["POST /queries/{o}/answers/0/retrieve"]
    for level in _LEVELS:
        lines.append(f"l = POST /modalities/finds/query {json.dumps({'Level': level, 'Query': {}})}")
        lines += ["POST /queries/{l}/answers/0/retrieve", "SEEN"]
    lines += ['job = POST /queries/{o}/answers/0/retrieve {"Asynchronous": true, "Priority": 4}', "WAIT {job}"]
    lines += ["GET /jobs/{job}"]
    return "\n".join(lines)


def _getting() -> str:
    lines = ["q = POST /modalities/getting/query " + json.dumps({"Level": "Study", "Query": {}})]
    for body in GET_BODIES:
        lines += [f"POST /queries/{{q}}/answers/0/retrieve {body}", f"POST /queries/{{q}}/retrieve {body}"]
    for level in _LEVELS:
        lines.append(f"l = POST /modalities/getting/query {json.dumps({'Level': level, 'Query': {}})}")
        lines += ["POST /queries/{l}/answers/0/retrieve", 'POST /queries/{l}/retrieve {"RetrieveMethod": "C-GET"}']
    return "\n".join([*lines, "SEEN"])


_STUDY: dict[str, Any] = {"Level": "Study", "Resources": [{"StudyInstanceUID": "1.2.3"}]}
_RESOURCES: tuple[Any, ...] = (
    {"Level": "Study"},
    {"Resources": []},
    {"Level": "Study", "Resources": {}},
    {"Level": "Study", "Resources": ["x"]},
    {"Level": 1, "Resources": _STUDY["Resources"]},
    {"Level": "foo", "Resources": _STUDY["Resources"]},
    {"Level": "Study", "Resources": [{"Nope": "x"}]},
    {"Level": "Study", "Resources": [{"PatientID": 5}]},
    {"Level": "Study", "Resources": []},
    {"Level": "Series", "Resources": [{"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3"}]},
    {"Level": "Instance", "Resources": [{"StudyInstanceUID": "1", "SeriesInstanceUID": "2", "SOPInstanceUID": "3"}]},
    {
        "Level": "Study",
        "Resources": [{"StudyInstanceUID": "1.2", "PatientName": "é", "0008,0060": "CT", "PatientID": "x"}],
    },
    {"Level": "Study", "Resources": _STUDY["Resources"] * 3},
    {**_STUDY, "TargetAet": "T"},
    {**_STUDY, "TargetAet": "A title of more than 16 letters"},
    {**_STUDY, "TargetAet": 1},
    {**_STUDY, "LocalAet": "BODY"},
    {**_STUDY, "LocalAet": 1},
    {**_STUDY, "Timeout": 3},
    {**_STUDY, "Timeout": "x"},
    {**_STUDY, "Timeout": -1},
    {**_STUDY, "Full": True, "Simplify": True},
    {**_STUDY, "Permissive": 1},
    {**_STUDY, "Priority": "x"},
    {**_STUDY, "Synchronous": 1},
)


def _moving(operation: str) -> str:
    lines = [f"POST /modalities/finds/{operation} {body}" for body in ("", "x", "[]", "{}", "null")]
    lines += [f"POST /modalities/finds/{operation} {json.dumps(body)}" for body in _RESOURCES]
    for name in ("zz", "dead", "titled", "forbidden", "getting"):
        lines.append(f"POST /modalities/{name}/{operation} {json.dumps(_STUDY)}")
    lines += [f"GET /modalities/finds/{operation}", "SEEN"]
    lines += [f"job = POST /modalities/finds/{operation} {json.dumps({**_STUDY, 'Asynchronous': True, 'Priority': 2})}"]
    lines += ["WAIT {job}", "GET /jobs/{job}"]
    return "\n".join(lines)


def _missing() -> str:
    lines = []
    for level in _LEVELS:
        for resource in ({}, {"PatientName": "x"}, {"StudyInstanceUID": "1.2"}, {"SeriesInstanceUID": "1.3"}):
            lines.append(f"POST /modalities/ok/move {json.dumps({'Level': level, 'Resources': [resource]})}")
    return "\n".join([*lines, "SEEN"])


OLDER = """
POST /modalities/finds/find {}
POST /modalities/finds/find {"PatientID": "P1", "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3"}
POST /modalities/finds/find {"Level": "Study"}
POST /modalities/finds/find []
POST /modalities/finds/find x
POST /modalities/finds/find
POST /modalities/zz/find {}
SEEN
"""


def _older() -> str:
    lines = [OLDER]
    bodies: tuple[Any, ...] = (
        {},
        [],
        {"PatientID": "PP"},
        {"PatientID": "PPP", "PatientName": "*", "Rows": "x"},
        {"AccessionNumber": "AAAA"},
        {"StudyInstanceUID": "1.2.3"},
        {"PatientID": "PPP", "StudyInstanceUID": "1.2.3"},
        {"PatientID": "PPP", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4", "SOPInstanceUID": "1.2.3"},
    )
    for level in ("patient", "study", "series", "instance"):
        lines += [f"POST /modalities/finds/find-{level} {json.dumps(body)}" for body in bodies]
    return "\n".join([*lines, "SEEN"])


def _failing(line: str, names: Iterable[str] = tuple(_FAULTS)) -> str:
    return "\n".join(f"POST /modalities/{name}/{line}\nSEEN" for name in names)


_THREE = {"Level": "Study", "Resources": _STUDY["Resources"] * 3}
_RESUBMITTED = f"""
job = POST /modalities/second/move {json.dumps({**_THREE, "Asynchronous": True})}
WAIT {{job}}
GET /jobs/{{job}}
POST /jobs/{{job}}/resubmit
WAIT {{job}}
GET /jobs/{{job}}
POST /modalities/second/move {json.dumps({**_THREE, "Permissive": True})}
SEEN
"""

SCENARIOS = [
    Scenario("queries-bodies", QUERY, options=_OPTIONS, node=True),
    Scenario("queries-identifiers", _asking(), options=_OPTIONS, node=True),
    Scenario("queries-answers", _answers(), options=_OPTIONS, node=True),
    Scenario("queries-below", _below(), options={**_OPTIONS, "QueryRetrieveSize": 100}, node=True),
    Scenario("queries-retrieving", _retrieving(), options=_OPTIONS, node=True),
    Scenario("queries-getting", _getting(), options=_OPTIONS, node=True),
    Scenario("queries-older", _older(), options=_OPTIONS, node=True),
    Scenario(
        "queries-default-method",
        'q = POST /modalities/finds/query {"Level": "Study"}\nPOST /queries/{q}/answers/0/retrieve\nSEEN',
        options={**_OPTIONS, "DicomDefaultRetrieveMethod": "C-GET"},
        node=True,
    ),
    Scenario("queries-move", _moving("move"), options=_OPTIONS, node=True),
    Scenario("queries-get", _moving("get"), options=_OPTIONS, node=True),
    Scenario(
        "queries-read-only",
        f"""
        q = POST /modalities/finds/query {{"Level": "Study"}}
        GET /queries/{{q}}/answers
        POST /queries/{{q}}/answers/0/query-series {{}}
        POST /queries/{{q}}/answers/0/retrieve
        POST /queries/{{q}}/answers/0/retrieve {{"RetrieveMethod": "C-GET"}}
        POST /modalities/finds/find-patient {{}}
        POST /modalities/finds/move {json.dumps(_STUDY)}
        POST /modalities/finds/get {json.dumps(_STUDY)}
        DELETE /queries/{{q}}
        GET /queries
        GET /jobs
        """,
        options={**_OPTIONS, "ReadOnly": True},
        node=True,
    ),
    Scenario("queries-move-missing", _missing(), options=_OPTIONS, node=True),
    Scenario("queries-find-failures", _failing('query {"Level": "Study"}'), options=_FAILING, node=True),
    Scenario("queries-move-failures", _failing(f"move {json.dumps(_STUDY)}"), options=_FAILING, node=True),
    Scenario("queries-get-failures", _failing(f"get {json.dumps(_STUDY)}"), options=_FAILING, node=True),
    Scenario("queries-jobs", _RESUBMITTED, options=_FAILING, node=True),
]
