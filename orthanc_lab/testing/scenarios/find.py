"""What /tools/find shows and refuses, lists with ``response-content``, and what matches a value."""

from __future__ import annotations

import json
from typing import Any

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

_CALLS = ("find", "count-resources")
_LEVELS = ("Patient", "Study", "Series", "Instance")
_SCHEDULED = f"{TREE}scheduled = POST /instances @scheduled\n"
_SEQUENCE = "RequestAttributesSequence"
_PARTS = "MainDicomTags;Metadata;Children;Parent;Labels;Attachments;Status;IsStable"

_CONTENT = f"""
GET /{{level}}?response-content=Labels&since=0&limit=1
GET /{{level}}?response-content=
GET /{{level}}?response-content
GET /{{level}}?response-content=MainDicomTags;Parent;Children;IsStable;Status
GET /{{level}}?response-content={_PARTS}&since=0&limit=1
GET /{{level}}?response-content=Labels&expand=false
GET /{{level}}?response-content=Labels&expand=x
GET /{{level}}?response-content=MainDicomTags&expand&full
GET /{{level}}?response-content=MainDicomTags&short
GET /{{level}}?response-content=RequestedTags
GET /{{level}}?response-content=RequestedTags&requested-tags=PatientID
GET /{{level}}?response-content=Labels&requested-tags=PatientID;Rows
GET /{{level}}?response-content=MainDicomTags&requested-tags=BodyPartExamined;RetrieveURL
"""

_CONTENT_ERRORS = """
GET /studies?response-content=Foo
GET /studies?response-content=Foo;Bar
GET /studies?response-content=labels
GET /studies?response-content=Labels,IsStable
GET /studies?response-content=%4Cabels
GET /studies?response-content=LastUpdate
GET /studies?response-content=Labels;
GET /studies?response-content=;Labels
GET /studies?response-content=Labels;;
GET /studies?response-content=;
GET /studies?response-content=Foo&since=x
GET /studies?response-content=Labels&since=0
GET /studies?response-content=Foo&requested-tags=Foo
GET /studies/{study}?response-content=Labels
GET /studies/{study}/series?response-content=Foo
GET /studies/{study}/series?response-content=Foo&expand=false
GET /instances/{a1}/study?response-content=Foo
GET /instances/{a1}/series?requested-tags=Foo
GET /instances/{a1}/study?requested-tags=Foo
GET /instances/{a1}/patient?requested-tags=Foo
GET /series/{series}/study?requested-tags=Foo
GET /series/{series}/patient?requested-tags=Foo
GET /studies/{study}/patient?requested-tags=Foo
GET /instances/nope/study?requested-tags=Foo
GET /instances?requested-tags=SOPClassesInStudy
GET /instances?expand&requested-tags=SOPClassesInStudy&since=1000&limit=1
GET /instances/nope?requested-tags=SOPClassesInStudy
GET /series/nope/instances?requested-tags=SOPClassesInStudy
"""

_WANTED = (
    ("StudyDescription",),
    ("StudyDescription", "StudyID"),
    ("StudyDescription", "Rows"),
    ("StudyDescription", "NumberOfPatientRelatedStudies"),
    ("StudyDescription", "0002,0010"),
    ("PatientSex", "PatientBirthDate"),
    ("BodyPartExamined", "StudyDescription"),
    ("BodyPartExamined", "NumberOfFrames"),
    ("NumberOfFrames",),
    ("TimezoneOffsetFromUTC",),
    ("RetrieveURL", "RetrieveAETitle"),
    ("RetrieveURL", "StudyID"),
    ("RetrieveURL", "Rows"),
    ("RetrieveAETitle", "NumberOfFrames"),
    ("NumberOfSeriesRelatedInstances", "Rows"),
    ("InstanceAvailability", "EchoNumbers"),
    (_SEQUENCE, "StudyDescription"),
)
_SHOWN: tuple[dict[str, Any], ...] = (
    {"ResponseContent": ["RequestedTags"]},
    {"ResponseContent": ["MainDicomTags"]},
    {"ResponseContent": ["MainDicomTags", "Metadata"]},
    {"Expand": True},
    {"Expand": True, "ResponseContent": ["Labels", "Parent"], "Full": True},
)

_VALUES = (
    {"StudyDate": "20200102\\2021*"},
    {"StudyDate": "*\\"},
    {"StudyDate": "20200101-\\2021*"},
    {"StudyDate": "2020?-"},
    {"StudyTime": "03-0*"},
    {"StudyInstanceUID": "1.2.826.0.1.3680043.10.1.1\\1.*"},
    {"PatientAge": "050Y\\1*"},
    {"PatientAge": "0-1*"},
    {"Rows": "4\\5*"},
    {"NumberOfStudyRelatedInstances": "4\\5*"},
    {"PatientName": "Test*\\x"},
    {"0009,1001": "x*"},
    {"0405,1001": "x*"},
    {"ReferencedImageSequence": "x"},
    {"ReferencedImageSequence": "x\\y*"},
    {"ReferencedImageSequence": "x", "Rows": "5"},
    {"PatientWeight": "5", "ReferencedImageSequence": "x"},
    {_SEQUENCE: "x"},
    {"Modality": "MR", "ModalitiesInStudy": "CT"},
    {"SOPClassesInStudy": "x"},
    {"InstanceNumber": "1", "Rows": "4"},
)

