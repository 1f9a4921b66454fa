"""/modalities: configuration, C-ECHO, C-STORE, and how each failure is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

_BASE = {"AET": "A", "Host": "h", "Port": 104}
_FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"Port": "0104"},
    {"Port": 65534},
    {"Port": 0},
    {"Port": 65535},
    {"Port": -1},
    {"Port": "x"},
    {"Port": 104.5},
    {"Port": None},
    {"AET": 1},
    {"AET": ""},
    {"AET": "A title of more than 16 letters"},
    {"AET": "é"},
    {"Host": 3},
    {"Host": ""},
    {"Manufacturer": "Vitrea"},
    {"Manufacturer": "GenericNoWildcardInDates"},
    {"Manufacturer": "AgfaImpax"},
    {"Manufacturer": "SyngoVia"},
    {"Manufacturer": "generic"},
    {"Manufacturer": 4},
    {"AllowEcho": False, "AllowFind": False, "AllowFindWorklist": False, "AllowGet": False},
    {"AllowMove": False, "AllowStore": False, "AllowTranscoding": False},
    {"AllowNAction": False},
    {"AllowEventReport": False},
    {"AllowStorageCommitment": False},
    {"AllowStorageCommitment": False, "AllowNAction": True},
    {"AllowStorageCommitment": True, "AllowNAction": False},
    {"AllowEcho": "x"},
    {"AllowStore": None},
    {"AllowEventReport": 3},
    {"AllowStorageCommitment": 3},
    {"UseDicomTls": True},
    {"UseDicomTls": 1},
    {"LocalAet": "Z"},
    {"LocalAet": 1},
    {"Timeout": 5},
    {"Timeout": -5},
    {"Timeout": "5"},
    {"Timeout": 5.0},
    {"Timeout": 2**31 - 1},
    {"Timeout": 2**31},
    {"Timeout": 2**32},
    {"RetrieveMethod": "C-GET"},
    {"RetrieveMethod": "C-MOVE"},
    {"RetrieveMethod": "x"},
    {"RetrieveMethod": 1},
    {"Unknown": 4, "aet": "B"},
)
_LISTS = (
    '["A", "h", 104]',
    '["A", "h", "104"]',
    '["A", "h", 104, "GE"]',
    '["A", "h", 104, "EFilm2"]',
    '["A", "h", 104, "Foo"]',
    '["A", "h", 104, 5]',
    '["A", "h", 104, "GE", 1]',
    '["A", "h"]',
    "[]",
    '[1, "h", 104]',
    '["A", "h", true]',
    '["A", "h", 104.0]',
    "12",
    '"x"',
    "null",
    "nope",
    "",
)


def _configurations() -> str:
    lines = ["GET /modalities", "GET /modalities?expand", "GET /modalities/zz", "GET /modalities/zz/configuration"]
    bodies = [json.dumps({**_BASE, **fields}, ensure_ascii=False) for fields in _FIELDS]
    for body in (*_LISTS, "{}", '{"AET": "A", "Port": 1}', '{"Host": "A", "Port": 1}', *bodies):
        lines += [f"PUT /modalities/x {body}".rstrip(), "GET /modalities/x/configuration"]
    return "\n".join(lines)


NAMES = """
PUT /modalities/a%20b ["A", "h", 104]
PUT /modalities/a.b ["A", "h", 104]
PUT /modalities/a-_B9 ["A", "h", 104]
PUT /modalities/Z ["A", "h", 104]
PUT /modalities/B ["A", "h", 104]
GET /modalities
GET /modalities?expand
GET /modalities?expand=false
GET /modalities?expand=no
GET /modalities/Z
POST /modalities/Z
PUT /modalities/Z/configuration {}
GET /modalities/Z/echo
GET /modalities/Z/store
GET /modalities/Z/store-straight
GET /modalities/Z/nope
POST /modalities/zz/nope
DELETE /modalities/zz
DELETE /modalities/Z
DELETE /modalities/Z
GET /modalities
POST /modalities/zz/echo
POST /modalities/zz/echo {}
POST /modalities/zz/echo nope
POST /modalities/zz/store
POST /modalities/zz/store {}
POST /modalities/zz/store {"Resources": []}
POST /modalities/zz/store ["66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"]
POST /modalities/zz/store-straight
GET /tools/dicom-echo
GET /tools/dicom-conformance
"""

KEPT = """
GET /modalities?expand
PUT /modalities/x {"AET": "A", "Host": "h", "Port": 104, "AllowEcho": false, "Timeout": 3, "LocalAet": "L"}
PUT /modalities/y ["B", "h", 105, "GE"]
DELETE /modalities/y
PUT /modalities/z ["C", "h", 106]
RESTART
GET /modalities?expand
"""

_FAULTS = {
    "close": "CLOSE",
    "silent": "SILENT",
    "garbage": "GARBAGE",
    "rejected": "REJECT 117",
    "busy": "REJECT 232",
    "aborted": "ABORT",
    "nothing": "NOTHING",
    "cut": "x CUT",
    "mute": "MUTE",
    "gone": "GONE",
    "aborting": "ABORTING",
    "releasing": "RELEASING",
    "rubbish": "RUBBISH",
    "otherid": "OTHERID",
    "othertype": "OTHERTYPE",
    "norelease": "x NORELEASE",
    "full": "STATUS A700",
    "failed": "STATUS C123",
    "unsupported": "STATUS 0122",
    "pending": "STATUS FF00",
    "duplicate": "STATUS 0111",
    "warning": "STATUS B000",
    "coerced": "STATUS B006",
    "processing": "STATUS 0110",
    "invalid": "STATUS 0107",
}


def _node(aet: str, **fields: Any) -> dict[str, Any]:
    return {"AET": aet, "Host": "127.0.0.1", "Port": "{node}", **fields}


_NODES: dict[str, Any] = {
    **{name: _node(behaviour) for name, behaviour in _FAULTS.items()},
    "dead": ["DEAD", "127.0.0.1", 9],
    "nohost": ["NOHOST", "no.such.host.invalid", 104],
    "noaet": _node(""),
    "longaet": _node("A" * 20),
    "local": _node("OK", LocalAet="LOCAL"),
    "ok": _node("OK"),
    "tls": _node("OK", UseDicomTls=True),
}


_STRAIGHT = (
    "rejected",
    "nothing",
    "cut",
    "aborting",
    "full",
    "warning",
    "dead",
    "nohost",
    "noaet",
    "local",
    "ok",
    "tls",
)


def _each(line: str, nodes: Iterable[str] = tuple(_NODES)) -> str:
    return "\n".join(f"POST /modalities/{name}/{line}\nSEEN" for name in nodes)


ECHO = """
POST /modalities/ok/echo
POST /modalities/ok/echo []
POST /modalities/ok/echo null
POST /modalities/ok/echo 12
POST /modalities/ok/echo "x"
POST /modalities/ok/echo nope
POST /modalities/ok/echo {"Timeout": 2}
POST /modalities/ok/echo {"Timeout": 0}
POST /modalities/ok/echo {"Timeout": "2"}
POST /modalities/ok/echo {"Timeout": -1}
POST /modalities/ok/echo {"Timeout": 1.5}
POST /modalities/ok/echo {"Timeout": 4294967296}
POST /modalities/ok/echo {"CheckFind": false}
POST /modalities/ok/echo {"CheckFind": 1}
POST /modalities/mute/echo {"Timeout": 1}
SEEN
POST /tools/dicom-echo
POST /tools/dicom-echo {}
POST /tools/dicom-echo []
POST /tools/dicom-echo nope
POST /tools/dicom-echo ["OK", "127.0.0.1", "{node}"]
POST /tools/dicom-echo {"AET": "OK", "Host": "127.0.0.1", "Port": "{node}", "Timeout": 3, "LocalAet": "ME"}
POST /tools/dicom-echo {"AET": "OK", "Host": "127.0.0.1", "Port": "{node}", "CheckFind": 3}
POST /tools/dicom-echo {"AET": "OK", "Host": "127.0.0.1", "Port": "{node}", "Timeout": "x"}
POST /tools/dicom-echo {"AET": "OK", "Host": "127.0.0.1"}
POST /tools/dicom-echo {"AET": "STATUS 0122", "Host": "127.0.0.1", "Port": "{node}"}
POST /tools/dicom-echo ["DEAD", "127.0.0.1", 9]
SEEN
"""

CHECK_FIND = """
POST /modalities/ok/echo
POST /modalities/ok/echo {"CheckFind": false}
POST /modalities/class1/echo
POST /modalities/class2/echo
POST /modalities/class2/echo {"CheckFind": false}
POST /modalities/second/echo
POST /tools/dicom-echo ["CLASS 1", "127.0.0.1", "{node}"]
POST /tools/dicom-echo {"AET": "CLASS 1", "Host": "127.0.0.1", "Port": "{node}", "CheckFind": false}
"""

STORE = """
POST /modalities/ok/store {a1}
POST /modalities/ok/store "{a1}"
POST /modalities/ok/store ["{a1}", "{a2}"]
POST /modalities/ok/store {"Resources": ["{series}", "{d1}", "{a1}"]}
POST /modalities/local/store {a1}
SEEN
POST /modalities/ok/store {"Resources": ["{a1}"], "LocalAet": "ME"}
POST /modalities/ok/store {"Resources": ["{a1}"], "LocalAet": "MORE THAN 16 LETTERS"}
POST /modalities/local/store {"Resources": ["{a1}"], "LocalAet": "ME"}
POST /modalities/ok/store {"Resources": ["{a1}"], "LocalAet": ""}
POST /modalities/local/store {"Resources": ["{a1}"], "LocalAet": ""}
POST /modalities/ok/store {"Resources": ["{a1}"], "LocalAet": 1}
POST /modalities/ok/store {"Resources": ["{a1}"], "CalledAet": "STATUS A700"}
POST /modalities/ok/store {"Resources": ["{a1}"], "CalledAet": ""}
POST /modalities/ok/store {"Resources": ["{a1}"], "CalledAet": 3}
POST /modalities/ok/store {"Resources": ["{a1}"], "Host": "no.such.host.invalid"}
POST /modalities/ok/store {"Resources": ["{a1}"], "Host": 3}
POST /modalities/ok/store {"Resources": ["{a1}"], "Port": 9}
POST /modalities/ok/store {"Resources": ["{a1}"], "Port": 0}
POST /modalities/ok/store {"Resources": ["{a1}"], "Port": "104"}
POST /modalities/ok/store {"Resources": ["{a1}"], "CalledHost": "x", "CalledPort": 1}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorAet": "MOVER", "MoveOriginatorID": 42}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorAet": "MOVER"}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorID": 42}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorID": 42, "LocalAet": "ME"}
POST /modalities/local/store {"Resources": ["{a1}"], "MoveOriginatorID": 42}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorAet": "", "MoveOriginatorID": 3}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorID": 0}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorID": 65535}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorID": 65536}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorID": -1}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorID": "x"}
POST /modalities/ok/store {"Resources": ["{a1}"], "MoveOriginatorAet": 3}
SEEN
POST /modalities/ok/store {"Resources": ["{a1}"], "Timeout": 3}
POST /modalities/ok/store {"Resources": ["{a1}"], "Timeout": "x"}
POST /modalities/ok/store {"Resources": ["{a1}"], "Timeout": -1}
POST /modalities/mute/store {"Resources": ["{a1}"], "Timeout": 1}
POST /modalities/ok/store {"Resources": ["{a1}"], "StorageCommitment": false}
POST /modalities/ok/store {"Resources": ["{a1}"], "Priority": "x"}
POST /modalities/ok/store {"Resources": ["{a1}"], "Permissive": 3}
POST /modalities/ok/store {"Resources": ["{a1}"], "Synchronous": 3}
POST /modalities/ok/store
POST /modalities/ok/store []
POST /modalities/ok/store {}
POST /modalities/ok/store {"Resources": []}
POST /modalities/ok/store {"Resources": "{a1}"}
POST /modalities/ok/store {"Resources": ["nope"]}
POST /modalities/ok/store 12
POST /modalities/ok/store nope
POST /modalities/ok/store "nope"
POST /modalities/ok/store 66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e
SEEN
job = POST /modalities/ok/store {"Resources": ["{patient}"], "Asynchronous": true, "Priority": 2}
WAIT {job}
GET /jobs/{job}
POST /modalities/ok/store-straight @a1
POST /modalities/ok/store-straight
POST /modalities/ok/store-straight @text
SEEN
GET /jobs
GET /exports
"""

FAILURES = """
POST /modalities/second/store {series}
POST /modalities/second/store {"Resources": ["{series}"], "Permissive": true}
SEEN
failed = POST /modalities/second/store {"Resources": ["{series}"], "Asynchronous": true}
WAIT {failed}
GET /jobs/{failed}
POST /jobs/{failed}/resubmit
WAIT {failed}
GET /jobs/{failed}
SEEN
dead = POST /modalities/dead/store {"Resources": ["{a1}", "{a2}"], "Asynchronous": true}
WAIT {dead}
GET /jobs/{dead}
POST /modalities/dead/store {"Resources": ["{a1}", "{a2}"], "Permissive": true}
"""

SYNTAXES = {
    name: _node(behaviour)
    for name, behaviour in {
        "all": "OK",
        "i": "ONLY I",
        "e": "ONLY E",
        "b": "ONLY B",
        "j": "ONLY J",
        "d": "ONLY D",
        "ib": "ONLY IB",
        "eib": "ONLY EIB",
    }.items()
} | {"strict": _node("ONLY I", AllowTranscoding=False)}


def _syntaxes() -> str:
    lines = [
        "ct = POST /instances @ct",
        "mr = POST /instances @mr-implicit",
        "big = POST /instances @mr-big",
        "rle = POST /instances @mr-rle",
        "report = POST /instances @report",
    ]
    for node in SYNTAXES:
        lines += [f"POST /modalities/{node}/store {{{name}}}" for name in ("ct", "mr", "rle", "report")]
        lines += [f"POST /modalities/{node}/store-straight @mr-big", "SEEN"]
    lines += ["DELETE /instances/{big}"]
    return "\n".join(lines)


_QUERIES = (
    "",
    "nope",
    "null",
    "12",
    "[]",
    "{}",
    '{"PatientID": "P"}',
    '{"Query": {}}',
    '{"Query": {}, "Full": true}',
    '{"Query": {}, "Short": true}',
    '{"Query": {}, "Short": true, "Full": true}',
    '{"Query": {}, "Full": 3}',
    '{"Query": {}, "Short": 3}',
    '{"Query": {}, "Timeout": "x"}',
    '{"Query": {}, "Timeout": -1}',
    '{"Query": {}, "Timeout": 3}',
    '{"Query": {}, "LocalAet": 3}',
    '{"Query": 3}',
    '{"Query": null}',
    '{"Query": []}',
    '{"Query": {"PatientName": "*", "ScheduledProcedureStepSequence": [{"Modality": "CT"}]}}',
    '{"Query": {"0010,0020": "P", "ScheduledProcedureStepSequence": []}}',
    '{"Query": {"Foo": "x"}}',
    '{"Query": {"PatientID": 3}}',
    '{"Query": {"PatientID": null}}',
    '{"Query": {"PatientID": ["a"]}}',
    '{"Query": {"ScheduledProcedureStepSequence": "x"}}',
)
WORKLIST = "\n".join(
    [
        *(f"POST /modalities/worklist/find-worklist {query}".rstrip() for query in _QUERIES),
        "GET /modalities/worklist/find-worklist",
        "POST /modalities/zz/find-worklist",
        "POST /modalities/zz/find-worklist {}",
        *(f"POST /modalities/{name}/find-worklist {{}}" for name in ("nothing", "class", "full", "dead", "mute")),
        "SEEN",
    ]
)

_UNKNOWN_BODIES = (
    *("", "[", "{}", "[]", "null", "5", '["x"]', '{"Foo": "x"}', '{"PatientID": 5}', '{"PatientID": null}'),
    *('{"PatientID": []}', '{"PatientID": 1.5}', '{"Level": "Foo"}', '{"Level": 5}', '{"Level": "Study"}'),
    *('{"Query": 5}', '{"Query": {"Foo": "x"}}', '{"Level": "Study", "Query": {"Foo": "x"}}', '{"Resources": 5}'),
    *('{"Level": "Study", "Timeout": "x"}', '{"Level": "Foo", "Normalize": 5}', '{"Level": "Study", "LocalAet": 5}'),
    *('{"Level": "Foo", "Resources": 5}', '{"Level": "Foo", "Resources": []}', '{"Level": "Study", "Resources": [5]}'),
    *('{"Resources": ["nope"]}', '{"Resources": [{"a": 1}]}', '{"DicomInstances": [5]}', '{"DicomInstances": []}'),
)
_ASKING = ("find-worklist", "find-patient", "find-study", "find", "query", "move", "get", "storage-commitment")
UNKNOWN = "\n".join(f"POST /modalities/zz/{call} {body}".rstrip() for call in _ASKING for body in _UNKNOWN_BODIES)

_OPTIONS = {"DicomModalities": _NODES, "DicomScuTimeout": 1, "DicomAet": "REAL"}

SCENARIOS = [
    Scenario("modalities-configuration", _configurations()),
    Scenario("modalities-names", NAMES),
    Scenario("modalities-unknown", UNKNOWN),
    Scenario(
        "modalities-in-database",
        KEPT,
        options={"DicomModalitiesInDatabase": True, "DicomModalities": {"ignored": ["A", "h", 104]}},
    ),
    Scenario("modalities-in-memory", KEPT, options={"DicomModalities": {"kept": ["A", "h", 104]}}),
    Scenario("modalities-echo", ECHO, options=_OPTIONS, node=True),
    Scenario("modalities-echo-failures", _each("echo"), options=_OPTIONS, node=True),
    Scenario(
        "modalities-echo-find",
        CHECK_FIND,
        options={
            "DicomModalities": {
                "ok": _node("OK"),
                "class1": _node("CLASS 1"),
                "class2": _node("CLASS 1.2.2.1"),
                "second": _node("SECOND A700"),
            },
            "DicomEchoChecksFind": True,
        },
        node=True,
    ),
    Scenario(
        "modalities-worklist",
        WORKLIST,
        options={
            "DicomModalities": {
                "worklist": _node("WORKLIST"),
                "nothing": _node("NOTHING"),
                "class": _node("CLASS 2.1.1"),
                "full": _node("STATUS A700"),
                "mute": _node("MUTE"),
                "dead": _NODES["dead"],
            },
            "DicomScuTimeout": 1,
        },
        node=True,
    ),
    Scenario("modalities-store", STORE, TREE, _OPTIONS, node=True),
    Scenario("modalities-store-failures", _each("store {a1}"), "a1 = POST /instances @a1", _OPTIONS, node=True),
    Scenario("modalities-straight-failures", _each("store-straight @a1", _STRAIGHT), options=_OPTIONS, node=True),
    Scenario(
        "modalities-jobs",
        FAILURES,
        TREE,
        {"DicomModalities": {"second": _node("SECOND A700"), "dead": _NODES["dead"]}},
        node=True,
    ),
    Scenario(
        "modalities-exports",
        "POST /modalities/ok/store {a1}\nPOST /modalities/ok/store {series}\nGET /exports\nGET /exports?last",
        TREE,
        {"DicomModalities": {"ok": _node("OK")}, "LogExportedResources": True},
        node=True,
    ),
    Scenario("modalities-syntaxes", _syntaxes(), options={"DicomModalities": SYNTAXES}, node=True),
    Scenario(
        "modalities-preferred-syntax",
        _syntaxes(),
        options={"DicomModalities": SYNTAXES, "DicomScuPreferredTransferSyntax": "1.2.840.10008.1.2.4.70"},
        node=True,
    ),
    Scenario(
        "modalities-untranscoded",
        _syntaxes(),
        options={"DicomModalities": SYNTAXES, "TranscodeDicomProtocol": False},
        node=True,
    ),
]
