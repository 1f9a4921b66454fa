"""Search: /tools/lookup, /tools/find, /tools/count-resources."""

import json
from itertools import combinations

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

LOOKUP = """
POST /tools/lookup P1
POST /tools/lookup p1
POST /tools/lookup P2
POST /tools/lookup P1中
POST /tools/lookup 1.2.826.0.1.3680043.10.1.1
POST /tools/lookup 1.2.826.0.1.3680043.10.1.1.1
POST /tools/lookup 1.2.826.0.1.3680043.10.1.1.1.1
POST /tools/lookup A1
POST /tools/lookup nope
POST /tools/lookup
POST /tools/lookup P*
POST /tools/lookup {study}
"""

LOOKUP_NO_PATIENT = """
empty = POST /instances @empty-patient
missing = POST /instances @no-patient-id
POST /tools/lookup
DELETE /instances/{empty}
POST /tools/lookup
DELETE /instances/{missing}
missing = POST /instances @no-patient-id
empty = POST /instances @empty-patient
POST /tools/lookup
DELETE /instances/{missing}
DELETE /instances/{empty}
POST /instances @blank-patient
POST /tools/lookup
"""

QUERIES = (
    '{"PatientID": "P1"}',
    '{"PatientID": "p1"}',
    '{"PatientID": ""}',
    '{"PatientID": "*"}',
    '{"PatientID": "P?"}',
    '{"PatientID": "P1\\\\P2"}',
    '{"PatientName": "test*"}',
    '{"PatientName": "*^P1"}',
    '{"PatientName": "Müller*"}',
    '{"PatientName": "MÜLLER*"}',
    '{"PatientName": "Muller*"}',
    '{"0010,0010": "Test^P1"}',
    '{"0010-0010": "Test^P1"}',
    '{"00100010": "Test^P1"}',
    '{"StudyDate": "20200102"}',
    '{"StudyDate": "20200101-20201231"}',
    '{"StudyDate": "-20201231"}',
    '{"StudyDate": "20210101-"}',
    '{"StudyDate": "-"}',
    '{"StudyDate": "2020*"}',
    '{"StudyTime": "03-04"}',
    '{"StudyDescription": "Study 1", "PatientID": "P1"}',
    '{"StudyDescription": "study 1"}',
    '{"AccessionNumber": "A1\\\\A3"}',
    '{"AccessionNumber": ""}',
    '{"StudyInstanceUID": "1.2.826.0.1.3680043.10.1.1"}',
    '{"StudyInstanceUID": "1.2.826.0.1.3680043.10.1.*"}',
    '{"ModalitiesInStudy": "MR"}',
    '{"ModalitiesInStudy": "MR\\\\PT"}',
    '{"Modality": "CT"}',
    '{"PatientSex": "O"}',
    '{"PatientBirthDate": "19600101-19801231"}',
    '{"PatientWeight": ""}',
    '{"ReferringPhysicianName": "*"}',
    '{"Foo": "x"}',
    '{"PatientID": 1}',
    '{"PatientID": null}',
    '{"PatientID": ["P1"]}',
    '{"ReferencedImageSequence": ""}',
    "{}",
    "[]",
    "null",
    '"x"',
)

