"""Searching: rest-core §7, each row as Orthanc 1.12.7 answers it unless said."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests.rest.checks import error_of
from tests.rest.conftest import Ids, Rest
from tests.rest.files import dicom_file

INTERNAL = (500, -1, "An unhandled exception was generated inside the HTTP server")
NO_SINCE = "Unable to use 'Since' in tools/find when querying tags that are not stored as MainDicomTags in the Database"
NO_COUNT = (
    "Unable to count resources when querying tags that are not stored as MainDicomTags in the Database "
    "or when using case sensitive queries."
)


def find(rest: Rest, level: str, query: Any, **fields: Any) -> Any:
    return rest.json("/tools/find", {"Level": level, "Query": query, **fields})


@pytest.mark.parametrize(
    ("level", "query", "names"),
    [
        ("Patient", {}, {"ALPHA", "BETA"}),
        ("patients", {}, {"ALPHA", "BETA"}),
        ("STUDY", None, {"1.1", "1.2", "2.1"}),
        ("Study", {"PatientID": "ALPHA"}, {"1.1", "1.2"}),
        ("Study", {"PatientID": "alpha"}, {"1.1", "1.2"}),
        ("Study", {"0010,0020": "ALPHA", "PatientID": "alpha"}, {"1.1", "1.2"}),
        ("Study", {"0010,0020": "ALPHA", "PatientID": "BETA"}, set()),
        ("Study", {"PatientID": ""}, {"1.1", "1.2", "2.1"}),
        ("Study", {"PatientID": " ALPHA "}, set()),
        ("Study", {"PatientID": "*A"}, {"1.1", "1.2", "2.1"}),
        ("Study", {"PatientID": "B?TA"}, {"2.1"}),
        ("Study", {"PatientID": "B??TA"}, set()),
        ("Study", {"PatientID": "GAMMA\\BETA"}, {"2.1"}),
        ("Study", {"PatientID": "GAMMA\\B*"}, set()),
        ("Study", {"PatientID": "ALPHA-BETA"}, set()),
        ("Study", {"StudyDescription": "*"}, {"1.1", "1.2", "2.1"}),
        ("Study", {"StudyDescription": "?*"}, {"1.1", "2.1"}),
        ("Study", {"StudyDescription": "b%n"}, set()),
        ("Study", {"StudyDescription": "Brai_"}, set()),
        ("Study", {"PatientName": "müller^*"}, {"2.1"}),
        ("Study", {"PatientName": "MÜLLER^ÄNNE"}, {"2.1"}),
        ("Study", {"PatientName": "Muller^Anne"}, set()),
        ("Study", {"StudyDate": "20240615"}, {"1.2"}),
        ("Study", {"StudyDate": "20240615-"}, {"1.2", "2.1"}),
        ("Study", {"StudyDate": "-20240615"}, {"1.1", "1.2"}),
        ("Study", {"StudyDate": "20240615-20240615"}, {"1.2"}),
        ("Study", {"StudyDate": "2024-2025"}, {"1.2"}),
        ("Study", {"StudyDate": "-"}, {"1.1", "1.2", "2.1"}),
        ("Study", {"StudyDate": "20230101\\20250101"}, {"1.1", "2.1"}),
        ("Study", {"StudyTime": "110000-130000"}, {"1.1", "1.2", "2.1"}),
        ("Study", {"StudyInstanceUID": "1.1\\2.1"}, {"1.1", "2.1"}),
        ("Study", {"StudyInstanceUID": "1.1\\2.*"}, {"1.1"}),
        ("Study", {"StudyDate": "20230101\\2024*"}, {"1.1"}),
        ("Instance", {"Rows": "128\\5*"}, {"1.1.1.2"}),
        ("Series", {"Modality": "m?"}, {"1.1.1", "1.2.1"}),
        ("Series", {"PatientName": "Doe*", "Modality": "CT"}, {"1.1.2"}),
        ("Instance", {"StudyDescription": "brain", "InstanceNumber": "2"}, {"1.1.1.2"}),
        ("Instance", {"InstanceNumber": "1-2"}, set()),
        # tags of files
        ("Study", {"Rows": "64"}, {"1.1"}),
        ("Instance", {"Rows": "64"}, {"1.1.1.1", "1.1.2.1"}),
        ("Instance", {"Rows": "64\\128"}, {"1.1.1.1", "1.1.1.2", "1.1.2.1"}),
        ("Instance", {"Rows": ""}, {"1.1.1.1", "1.1.1.2", "1.1.2.1", "1.2.1.1", "2.1.1.1"}),
        ("Instance", {"Rows": "1-100"}, set()),
        ("Instance", {"ImageType": "ORIGINAL"}, set()),
        ("Instance", {"ImageType": "original*"}, {"1.1.1.1"}),
        ("Instance", {"ImageType": "PRIMARY\\FOO"}, {"1.1.1.1", "1.1.1.2"}),
        ("Instance", {"ImageType": "*"}, {"1.1.1.1", "1.1.1.2"}),
        ("Instance", {"Rows": "64", "Modality": "CT"}, {"1.1.2.1"}),
        ("Instance", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, {"1.1.2.1"}),
        ("Instance", {"TransferSyntaxUID": "1.2.840.10008.1.2.1"}, set()),
        ("Study", {"PixelData": "x"}, set()),
        ("Study", {"0011,1010": "x"}, set()),
        # computed tags
        ("Study", {"ModalitiesInStudy": "CT"}, {"1.1"}),
        ("Study", {"ModalitiesInStudy": "ct\\us"}, {"1.1", "2.1"}),
        ("Study", {"ModalitiesInStudy": "C*"}, set()),
        ("Study", {"ModalitiesInStudy": "MR", "Rows": "512"}, {"1.2"}),
        ("Series", {"ModalitiesInStudy": "CT"}, set()),
        ("Patient", {"ModalitiesInStudy": "CT"}, set()),
        ("Study", {"NumberOfStudyRelatedSeries": "2"}, {"1.1"}),
        ("Patient", {"NumberOfPatientRelatedStudies": "1\\2"}, {"ALPHA", "BETA"}),
        ("Instance", {"InstanceAvailability": "ONLINE", "PatientID": "BETA"}, {"2.1.1.1"}),
        # tags of the level below are found only if they are shown
        ("Study", {"Modality": "CT"}, set()),
        ("Patient", {"StudyInstanceUID": "1.1"}, set()),
    ],
)
def test_queries(library: Rest, ids: Ids, level: str, query: Any, names: set[str]) -> None:
    found = find(library, level, query)
    assert found == sorted(found)
    assert ids.names(found) == names


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"CaseSensitive": False}, {"1.1", "1.2"}),
        ({"CaseSensitive": True}, set()),
        ({"CaseSensitive": True, "Query": {"PatientID": "ALPHA"}}, {"1.1", "1.2"}),
        ({"CaseSensitive": True, "Query": {"PatientName": "müller*"}}, set()),
        ({"CaseSensitive": True, "Query": {"PatientName": "Müller*"}}, {"2.1"}),
        ({"CaseSensitive": True, "Query": {"ModalitiesInStudy": "ct"}}, set()),
        ({"CaseSensitive": True, "Query": {"Rows": "64"}}, {"1.1"}),
    ],
)
def test_case(library: Rest, ids: Ids, fields: dict[str, Any], names: set[str]) -> None:
    assert (
        ids.names(library.json("/tools/find", {"Level": "Study", "Query": {"PatientID": "alpha"}, **fields})) == names
    )


def test_since_and_limit(library: Rest) -> None:
    everything = find(library, "Instance", {})
    assert find(library, "Instance", {}, Since=1, Limit=2) == everything[1:3]
    assert find(library, "Instance", {}, Since=3) == everything[3:]
    assert find(library, "Instance", {}, Limit=1 << 40) == everything
    assert find(library, "Instance", {}, Since=1000) == []
    mr = find(library, "Study", {"ModalitiesInStudy": "MR"})
    assert find(library, "Study", {"ModalitiesInStudy": "MR"}, Since=1, Limit=1) == mr[1:2]


def test_a_limit_holds_before_the_files_are_read(library: Rest) -> None:
    # As in Orthanc 1.12.7: of a tag that is not in the index, fewer may be found than there are, or none.
    candidates = find(library, "Instance", {})
    everything = find(library, "Instance", {"Rows": "64"})
    for limit in range(1, len(candidates) + 1):
        found = [id for id in candidates[:limit] if id in everything]
        assert find(library, "Instance", {"Rows": "64"}, Limit=limit) == found


def test_the_patient_as_the_study_has_it(rest: Rest) -> None:
    # Each study keeps the tags of the patient that stand in its own first file.
    first = rest.upload(dicom_file("P", "1", "1", "1", PatientName="Doe^Jane", PatientSex="F"))
    second = rest.upload(dicom_file("P", "2", "2", "2", PatientName="Smith^Jane"))
    assert find(rest, "Study", {"PatientName": "doe*"}) == [first["ParentStudy"]]
    assert find(rest, "Instance", {"PatientName": "smith*"}) == [second["ID"]]
    assert find(rest, "Patient", {"PatientName": "smith*"}) == []
    assert find(rest, "Study", {"PatientSex": "*"}) == [first["ParentStudy"]]
    study = rest.json(f"/studies/{second['ParentStudy']}?requested-tags=PatientName;PatientSex")
    assert study["PatientMainDicomTags"] == {"PatientID": "P", "PatientName": "Smith^Jane"}
    assert study["MainDicomTags"] == {"StudyInstanceUID": "2"}
    assert study["RequestedTags"] == {"PatientName": "Smith^Jane"}
    patient = rest.json(f"/patients/{first['ParentPatient']}")
    assert patient["MainDicomTags"] == {"PatientID": "P", "PatientName": "Doe^Jane", "PatientSex": "F"}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"ParentPatient": "<ALPHA>"}, {"1.1.1", "1.1.2", "1.2.1"}),
        ({"ParentStudy": "<1.1>"}, {"1.1.1", "1.1.2"}),
        ({"ParentStudy": "<1.1>", "ParentPatient": "<BETA>"}, {"2.1.1"}),  # the higher one counts
        ({"ParentSeries": "<1.1.1>"}, {"1.1.1"}),
        ({"ParentStudy": "<1.1.1>"}, set()),
        ({"ParentStudy": "nope"}, set()),
        ({"MetadataQuery": {"RemoteAET": "x"}}, set()),
        ({"MetadataQuery": {"MainDicomTagsSignature": "0008,*"}, "ParentStudy": "<1.1>"}, {"1.1.1", "1.1.2"}),
        ({"MetadataQuery": {"reader": ""}, "ParentStudy": "<1.1>"}, {"1.1.1", "1.1.2"}),
    ],
)
def test_parents_and_metadata(library: Rest, ids: Ids, fields: dict[str, Any], names: set[str]) -> None:
    filled = {name: ids.fill(value) if isinstance(value, str) else value for name, value in fields.items()}
    assert ids.names(find(library, "Series", {}, **filled)) == names


def test_metadata_query(filled: Rest, ids: Ids) -> None:
    filled("PUT", f"/series/{ids['1.1.1']}/metadata/reader", "Smith")
    for pattern, names in (("smith", {"1.1.1"}), ("S*", {"1.1.1"}), ("Jones\\Smith", {"1.1.1"}), ("Jones", set())):
        assert ids.names(find(filled, "Series", {}, MetadataQuery={"reader": pattern})) == names
        assert ids.names(find(filled, "Series", {}, MetadataQuery={"1025": pattern})) == names


@pytest.mark.parametrize(
    ("labels", "constraint", "names"),
    [
        (["a"], "All", {"1.1", "1.2"}),
        (["a", "b"], "All", {"1.2"}),
        (["a", "b"], "Any", {"1.1", "1.2", "2.1"}),
        (["a"], "None", {"2.1"}),
        (["a", "b"], "None", set()),
        ([], "Any", {"1.1", "1.2", "2.1"}),
        (["a b"], "All", set()),
    ],
)
def test_labels(filled: Rest, ids: Ids, labels: list[str], constraint: str, names: set[str]) -> None:
    for study, label in (("1.1", "a"), ("1.2", "a"), ("1.2", "b"), ("2.1", "b")):
        filled("PUT", f"/studies/{ids[study]}/labels/{label}")
    assert ids.names(find(filled, "Study", {}, Labels=labels, LabelsConstraint=constraint)) == names


@pytest.mark.parametrize(
    ("orders", "names"),
    [
        ([("DicomTag", "StudyDate", "ASC")], ["1.1", "1.2", "2.1"]),
        ([("DicomTag", "StudyDate", "desc")], ["2.1", "1.2", "1.1"]),
        ([("DicomTagAsInt", "0008,0020", "DESC")], ["2.1", "1.2", "1.1"]),
        ([("DicomTag", "PatientName", "DESC"), ("DicomTagAsFloat", "StudyDate", "DESC")], ["2.1", "1.2", "1.1"]),
        ([("Metadata", "reader", "ASC")], ["2.1", "1.1", "1.2"]),
        ([("MetadataAsInt", "1025", "ASC")], ["1.1", "2.1", "1.2"]),
    ],
)
def test_orders(filled: Rest, ids: Ids, orders: list[tuple[str, str, str]], names: list[str]) -> None:
    for study, value in (("1.1", "9"), ("1.2", "90"), ("2.1", "10")):
        filled("PUT", f"/studies/{ids[study]}/metadata/reader", value)
    order = [{"Type": type, "Key": key, "Direction": direction} for type, key, direction in orders]
    assert [ids.name(id) for id in find(filled, "Study", {}, OrderBy=order)] == names
    assert [ids.name(id) for id in find(filled, "Study", {}, OrderBy=order, Limit=1, Since=1)] == names[1:2]


ORDER = {"Type": "DicomTag", "Key": "PatientName", "Direction": "ASC"}
TYPES = '"DicomTag", "DicomTagAsInt", "DicomTagAsFloat" or "Metadata", "MetadataAsInt", "MetadataAsFloat"'
DIRECTIONS = 'Field "Direction" must be "ASC" or "DESC"'


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Level": None}, (400, 8, 'Field "Level" is missing, or should be a string')),
        ({"Level": 1}, (400, 8, 'Field "Level" is missing, or should be a string')),
        ({"Level": "Foo"}, (400, 3, "Invalid resource type 'Foo'")),
        ({"Query": []}, INTERNAL),
        ({"Query": "x"}, INTERNAL),
        ({"Query": {"PatientID": 1}}, (400, 8, 'Tag "PatientID" must be associated with a string')),
        ({"Query": {"PatientID": None}}, (400, 8, 'Tag "PatientID" must be associated with a string')),
        ({"Query": {"Foo": 1}}, (400, 8, 'Tag "Foo" must be associated with a string')),
        ({"Query": {"Foo": "1"}}, (500, 27, "Foo")),
        ({"Query": {"StudyDate": "2023*"}}, (400, 3, "Wildcards are not allowed on tag 0008,0020")),
        ({"Query": {"Rows": "?"}}, (400, 3, "Wildcards are not allowed on tag 0028,0010")),
        ({"Query": {"StudyInstanceUID": "1*"}}, (400, 3, "Wildcards are not allowed on tag 0020,000d")),
        ({"Query": {"PatientAge": "0*"}}, (400, 3, "Wildcards are not allowed on tag 0010,1010")),
        ({"Query": {"StudyDate": "2023-\\2024*"}}, (400, 3, "Wildcards are not allowed on tag 0008,0020")),
        ({"Query": {"0009,1010": "*"}}, (400, 3, "Wildcards are not allowed on tag 0009,1010")),
        (
            {"Query": {"PatientName": "*" + "a" * 50_000}},
            (400, 8, "A pattern with wildcards is longer than 50,000 characters"),
        ),
        (
            {"Level": "Instance", "Query": {"ImageComments": "a?" * 25_001}},
            (400, 8, "A pattern with wildcards is longer than 50,000 characters"),
        ),
        ({"Query": {"SOPInstanceUID": "1"}}, (500, 1012, "")),
        ({"Query": {"SOPClassesInStudy": "1"}, "Level": "Instance"}, (400, 3, "")),
        ({"Query": {"PatientID": "x"}, "RequestedTags": ["SOPClassesInStudy"], "Level": "Instance"}, (400, 3, "")),
        ({"Level": "Patient", "Query": {"Rows": "4"}, "ParentStudy": "x", "Since": 1}, (500, 6, "")),
        ({"Query": {"Rows": "1"}, "Since": 1}, (400, 8, NO_SINCE)),
        ({"Query": {"PatientID": "A"}, "CaseSensitive": True, "Since": 1}, (400, 8, NO_SINCE)),
        ({"Query": {"ModalitiesInStudy": "MR"}, "Since": 1, "Level": "Series"}, (400, 8, NO_SINCE)),
        ({"Expand": "true"}, INTERNAL),
        ({"Expand": []}, INTERNAL),
        ({"Full": 1}, (400, 15, "Boolean value expected in field: Full")),
        ({"Short": None}, (400, 15, "Boolean value expected in field: Short")),
        ({"CaseSensitive": 1}, (400, 8, 'Field "CaseSensitive" must be a Boolean')),
        ({"Limit": "1"}, (400, 8, 'Field "Limit" must be an integer')),
        ({"Limit": True}, (400, 8, 'Field "Limit" must be an integer')),
        ({"Limit": 1.5}, (400, 8, 'Field "Limit" must be an integer')),
        ({"Limit": None}, (400, 8, 'Field "Limit" must be an integer')),
        ({"Since": -1}, (400, 3, 'Field "Since" must be a positive integer')),
        ({"RequestedTags": "PatientID"}, (400, 8, 'Field "RequestedTags" must be an array')),
        ({"RequestedTags": ["Foo"]}, (500, 27, "Foo")),
        ({"RequestedTags": [1]}, (500, 27, "1")),
        ({"RequestedTags": [None]}, (500, 27, "")),
        ({"RequestedTags": [["a"]]}, INTERNAL),
        ({"Labels": "a"}, (400, 8, 'Field "Labels" must be an array of strings')),
        ({"Labels": [1]}, (400, 8, 'Field "Labels" must contain strings')),
        ({"Labels": [1], "LabelsConstraint": 1}, (400, 8, 'Field "LabelsConstraint" must be an array of strings')),
        ({"Labels": [1], "OrderBy": 1}, (400, 8, 'Field "OrderBy" must be an array')),
        ({"LabelsConstraint": "Foo"}, (400, 8, 'Field "LabelsConstraint" must be "All", "Any", or "None"')),
        ({"LabelsConstraint": 1}, (400, 8, 'Field "LabelsConstraint" must be an array of strings')),
        ({"ParentStudy": 1}, (400, 8, 'Field "ParentStudy" must be a string')),
        ({"MetadataQuery": []}, (400, 8, 'Field "MetadataQuery" must be an JSON object')),
        ({"MetadataQuery": {"Foo": "1"}}, (404, 7, "")),
        ({"MetadataQuery": {"Origin": 1}}, (400, 8, 'Tag "Origin" must be associated with a string')),
        ({"ResponseContent": "Labels"}, (400, 8, 'Field "ResponseContent" must be an array')),
        ({"ResponseContent": ["Foo"]}, (400, 3, 'Unrecognized value for "ResponseContent": Foo')),
        ({"ResponseContent": ["labels"]}, (400, 3, 'Unrecognized value for "ResponseContent": labels')),
        ({"ResponseContent": [1]}, (400, 3, 'Unrecognized value for "ResponseContent": 1')),
        ({"ResponseContent": [None]}, (400, 3, 'Unrecognized value for "ResponseContent": ')),
        ({"ResponseContent": [True]}, (400, 3, 'Unrecognized value for "ResponseContent": true')),
        ({"ResponseContent": [{}]}, INTERNAL),
        ({"ResponseContent": ["Foo"], "Limit": -1}, (400, 3, 'Unrecognized value for "ResponseContent": Foo')),
        ({"OrderBy": {}}, (400, 8, 'Field "OrderBy" must be an array')),
        ({"OrderBy": ["x"]}, (400, 8, 'Field "OrderBy" must contain objects')),
        ({"OrderBy": [{**ORDER, "Type": "Foo"}]}, (400, 8, f'Field "Type" must be {TYPES}')),
        ({"OrderBy": [{**ORDER, "Type": 1}]}, (400, 8, 'Field "Type" must be "DicomTag" or "Metadata"')),
        ({"OrderBy": [{**ORDER, "Key": 1}]}, (400, 8, 'Field "Key" must be a string')),
        ({"OrderBy": [{**ORDER, "Key": "Foo"}]}, (500, 27, "Foo")),
        ({"OrderBy": [{**ORDER, "Key": "Rows"}]}, (500, 1012, "")),
        ({"OrderBy": [{**ORDER, "Key": "Modality"}]}, (500, 1012, "")),
        ({"OrderBy": [{**ORDER, "Type": "Metadata", "Key": "Foo"}]}, (404, 7, "")),
        ({"OrderBy": [{**ORDER, "Direction": "UP"}]}, (400, 8, DIRECTIONS)),
        ({"OrderBy": [{"Type": "DicomTag", "Key": "PatientName"}]}, (400, 8, DIRECTIONS)),
    ],
)
def test_errors(library: Rest, fields: dict[str, Any], expected: tuple[int, int, str]) -> None:
    answer = library("POST", "/tools/find", {"Level": "Study", "Query": {}, **fields})
    assert error_of(answer) == expected


@pytest.mark.parametrize("path", ["/tools/find", "/tools/count-resources"])
@pytest.mark.parametrize("body", ["[]", "", "nope", "12", "null", '"x"'])
def test_bodies_that_are_no_object(library: Rest, path: str, body: str) -> None:
    assert error_of(library("POST", path, body)) == (400, 8, "The body must contain a JSON object")


def test_missing_fields(library: Rest) -> None:
    answer = library("POST", "/tools/find", {"Level": "Study"})
    assert error_of(answer) == (400, 8, 'Field "Query" is missing, or should be a JSON object')
    answer = library("POST", "/tools/find", {"Query": {}})
    assert error_of(answer) == (400, 8, 'Field "Level" is missing, or should be a string')


@pytest.mark.parametrize("expand", [True, 1, 0.5])
def test_expand(library: Rest, ids: Ids, expand: Any) -> None:
    (study,) = find(library, "Study", {"PatientID": "BETA"}, Expand=expand)
    assert study == library.json(f"/studies/{ids['2.1']}")


@pytest.mark.parametrize("expand", [False, 0, None])
def test_no_expand(library: Rest, ids: Ids, expand: Any) -> None:
    assert find(library, "Study", {"PatientID": "BETA"}, Expand=expand) == [ids["2.1"]]


def test_forms_of_tags(library: Rest, ids: Ids) -> None:
    def study(**fields: Any) -> Any:
        return find(library, "Study", {"PatientID": "BETA"}, Expand=True, **fields)[0]

    assert study(Short=True, Full=True) == library.json(f"/studies/{ids['2.1']}?short")
    assert study(Full=True) == library.json(f"/studies/{ids['2.1']}?full")


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ([], set()),
        (["MainDicomTags"], {"MainDicomTags"}),
        (["Metadata", "Labels"], {"Metadata", "Labels"}),
        (["Children", "Parent"], {"Instances", "ParentStudy"}),
        (["Attachments", "IsStable", "Status"], {"Attachments", "IsStable", "Status"}),
        (["RequestedTags"], set()),
    ],
)
def test_response_content(library: Rest, content: list[str], keys: set[str]) -> None:
    for expand in (True, False):
        (series,) = find(library, "Series", {"PatientID": "BETA"}, ResponseContent=content, Expand=expand)
        assert set(series) == keys | {"ID", "Type"}


def test_response_content_of_other_levels(library: Rest, ids: Ids) -> None:
    every = ["MainDicomTags", "Metadata", "Children", "Parent", "Labels", "Attachments", "Status", "IsStable"]
    (patient,) = find(library, "Patient", {"PatientID": "BETA"}, ResponseContent=every)
    assert set(patient) == {"Attachments", "ID", "IsStable", "Labels", "MainDicomTags", "Metadata", "Studies", "Type"}
    (study,) = find(library, "Study", {"PatientID": "BETA"}, ResponseContent=["MainDicomTags", "Status"])
    assert set(study) == {"ID", "MainDicomTags", "PatientMainDicomTags", "Type"}
    (instance,) = find(library, "Instance", {"PatientID": "BETA"}, ResponseContent=every)
    assert set(instance) == {"Attachments", "ID", "Labels", "MainDicomTags", "Metadata", "ParentSeries", "Type"}
    assert instance["Metadata"]["Origin"] == "RestApi"
    assert instance["Attachments"] == [library.json(f"/instances/{ids['2.1.1.1']}/attachments/dicom/info")]


@pytest.mark.parametrize(
    ("query", "requested", "tags"),
    [
        ({}, ["Rows", "PatientID"], {"PatientID": "ALPHA", "Rows": "64"}),
        ({"Rows": "64"}, [], {"Rows": "64"}),
        ({"ModalitiesInStudy": "CT"}, [], {"ModalitiesInStudy": "CT\\MR"}),
        ({"NumberOfStudyRelatedSeries": "2"}, ["Rows"], {"NumberOfStudyRelatedSeries": "2", "Rows": "64"}),
        ({"Modality": "MR"}, ["Modality"], {"Modality": "MR"}),
        ({"PatientName": "Doe*"}, [], None),
    ],
)
def test_requested_tags(library: Rest, query: Any, requested: list[str], tags: dict[str, str] | None) -> None:
    query = {"StudyInstanceUID": "1.1", **query}
    (study,) = find(library, "Study", query, RequestedTags=requested, ResponseContent=[])
    assert study.get("RequestedTags") == tags
    (study,) = find(library, "Study", query, RequestedTags=requested, Expand=True)
    assert study.get("RequestedTags") == tags


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ({"ResponseContent": ["RequestedTags"]}, {"PatientSex": None, "StudyID": None}),
        ({"ResponseContent": ["MainDicomTags"], "Expand": True}, {"PatientSex": None, "StudyID": None}),
        ({"ResponseContent": ["Metadata"]}, {}),
        ({"Expand": True}, {}),
    ],
)
def test_requested_tags_that_no_file_has(library: Rest, fields: dict[str, Any], tags: dict[str, None]) -> None:
    def requested(level: str, *names: str) -> Any:
        return find(library, level, {"PatientID": "BETA"}, RequestedTags=names, **fields)[0]["RequestedTags"]

    assert requested("Study", "PatientSex", "StudyID") == tags
    assert requested("Series", "PatientSex", "StudyID") == {}
    assert requested("Study", "PatientSex", "PatientComments") == {"PatientComments": None}
    assert requested("Study", "RetrieveURL", "RetrieveAETitle", "NumberOfSeriesRelatedInstances") == {}
    along = requested("Study", "RetrieveURL", "NumberOfSeriesRelatedInstances", "PatientComments")
    assert along == dict.fromkeys(["NumberOfSeriesRelatedInstances", "PatientComments", "RetrieveURL"])


def test_a_sequence_cannot_be_searched_in_files(rest: Rest) -> None:
    item = Dataset()
    item.PatientID = "x"
    rest.upload(dicom_file("P", "1", "2", "3", ReferencedImageSequence=[item]))
    body = {"Level": "Study", "Query": {"ReferencedImageSequence": "x"}}
    assert error_of(rest("POST", "/tools/find", body)) == (400, 5, "")
    assert find(rest, "Study", {"PatientID": "P", "PatientAge": "x", "ReferencedImageSequence": "x"}) == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"Level": "Study", "Query": {}}, 3),
        ({"Level": "Instance", "Query": {"PatientID": "alpha"}}, 4),
        ({"Level": "Study", "Query": {}, "Limit": 1, "Since": 1, "Expand": True, "OrderBy": [ORDER], "Full": 1}, 3),
        ({"Level": "Study", "Query": {"Rows": ""}}, 3),
        ({"Level": "Study", "Query": {"ModalitiesInStudy": "MR\\US"}}, 3),
        ({"Level": "Study", "Query": {"ModalitiesInStudy": "*"}}, 0),
        ({"Level": "Study", "Query": {"Modality": "C*"}}, 1),
        ({"Level": "Study", "Query": {"StationName": "*"}}, 3),
        ({"Level": "Study", "Query": {"StationName": "**"}}, 0),
        ({"Level": "Patient", "Query": {"StudyDate": "2024-2025"}}, 1),
        ({"Level": "Series", "Query": {"InstanceNumber": "1"}}, 1),
        ({"Level": "Study", "Query": {}, "ParentPatient": "nope"}, 0),
        ({"Level": "Study", "Query": {}, "CaseSensitive": False}, 3),
    ],
)
def test_counts(library: Rest, query: Any, count: int) -> None:
    assert library.json("/tools/count-resources", query) == {"Count": count}


CASE = 'Setting "CaseSensitive" to "true" is not supported by /tools/count-resources'


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"Level": "Study", "Query": {"Rows": "64"}}, (400, 8, NO_COUNT)),
        ({"Level": "Study", "Query": {"NumberOfStudyRelatedSeries": "1"}}, (400, 8, NO_COUNT)),
        ({"Level": "Series", "Query": {"ModalitiesInStudy": "CT"}}, (400, 8, NO_COUNT)),
        ({"Level": "Study", "Query": {}, "CaseSensitive": True}, (400, 3, CASE)),
        ({"Level": "Patient", "Query": {"Modality": "MR"}}, (500, 1012, "")),
        ({"Level": "Study"}, (400, 8, 'Field "Query" is missing, or should be a JSON object')),
    ],
)
def test_counts_refused(library: Rest, query: Any, expected: tuple[int, int, str]) -> None:
    assert error_of(library("POST", "/tools/count-resources", query)) == expected


class TestLimits:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"LimitFindResults": 2, "LimitFindInstances": 3}

    def test_they_hold_for_the_first_page(self, filled: Rest) -> None:
        assert len(find(filled, "Study", {})) == 2
        assert len(find(filled, "Study", {}, Limit=10)) == 2
        assert len(find(filled, "Study", {}, Limit=1)) == 1
        assert len(find(filled, "Instance", {})) == 3
        assert len(find(filled, "Instance", {}, Since=1)) == 4  # as Orthanc
        first = find(filled, "Instance", {})
        found = find(filled, "Instance", {"Rows": "64"})  # the files of the first three are read
        assert found == [id for id in first if id in found]
        assert found
        assert filled.json("/tools/count-resources", {"Level": "Study", "Query": {}}) == {"Count": 3}


def test_the_same_again_after_each_change(filled: Rest, ids: Ids) -> None:
    """Answers are kept until the index changes."""

    def found() -> Any:
        once, again = (find(filled, "Study", {"StudyDescription": "Brain"}, Expand=True) for _ in range(2))
        assert again == once
        xml = filled("POST", "/tools/find", {"Level": "Study", "Query": {}}, Accept="application/xml")
        assert xml.text.startswith("<?xml")
        return {ids.name(study["ID"]): study for study in once}

    assert found().keys() == {"1.1", "2.1"}
    filled("PUT", f"/studies/{ids['1.1']}/labels/seen")
    assert found()["1.1"]["Labels"] == ["seen"]
    filled("PUT", f"/studies/{ids['1.1']}/metadata/ModifiedFrom", "elsewhere")
    before = found()["1.1"]
    filled("PUT", f"/studies/{ids['1.1']}/metadata/quality", "good")
    assert found()["1.1"] == before
    filled.upload(dicom_file("ALPHA", "1.1", "1.1.9", "1.1.9.1", StudyDescription="Brain"))
    assert len(found()["1.1"]["Series"]) == len(before["Series"]) + 1
    filled("DELETE", f"/studies/{ids['1.1']}")
    assert found().keys() == {"2.1"}


@pytest.mark.parametrize("kind", ["metadata", "order"])
def test_as_many_criteria_as_a_statement_of_orthanc_has(library: Rest, ids: Ids, kind: str) -> None:
    def criteria(number: int) -> dict[str, Any]:
        if kind == "metadata":
            return {"MetadataQuery": {str(1024 + place): "*" for place in range(number)}}
        return {"OrderBy": [{"Type": "DicomTag", "Key": "PatientName", "Direction": "ASC"}] * number}

    assert isinstance(find(library, "Study", {}, **criteria(63)), list)
    refused = library("POST", "/tools/find", {"Level": "Study", "Query": {}, **criteria(64)})
    assert error_of(refused) == (500, 1012, "")


def test_a_long_pattern_takes_linear_time(rest: Rest) -> None:
    """A metadata may be as long as a client likes; LIKE took minutes for this one."""
    rest.upload(dicom_file("7", "7", "7", "7"))
    (study,) = rest.json("/studies")
    assert rest("PUT", f"/studies/{study}/metadata/1024", "a" * 2_000_000).status_code == 200
    many = "a" * 40_000
    for pattern, found in ((f"*{many}b", []), (f"{many}*", [study]), (f"{'?' * 65}*A", [study]), (f"*{'?b' * 50}", [])):
        assert find(rest, "Study", {}, MetadataQuery={"1024": pattern}) == found
    assert find(rest, "Study", {"PatientID": "*" * 50_000}) == [study]
    query = {"Level": "Study", "Query": {}, "MetadataQuery": {"1024": f"*{'a?' * 2000}b*"}}
    assert error_of(rest("POST", "/tools/find", query)) == (400, 8, "A pattern with wildcards is too complex")