_NO_TEXTS = ("null", "5", "1.50", "1e20", "true", '["a"]', "{}", '"Foo"')
_WRONG = (
    '"Labels": [5], "LabelsConstraint": 5',
    '"Labels": [5], "LabelsConstraint": "Foo"',
    '"Labels": [5], "OrderBy": [5]',
    '"Labels": [5], "OrderBy": 5',
    '"Labels": [5], "ParentStudy": 5',
    '"Labels": [5], "MetadataQuery": {"x": 5}',
    '"Limit": "x", "ParentSeries": 5',
    '"Limit": -1, "ResponseContent": ["Foo"]',
    '"Limit": -1, "RequestedTags": ["Foo"]',
    '"Short": 5, "Limit": -1',
    '"Short": 5, "ParentSeries": "x"',
    '"RequestedTags": ["Foo"], "ResponseContent": ["Foo"]',
    '"RequestedTags": ["Foo"], "OrderBy": [5]',
    '"RequestedTags": 5, "ResponseContent": 5',
    '"RequestedTags": 5, "ResponseContent": ["Foo"]',
    '"Expand": "x", "Limit": -1',
    '"Expand": "x", "ResponseContent": ["Labels"]',
    '"ParentSeries": "x", "OrderBy": [5]',
)


def _post(call: str, level: str, query: Any, **fields: Any) -> str:
    return f"POST /tools/{call} " + json.dumps({"Level": level, "Query": query, **fields})


def _requested() -> str:
    return "\n".join(
        _post("find", level, {}, RequestedTags=tags, **shown)
        for level in _LEVELS
        for shown in _SHOWN
        for tags in _WANTED
    )


def _sequences() -> str:
    return "\n".join(
        _post("find", "Series", {}, ResponseContent=["MainDicomTags"], **fields)
        for fields in ({}, {"RequestedTags": ["Rows"]}, {"RequestedTags": ["BodyPartExamined"]}, {"Full": True})
    ) + "\n".join(
        (
            "",
            _post("find", "Series", {"Rows": "4"}, ResponseContent=["MainDicomTags"]),
            "GET /series?response-content=MainDicomTags",
            "GET /series?response-content=MainDicomTags;Metadata",
            "GET /series?response-content=MainDicomTags&requested-tags=Rows",
        )
    )


def _values() -> str:
    lines = [_post(call, level, query) for level in _LEVELS for query in _VALUES for call in _CALLS]
    lines += [_post(call, "Patient", query, ParentStudy="{study}") for call in _CALLS for query in ({}, {"Rows": "4"})]
    return "nested = POST /instances @nested\nprivate = POST /instances @private\n" + "\n".join(lines)


def _refused() -> str:
    wrong = [f'"{name}": [{value}]' for name in ("RequestedTags", "ResponseContent") for value in _NO_TEXTS]
    lines = [
        f'POST /tools/{call} {{"Level": "Study", "Query": {{}}, {fields}}}'
        for fields in (*wrong, *_WRONG)
        for call in _CALLS
    ]
    lines += [
        _post("find", "Instance", {"PatientID": "nobody"}, RequestedTags=["SOPClassesInStudy"], **fields)
        for fields in ({}, {"Expand": True}, {"ResponseContent": ["Labels"]})
    ]
    return "\n".join(lines)


_ORDER = '"OrderBy": [{{"Type": "{}", "Key": "{}", "Direction": "ASC"}}]'

_NUMBERS = f"""
PUT /instances/{{a1}}/metadata/1024 abc
PUT /instances/{{a2}}/metadata/1024 12
PUT /instances/{{a3}}/metadata/1024 3
POST /tools/find {{"Level": "Instance", "Query": {{}}, "ParentSeries": "{{series}}",
+ {_ORDER.format("MetadataAsInt", "1024")}}}
POST /tools/find {{"Level": "Instance", "Query": {{}}, "ParentSeries": "{{series}}",
+ {_ORDER.format("MetadataAsFloat", "1024")}}}
"""

SCENARIOS = [
    Scenario(
        "find-response-content",
        "".join(_CONTENT.replace("{level}", level) for level in ("patients", "studies", "series", "instances")),
        TREE,
    ),
    Scenario("find-response-content-errors", _CONTENT_ERRORS, TREE),
    Scenario("find-requested-tags", _requested(), _SCHEDULED),
    Scenario("find-sequences", _sequences(), _SCHEDULED),
    Scenario("find-values", _values(), _SCHEDULED),
    Scenario("find-refused", _refused(), TREE),
    Scenario(
        "find-values-private",
        "\n".join(
            [
                "POST /instances @private",
                _post("find", "Instance", {"0405,1001": "<x*"}),
                _post("find", "Instance", {"AcmeText": "<x*"}),
                _post("find", "Instance", {"AcmeText": "<xml/>"}),
                _post("find", "Instance", {"0405,0010": "My*"}),
            ]
        ),
        options={
            "Dictionary": {"0405,1001": ["ST", "AcmeText", 1, 1, "My Company"]},
            "DefaultPrivateCreator": "My Company",
        },
    ),
    Scenario(
        "find-values-letters",
        "\n".join(
            [
                'POST /tools/create-dicom {"Tags": {"PatientID": "50%"}}',
                'POST /tools/create-dicom {"Tags": {"PatientID": "ab_"}}',
                _post("find", "Patient", {"PatientID": "50?"}),
                _post("find", "Patient", {"PatientID": "ab?"}),
                _post("find", "Patient", {"PatientName": "M?ller^J?rgen"}),
                *(
                    _post(call, level, query)
                    for call in _CALLS
                    for level, query in (
                        ("Study", {"PatientName": "Mèller^Jürgen"}),
                        ("Study", {"PatientID": " P1"}),
                        ("Study", {"PatientName": "王*"}),
                        ("Series", {"PatientName": "M?ller^J?rgen"}),
                    )
                ),
            ]
        ),
        TREE,
    ),
    Scenario("find-order-of-numbers", _NUMBERS, TREE),
]