BODIES = (
    '{"Query": {}}',
    '{"Level": "Study"}',
    '{"Level": "Foo", "Query": {}}',
    '{"Level": 1, "Query": {}}',
    '{"Level": "study", "Query": {}}',
    '{"Level": "Studies", "Query": {}}',
    '{"Level": "Patients", "Query": {}}',
    '{"Level": "Series", "Query": {}}',
    '{"Level": "Instances", "Query": {}}',
    '{"Level": "Study", "Query": {}, "Expand": true}',
    '{"Level": "Study", "Query": {}, "Expand": true, "Short": true}',
    '{"Level": "Study", "Query": {}, "Expand": true, "Full": true}',
    '{"Level": "Study", "Query": {}, "Expand": 1}',
    '{"Level": "Study", "Query": {}, "Full": "x"}',
    '{"Level": "Study", "Query": {}, "Short": "x"}',
    '{"Level": "Study", "Query": {}, "CaseSensitive": "x"}',
    '{"Level": "Study", "Query": {"PatientName": "test*"}, "CaseSensitive": true}',
    '{"Level": "Study", "Query": {"PatientName": "Test*"}, "CaseSensitive": true}',
    '{"Level": "Patient", "Query": {"PatientID": "p1"}, "CaseSensitive": true}',
    '{"Level": "Instance", "Query": {}, "Limit": 2}',
    '{"Level": "Instance", "Query": {}, "Since": 1}',
    '{"Level": "Instance", "Query": {}, "Since": 1, "Limit": 2}',
    '{"Level": "Instance", "Query": {}, "Since": 100, "Limit": 2}',
    '{"Level": "Instance", "Query": {}, "Limit": 0}',
    '{"Level": "Instance", "Query": {}, "Limit": -1}',
    '{"Level": "Instance", "Query": {}, "Limit": "2"}',
    '{"Level": "Instance", "Query": {}, "Since": "2"}',
    '{"Level": "Instance", "Query": {}, "Since": -2}',
    '{"Level": "Instance", "Query": {"Rows": "4"}}',
    '{"Level": "Instance", "Query": {"Rows": "4"}, "Limit": 2}',
    '{"Level": "Instance", "Query": {"Rows": "4"}, "Since": 1, "Limit": 2}',
    '{"Level": "Instance", "Query": {"Rows": "5"}}',
    '{"Level": "Instance", "Query": {"PixelSpacing": "1*"}}',
    '{"Level": "Instance", "Query": {"WindowCenter": "4*"}}',
    '{"Level": "Instance", "Query": {"NumberOfFrames": "1"}}',
    '{"Level": "Study", "Query": {"Manufacturer": "*"}}',
    '{"Level": "Study", "Query": {"0028,0101": "1*"}}',
    '{"Level": "Study", "Query": {"NumberOfStudyRelatedInstances": "4"}}',
    '{"Level": "Study", "Query": {}, "RequestedTags": ["PatientName", "Rows"], "Expand": true}',
    '{"Level": "Study", "Query": {}, "RequestedTags": ["ModalitiesInStudy"], "Expand": true}',
    '{"Level": "Study", "Query": {}, "RequestedTags": ["Foo"], "Expand": true}',
    '{"Level": "Study", "Query": {}, "RequestedTags": "PatientName", "Expand": true}',
    '{"Level": "Study", "Query": {}, "RequestedTags": ["PatientName"]}',
)

NEWER = (
    '{"Level": "Study", "Query": {}, "OrderBy": [{"Type": "DicomTag", "Key": "StudyDate", "Direction": "DESC"}]}',
    '{"Level": "Study", "Query": {}, "OrderBy": [{"Type": "DicomTag", "Key": "StudyDate", "Direction": "ASC"}]}',
    '{"Level": "Instance", "Query": {}, "OrderBy": [{"Type": "DicomTagAsInt", "Key": "InstanceNumber",'
    ' "Direction": "DESC"}]}',
    '{"Level": "Instance", "Query": {}, "OrderBy": [{"Type": "Metadata", "Key": "1024", "Direction": "DESC"}]}',
    '{"Level": "Instance", "Query": {}, "OrderBy": [{"Type": "MetadataAsInt", "Key": "IndexInSeries",'
    ' "Direction": "DESC"}, {"Type": "DicomTag", "Key": "SOPInstanceUID", "Direction": "ASC"}]}',
    '{"Level": "Series", "Query": {}, "OrderBy": [{"Type": "DicomTagAsFloat", "Key": "SeriesNumber",'
    ' "Direction": "DESC"}]}',
    '{"Level": "Series", "Query": {}, "OrderBy": [{"Type": "Foo", "Key": "SeriesNumber", "Direction": "DESC"}]}',
    '{"Level": "Series", "Query": {}, "OrderBy": [{"Type": "DicomTag", "Key": "SeriesNumber", "Direction": "UP"}]}',
    '{"Level": "Series", "Query": {}, "OrderBy": [{"Type": "DicomTag", "Key": "Rows", "Direction": "ASC"}]}',
    '{"Level": "Series", "Query": {}, "OrderBy": [{"Type": "DicomTag"}]}',
    '{"Level": "Series", "Query": {}, "OrderBy": {}}',
    '{"Level": "Series", "Query": {}, "OrderBy": []}',
    '{"Level": "Series", "Query": {}, "ParentStudy": "{study}"}',
    '{"Level": "Study", "Query": {}, "ParentPatient": "{patient}"}',
    '{"Level": "Instance", "Query": {}, "ParentSeries": "{series}"}',
    '{"Level": "Instance", "Query": {}, "ParentPatient": "{patient}"}',
    '{"Level": "Instance", "Query": {}, "ParentPatient": "nope"}',
    '{"Level": "Patient", "Query": {}, "ParentSeries": "{series}"}',
    '{"Level": "Series", "Query": {}, "ParentStudy": 1}',
    '{"Level": "Instance", "Query": {}, "MetadataQuery": {"1024": "he*"}}',
    '{"Level": "Instance", "Query": {}, "MetadataQuery": {"IndexInSeries": "2"}}',
    '{"Level": "Instance", "Query": {}, "MetadataQuery": {"Nope": "x"}}',
    '{"Level": "Instance", "Query": {}, "MetadataQuery": {"1024": 1}}',
    '{"Level": "Instance", "Query": {}, "MetadataQuery": []}',
    '{"Level": "Study", "Query": {}, "ResponseContent": ["MainDicomTags"]}',
    '{"Level": "Study", "Query": {}, "ResponseContent": ["Metadata", "Children", "Parent"]}',
    '{"Level": "Study", "Query": {}, "ResponseContent": ["Labels", "Attachments", "Status", "IsStable"]}',
    '{"Level": "Series", "Query": {}, "ResponseContent": ["Status", "IsStable", "Attachments", "Parent"]}',
    '{"Level": "Instance", "Query": {}, "ResponseContent": ["Attachments", "Metadata", "Parent", "Children"]}',
    '{"Level": "Patient", "Query": {}, "ResponseContent": ["IsProtected", "Children"]}',
    '{"Level": "Study", "Query": {}, "ResponseContent": ["RequestedTags"], "RequestedTags": ["PatientName"]}',
    '{"Level": "Study", "Query": {}, "ResponseContent": []}',
    '{"Level": "Study", "Query": {}, "ResponseContent": ["Foo"]}',
    '{"Level": "Study", "Query": {}, "ResponseContent": "Labels"}',
    '{"Level": "Study", "Query": {}, "ResponseContent": ["MainDicomTags"], "Expand": true}',
    '{"Level": "Study", "Query": {}, "ResponseContent": ["MainDicomTags"], "Expand": false}',
)

LEVELS = ("Patient", "Study", "Series", "Instance")
IDENTIFIERS = dict(zip(LEVELS, ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), strict=True))
SORT_KEYS = ("Rows", "Manufacturer", "StudyDate", "InstanceNumber", "0009,1001", "Foo", "ModalitiesInStudy")
PAGED = (
    "{}", '{"Rows": "4"}', '{"Rows": "5"}', '{"PatientID": "P1", "Rows": "4"}', '{"Manufacturer": "*"}',
    '{"NumberOfStudyRelatedInstances": "4"}', '{"Modality": "CT", "Rows": "4"}', '{"PatientName": "*P2*", "Rows": "4"}',
)  # fmt: skip
PAGES = ("", ', "Limit": 1', ', "Limit": 2', ', "Since": 0', ', "Since": 1', ', "Since": 1, "Limit": 3')


def _sorted() -> tuple[str, ...]:
    pair = (
        '[{{"Type": "DicomTag", "Key": "{}", "Direction": "ASC"}}, {{"Type": "{}", "Key": "{}", "Direction": "DESC"}}]'
    )
    unknown = pair.format("Rows", "DicomTagAsInt", "PatientWeight")
    return tuple(
        f'{{"Level": "{level}", "Query": {{}}, "OrderBy": {pair.format(key, "DicomTag", IDENTIFIERS[level])}}}'
        for level in LEVELS
        for key in SORT_KEYS
    ) + tuple(
        f'{{"Level": "{level}", "Query": {{}}{page}, "OrderBy": {unknown}}}' for level in LEVELS for page in PAGES[:3]
    )


def _paged() -> tuple[str, ...]:
    return tuple(
        f'{{"Level": "{level}", "Query": {query}{page}}}' for level in LEVELS for query in PAGED for page in PAGES
    )


NUMBERS = ("-1", '"x"', "1.5", "2.0", "null", "true", "9223372036854775807", "9223372036854775808", "1e30")


def _numbers() -> str:
    return "\n".join(
        f'POST /tools/{call} {{"Level": "Study", "Query": {{}}, "{name}": {number}}}'
        for call in ("find", "count-resources")
        for name in ("Limit", "Since", "OrderBy")
        for number in NUMBERS
    )


PARENTS = {"ParentPatient": "{patient}", "ParentStudy": "{study3}", "ParentSeries": "{series2}"}


def _parents() -> str:
    """Return queries with one to three parents, of which the highest counts."""
    names = [chosen for size in (1, 2, 3) for chosen in combinations(PARENTS, size)]
    return "\n".join(
        f"POST /tools/{call} " + json.dumps({"Level": level, "Query": {}} | {name: PARENTS[name] for name in chosen})
        for call in ("find", "count-resources")
        for level in LEVELS
        for chosen in names
    )


SHORT_AND_FULL = tuple(
    f'{{"Level": "Study", "Query": {{}}, "Expand": true, "Short": {short}, "Full": {full}}}'
    for short in ("true", "false", "5")
    for full in ("true", "5")
)
UNKNOWN_NAMES = (
    '{"Query": {"Foo": ""}}', '{"Query": {"Foo": "", "PatientID": "P1"}}', '{"Query": {"Foo[0].PatientID": ""}}',
    '{"Query": {"": ""}}', '{"Query": {"Foo": "*"}}', '{"Query": {"Foo": 5}, "CaseSensitive": true}',
    '{"Query": {}, "MetadataQuery": {"Foo": ""}}', '{"Query": {}, "MetadataQuery": {"": ""}}',
    '{"Query": {}, "MetadataQuery": {"1024": ""}}', '{"Query": {"Foo": "*"}, "CaseSensitive": true}',
    '{"Query": {}, "MetadataQuery": {"Foo": ""}, "LabelsConstraint": "Some"}',
)  # fmt: skip


def _unknown_names() -> str:
    return "\n".join(
        f'POST /tools/{call} {{"Level": "Study", {body[1:]}'
        for call in ("find", "count-resources")
        for body in UNKNOWN_NAMES
    )


COUNT = """
POST /tools/count-resources {"Level": "Instance", "Query": {}}
POST /tools/count-resources {"Level": "Study", "Query": {"PatientID": "P1"}}
POST /tools/count-resources {"Level": "Study", "Query": {"PatientID": "nope"}}
POST /tools/count-resources {"Level": "Instance", "Query": {"Rows": "4"}}
POST /tools/count-resources {"Level": "Instance", "Query": {}, "Limit": 2}
POST /tools/count-resources {"Level": "Instance", "Query": {}, "Since": 2}
POST /tools/count-resources {"Level": "Study", "Query": {}, "ParentPatient": "{patient}"}
POST /tools/count-resources {"Query": {}}
POST /tools/count-resources {"Level": "Study"}
POST /tools/count-resources []
POST /tools/count-resources
"""


def _find(bodies: tuple[str, ...]) -> str:
    return "\n".join(f"POST /tools/find {body}" for body in bodies)


SCENARIOS = [
    Scenario("lookup", LOOKUP, TREE),
    Scenario("lookup-no-patient", LOOKUP_NO_PATIENT),
    Scenario("find-queries", _find(tuple(f'{{"Level": "Study", "Query": {query}}}' for query in QUERIES)), TREE),
    Scenario(
        "find-queries-instances",
        _find(tuple(f'{{"Level": "Instance", "Query": {query}}}' for query in QUERIES[:34])),
        TREE,
    ),
    Scenario(
        "find-queries-patients",
        _find(tuple(f'{{"Level": "Patient", "Query": {query}, "Expand": true}}' for query in QUERIES[:34])),
        TREE,
    ),
    Scenario("find-bodies", _find(BODIES), TREE),
    Scenario("find-unknown-names", _unknown_names(), TREE),
    Scenario("find-parents", _parents(), TREE),
    Scenario("find-short-and-full", _find(SHORT_AND_FULL), TREE),
    Scenario("find-newer", "PUT /instances/{a2}/metadata/1024 hello\n" + _find(NEWER), TREE),
    Scenario("count-resources", COUNT, TREE),
    Scenario("find-sorted", _find(_sorted()), TREE),
    Scenario("find-numbers", _numbers(), TREE),
    Scenario("find-pages", _find(_paged()), TREE),
    Scenario("find-pages-limited", _find(_paged()), TREE, options={"LimitFindResults": 1, "LimitFindInstances": 2}),
    Scenario(
        "find-limits",
        _find((*BODIES[5:9], '{"Level": "Instance", "Query": {}, "Limit": 3}')),
        TREE,
        options={"LimitFindResults": 1, "LimitFindInstances": 2},
    ),
    Scenario(
        "find-never-on-disk",
        _find(
            (
                '{"Level": "Instance", "Query": {"Rows": "4"}}',
                '{"Level": "Study", "Query": {"Manufacturer": "*"}}',
                '{"Level": "Instance", "Query": {"InstanceNumber": "1"}, "Expand": true, "RequestedTags": ["Rows"]}',
            )
        ),
        TREE,
        options={"StorageAccessOnFind": "Never"},
    ),
    Scenario(
        "find-case-sensitive",
        _find(tuple(f'{{"Level": "Patient", "Query": {query}}}' for query in QUERIES[:9])),
        TREE,
        options={"CaseSensitivePN": True},
    ),
]
