"""Browsing: rest-core §5, each row as Orthanc 1.12.7 answers it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rest.checks import error_of, is_empty
from tests.rest.conftest import Ids, Rest
from tests.rest.files import dicom_file

UNKNOWN_TAG = "Invalid requested-tags argument: Unknown DICOM tag Foo"
UNKNOWN_PART = 'Unrecognized value for "ResponseContent": '
SYNTAX = "Syntax error in some user-supplied data"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/patients", {"ALPHA", "BETA"}),
        ("/studies", {"1.1", "1.2", "2.1"}),
        ("/series", {"1.1.1", "1.1.2", "1.2.1", "2.1.1"}),
        ("/instances", {"1.1.1.1", "1.1.1.2", "1.1.2.1", "1.2.1.1", "2.1.1.1"}),
        ("/studies/", {"1.1", "1.2", "2.1"}),
        ("/studies?expand=false", {"1.1", "1.2", "2.1"}),
        ("/studies?expand=0", {"1.1", "1.2", "2.1"}),
        ("/studies?since=0&limit=0", {"1.1", "1.2", "2.1"}),
        ("/studies?since=100&limit=2", set()),
        ("/studies?since=9223372036854775807&limit=1", set()),
        ("/studies?since=18446744073709551615&limit=1", set()),
        ("/patients/<ALPHA>/studies?expand=false", {"1.1", "1.2"}),
        ("/patients/<ALPHA>/series?expand=0", {"1.1.1", "1.1.2", "1.2.1"}),
        ("/patients/<ALPHA>/instances?expand=false", {"1.1.1.1", "1.1.1.2", "1.1.2.1", "1.2.1.1"}),
        ("/studies/<1.1>/series?expand=false", {"1.1.1", "1.1.2"}),
        ("/studies/<1.1>/instances?expand=false", {"1.1.1.1", "1.1.1.2", "1.1.2.1"}),
        ("/series/<1.1.1>/instances?expand=false", {"1.1.1.1", "1.1.1.2"}),
    ],
)
def test_lists_are_sorted_identifiers(library: Rest, ids: Ids, path: str, names: set[str]) -> None:
    found = library.json(ids.fill(path))
    assert found == sorted(found)
    assert ids.names(found) == names


def test_pages_follow_each_other(library: Rest) -> None:
    everything = library.json("/instances")
    pages = [library.json(f"/instances?since={since}&limit=2") for since in (0, 2, 4)]
    assert [id for page in pages for id in page] == everything
    expanded = library.json("/instances?expand&since=2&limit=2")
    assert [instance["ID"] for instance in expanded] == everything[2:4]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/studies?since=1", (400, 8, 'Missing "limit" argument for GET request against: /studies/')),
        ("/instances/?limit=1", (400, 8, 'Missing "since" argument for GET request against: /instances/')),
        ("/studies?since=&limit=1", (400, 5, SYNTAX)),
        ("/studies?since=1.5&limit=1", (400, 5, SYNTAX)),
        ("/studies?since=1x&limit=1", (400, 5, SYNTAX)),
        ("/studies?since=%201&limit=1", (400, 5, SYNTAX)),
        ("/studies?since=0&limit=-1", (400, 5, SYNTAX)),
        ("/studies?since=18446744073709551616&limit=1", (400, 5, SYNTAX)),
        ("/studies?expand=foo", (400, 3, 'Expected a Boolean for GET argument "expand", found: foo')),
        ("/studies/<1.1>/series?expand=FALSE", (400, 3, 'Expected a Boolean for GET argument "expand", found: FALSE')),
        ("/studies?requested-tags=Foo", (400, 8, UNKNOWN_TAG)),
        ("/studies/nope?requested-tags=Foo", (400, 8, UNKNOWN_TAG)),
        ("/studies?requested-tags=Foo,PatientID", (400, 8, f"{UNKNOWN_TAG},PatientID")),
        ("/studies?requested-tags=Foo%3BPatientID", (400, 8, f"{UNKNOWN_TAG}%3BPatientID")),
        ("/instances/<1.1.1.1>?requested-tags=SOPClassesInStudy", (400, 3, "")),
        ("/instances?requested-tags=SOPClassesInStudy", (400, 3, "")),
        ("/series/nope/instances?requested-tags=SOPClassesInStudy", (400, 3, "")),
        ("/instances/<1.1.1.1>/study?requested-tags=Foo", (400, 8, UNKNOWN_TAG)),
        ("/studies/nope/patient?requested-tags=Foo", (400, 8, UNKNOWN_TAG)),
        ("/studies?response-content=Foo", (400, 3, f"{UNKNOWN_PART}Foo")),
        ("/studies?response-content=Labels;Foo;Bar&expand=x", (400, 3, f"{UNKNOWN_PART}Bar")),
        ("/studies?response-content=;Labels", (400, 3, UNKNOWN_PART)),
        ("/studies?response-content=Labels;;", (400, 3, UNKNOWN_PART)),
        ("/patients/nope/studies", (404, 17, "")),
        ("/patients/<1.1>/studies", (404, 17, "")),
        ("/series/<1.1.1.1>/instances", (404, 17, "")),
        ("/studies/nope/patient", (404, 17, "")),
        ("/patients/<ALPHA>/patient", (404, 17, "")),
        ("/studies/<1.1>/studies", (404, 17, "")),
        ("/studies/nope/statistics", (404, 17, "")),
        ("/studies/<1.1>/foo", (404, 17, "")),
    ],
)
def test_errors(library: Rest, ids: Ids, path: str, expected: tuple[int, int, str]) -> None:
    assert error_of(library("GET", ids.fill(path))) == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/studies/nope"),
        ("GET", "/studies/<ALPHA>"),
        ("DELETE", "/studies/nope"),
        ("DELETE", "/studies/<1.1.1>"),
        ("GET", "/studies/<1.1.1>/patient"),
        ("GET", "/series/<1.1>/study"),
        ("GET", "/instances/<ALPHA>/patient"),
    ],
)
def test_bare_not_found(library: Rest, ids: Ids, method: str, path: str) -> None:
    assert is_empty(library(method, ids.fill(path)), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/instances", "GET,POST"),
        ("POST", "/studies", "GET"),
        ("PUT", "/studies/<1.1>", "GET,DELETE"),
        ("POST", "/studies/<1.1>/series", "GET"),
        ("DELETE", "/statistics", "GET"),
    ],
)
def test_wrong_verbs(library: Rest, ids: Ids, method: str, path: str, allowed: str) -> None:
    answer = library(method, ids.fill(path))
    assert is_empty(answer, 405)
    assert answer.headers["Allow"] == allowed


def test_patient_object(library: Rest, ids: Ids) -> None:
    patient = library.json(f"/patients/{ids['BETA']}")
    assert patient.pop("LastUpdate") == "20260101T000000"
    assert patient == {
        "ID": ids["BETA"],
        "IsStable": False,
        "Labels": [],
        "MainDicomTags": {"PatientID": "BETA", "PatientName": "Müller^Änne"},
        "Studies": [ids["2.1"]],
        "Type": "Patient",
    }


def test_study_object(library: Rest, ids: Ids) -> None:
    study = library.json(f"/studies/{ids['1.1']}")
    assert study.pop("LastUpdate")
    assert study == {
        "ID": ids["1.1"],
        "IsStable": False,
        "Labels": [],
        "MainDicomTags": {
            "AccessionNumber": "A1",
            "StudyDate": "20230101",
            "StudyDescription": "Brain",
            "StudyInstanceUID": "1.1",
            "StudyTime": "120000",
        },
        "ParentPatient": ids["ALPHA"],
        "PatientMainDicomTags": {"PatientID": "ALPHA", "PatientName": "Doe^Jane"},
        "Series": sorted([ids["1.1.1"], ids["1.1.2"]]),
        "Type": "Study",
    }


def test_series_object(library: Rest, ids: Ids) -> None:
    series = library.json(f"/series/{ids['1.1.1']}")
    assert series.pop("LastUpdate")
    assert series == {
        "ExpectedNumberOfInstances": None,
        "ID": ids["1.1.1"],
        "Instances": sorted([ids["1.1.1.1"], ids["1.1.1.2"]]),
        "IsStable": False,
        "Labels": [],
        "MainDicomTags": {"Modality": "MR", "SeriesInstanceUID": "1.1.1"},
        "ParentStudy": ids["1.1"],
        "Status": "Unknown",
        "Type": "Series",
    }


def test_instance_object(library: Rest, ids: Ids) -> None:
    instance = library.json(f"/instances/{ids['1.1.1.2']}")
    assert instance.pop("FileSize") > 300
    assert len(instance.pop("FileUuid")) == 36
    assert instance == {
        "ID": ids["1.1.1.2"],
        "IndexInSeries": 2,
        "Labels": [],
        "MainDicomTags": {"InstanceNumber": "2", "SOPInstanceUID": "1.1.1.2"},
        "ParentSeries": ids["1.1.1"],
        "Type": "Instance",
    }
    assert library.json(f"/instances/{ids['1.1.2.1']}")["IndexInSeries"] is None


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ("", {"PatientID": "ALPHA", "PatientName": "Doe^Jane"}),
        ("?short", {"0010,0010": "Doe^Jane", "0010,0020": "ALPHA"}),
        ("?short&full", {"0010,0010": "Doe^Jane", "0010,0020": "ALPHA"}),
        ("?short=false", {"0010,0010": "Doe^Jane", "0010,0020": "ALPHA"}),
        ("?full&simplify", {"PatientID": "ALPHA", "PatientName": "Doe^Jane"}),
        (
            "?full",
            {
                "0010,0010": {"Name": "PatientName", "Type": "String", "Value": "Doe^Jane"},
                "0010,0020": {"Name": "PatientID", "Type": "String", "Value": "ALPHA"},
            },
        ),
    ],
)
@pytest.mark.parametrize("path", ["/patients/<ALPHA>", "/studies/<1.1>/patient", "/instances/<1.1.1.1>/patient"])
def test_forms_of_tags(library: Rest, ids: Ids, path: str, query: str, tags: dict[str, Any]) -> None:
    assert library.json(ids.fill(path) + query)["MainDicomTags"] == tags


@pytest.mark.parametrize(
    ("path", "tags"),
    [
        # from the index, of the level itself and above
        (
            "/studies/<1.1>?requested-tags=StudyDate;0010,0020;0010-0010",
            {"PatientID": "ALPHA", "PatientName": "Doe^Jane", "StudyDate": "20230101"},
        ),
        ("/instances/<1.1.1.1>?requested-tags=Modality;PatientID", {"Modality": "MR", "PatientID": "ALPHA"}),
        ("/studies/<1.1>?requested-tags=PatientID&short", {"0010,0020": "ALPHA"}),
        (
            "/studies/<1.1>?requested-tags=PatientID&full",
            {"0010,0020": {"Name": "PatientID", "Type": "String", "Value": "ALPHA"}},
        ),
        ("/studies/<1.1>?requestedTags=PatientID", {"PatientID": "ALPHA"}),
        ("/studies/<1.1>?requestedTags=PatientID&requested-tags=StudyDate", {"StudyDate": "20230101"}),
        ("/studies/<1.1>?requested-tags=;;PatientID;PatientID;", {"PatientID": "ALPHA"}),
        # the index knows that the study has none
        ("/studies/<1.1>?requested-tags=InstitutionName", {}),
        # from the first file
        ("/studies/<1.1>?requested-tags=Rows;Columns", {"Columns": None, "Rows": "64"}),
        ("/series/<1.1.1>?requested-tags=SOPInstanceUID", {"SOPInstanceUID": "1.1.1.1"}),
        ("/studies/<1.1>?requested-tags=ImageType", {"ImageType": "ORIGINAL\\PRIMARY"}),
        (
            "/studies/<1.1>?requested-tags=Columns&full",
            {"0028,0011": {"Name": "Columns", "Type": "Null", "Value": None}},
        ),
        ("/studies/<1.1>?requested-tags=0011,1010;0011,0010", {"PrivateCreator": None, "Unknown Tag & Data": None}),
        ("/studies/<1.1>?requested-tags=TransferSyntaxUID", {}),
        # computed
        (
            "/studies/<1.1>?requested-tags=ModalitiesInStudy;SOPClassesInStudy",
            {
                "ModalitiesInStudy": "CT\\MR",
                "SOPClassesInStudy": "1.2.840.10008.5.1.4.1.1.2\\1.2.840.10008.5.1.4.1.1.7",
            },
        ),
        (
            "/studies/<1.1>?requested-tags=NumberOfStudyRelatedSeries;NumberOfStudyRelatedInstances",
            {"NumberOfStudyRelatedInstances": "3", "NumberOfStudyRelatedSeries": "2"},
        ),
        (
            "/patients/<ALPHA>?requested-tags=0020,1200;0020,1202;0020,1204",
            {
                "NumberOfPatientRelatedInstances": "4",
                "NumberOfPatientRelatedSeries": "3",
                "NumberOfPatientRelatedStudies": "2",
            },
        ),
        ("/series/<1.1.1>?requested-tags=NumberOfSeriesRelatedInstances", {"NumberOfSeriesRelatedInstances": "2"}),
        ("/instances/<1.1.1.1>?requested-tags=InstanceAvailability", {"InstanceAvailability": "ONLINE"}),
        ("/patients/<ALPHA>?requested-tags=ModalitiesInStudy;InstanceAvailability;NumberOfStudyRelatedSeries", {}),
        ("/instances/<1.1.1.1>?requested-tags=NumberOfPatientRelatedStudies", {}),
    ],
)
def test_requested_tags(library: Rest, ids: Ids, path: str, tags: dict[str, Any]) -> None:
    assert library.json(ids.fill(path))["RequestedTags"] == tags


def test_requested_tags_in_lists(library: Rest) -> None:
    studies = library.json("/studies?expand&requested-tags=PatientID;Rows;NumberOfStudyRelatedInstances")
    found = {study["MainDicomTags"]["StudyInstanceUID"]: study["RequestedTags"] for study in studies}
    assert found == {
        "1.1": {"NumberOfStudyRelatedInstances": "3", "PatientID": "ALPHA", "Rows": "64"},
        "1.2": {"NumberOfStudyRelatedInstances": "1", "PatientID": "ALPHA", "Rows": "512"},
        "2.1": {"NumberOfStudyRelatedInstances": "1", "PatientID": "BETA", "Rows": None},
    }


@pytest.mark.parametrize("path", ["/studies/<1.1>?requested-tags=", "/studies/<1.1>/patient?requested-tags=PatientID"])
def test_no_requested_tags(library: Rest, ids: Ids, path: str) -> None:
    assert "RequestedTags" not in library.json(ids.fill(path))


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/studies?response-content=Labels", {"Labels"}),
        ("/studies?response-content=Labels;&expand=false", {"Labels"}),
        ("/studies?response-content=&expand", set()),
        ("/studies?response-content&expand=x", set()),
        ("/studies?response-content=MainDicomTags;Status", {"MainDicomTags", "PatientMainDicomTags"}),
        ("/studies?response-content=Parent;Metadata;Attachments", {"ParentPatient", "Metadata", "Attachments"}),
        ("/studies?response-content=RequestedTags", set()),
        ("/studies?response-content=IsStable&requested-tags=Rows", {"IsStable", "RequestedTags"}),
        ("/patients?response-content=Children", {"Studies"}),
        ("/series?response-content=Status", {"Status"}),
        ("/instances?response-content=Parent;Children", {"ParentSeries"}),
    ],
)
def test_parts_that_a_list_shows(library: Rest, path: str, keys: set[str]) -> None:
    for page in ("", "&since=0&limit=1"):
        found = library.json(path + page)
        assert found
        assert all(set(resource) == {"ID", "Type", *keys} for resource in found)


def test_parts_in_the_form_that_is_asked_for(library: Rest) -> None:
    (patient, *_) = library.json("/patients?response-content=MainDicomTags&short")
    assert set(patient["MainDicomTags"]) == {"0010,0010", "0010,0020"}


@pytest.mark.parametrize("path", ["/studies/<1.1>?", "/studies/<1.1>/series?", "/series/<1.1.1>/study?"])
def test_parts_are_chosen_of_whole_lists_alone(library: Rest, ids: Ids, path: str) -> None:
    uri = ids.fill(path)
    assert library.json(uri + "response-content=Foo") == library.json(uri)


def test_sequences_among_the_main_tags(rest: Rest) -> None:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ScheduledProcedureStepID = "S1"
    series = rest.upload(dicom_file("P", "1", "2", "3", RequestAttributesSequence=[item]))["ParentSeries"]
    assert rest.json(f"/series/{series}")["MainDicomTags"]["RequestAttributesSequence"] == [
        {"ScheduledProcedureStepID": "S1"}
    ]
    assert rest.json(f"/series/{series}?short")["MainDicomTags"]["0040,0275"] == [{"0040,0009": "S1"}]
    full = {"0040,0009": {"Name": "ScheduledProcedureStepID", "Type": "String", "Value": "S1"}}
    assert rest.json(f"/series/{series}?full")["MainDicomTags"]["0040,0275"] == {
        "Name": "RequestAttributesSequence",
        "Type": "Sequence",
        "Value": [full],
    }
    requested = rest.json(f"/series/{series}?requested-tags=RequestAttributesSequence")["RequestedTags"]
    assert requested == {"RequestAttributesSequence": [{"ScheduledProcedureStepID": "S1"}]}
    for wanted, is_shown in (("", False), (";Metadata", True), ("&requested-tags=Rows", True)):
        (found,) = rest.json(f"/series?response-content=MainDicomTags{wanted}")
        assert ("RequestAttributesSequence" in found["MainDicomTags"]) == is_shown


@pytest.mark.parametrize(
    ("expected", "numbers", "status"),
    [
        (3, [1, 2, 3], "Complete"),
        (3, [1, 2], "Missing"),
        (3, [1, 1, 2], "Missing"),
        (2, [1, 1], "Missing"),
        (3, [1, 4], "Inconsistent"),
        (3, [0, 1], "Inconsistent"),
        (2, [1, 2, 3], "Inconsistent"),
        (None, [1, 2], "Unknown"),
    ],
)
def test_status_of_a_series(rest: Rest, expected: int | None, numbers: list[int], status: str) -> None:
    counts = {} if expected is None else {"NumberOfSlices": expected, "NumberOfTimeSlices": 1}
    for position, number in enumerate(numbers):
        rest.upload(dicom_file("P", "1", "2", f"3.{position}", InstanceNumber=number, **counts))
    (series,) = rest.json("/series?expand")
    assert (series["Status"], series["ExpectedNumberOfInstances"]) == (status, expected)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("/patients/<ALPHA>", {"CountInstances": 4, "CountSeries": 3, "CountStudies": 2}),
        ("/studies/<1.1>", {"CountInstances": 3, "CountSeries": 2}),
        ("/series/<1.1.1>", {"CountInstances": 2}),
        ("/instances/<1.1.1.1>", {}),
        ("/instances/<1.1.1>", {"CountInstances": 2}),
    ],
)
def test_statistics_of_a_resource(library: Rest, ids: Ids, path: str, counts: dict[str, int]) -> None:
    statistics = library.json(ids.fill(path) + "/statistics")
    size = statistics["DiskSize"]
    assert isinstance(size, str)
    assert int(size) > 300
    assert statistics == {
        **counts,
        **dict.fromkeys(("DicomDiskSize", "DicomUncompressedSize", "DiskSize", "UncompressedSize"), size),
        **{f"{name}MB": 0 for name in ("DicomDiskSize", "DicomUncompressedSize", "DiskSize", "UncompressedSize")},
    }


def test_statistics_of_the_database(library: Rest) -> None:
    statistics = library.json("/statistics")
    total = sum(instance["FileSize"] for instance in library.json("/instances?expand"))
    assert statistics == {
        "CountInstances": 5,
        "CountPatients": 2,
        "CountSeries": 4,
        "CountStudies": 3,
        "TotalDiskSize": str(total),
        "TotalDiskSizeMB": 0,
        "TotalUncompressedSize": str(total),
        "TotalUncompressedSizeMB": 0,
    }


def test_delete_answers_the_remaining_ancestor(filled: Rest, ids: Ids) -> None:
    def delete(path: str) -> Any:
        return filled("DELETE", ids.fill(path)).json()["RemainingAncestor"]

    assert delete("/instances/<1.1.1.1>") == {"ID": ids["1.1.1"], "Path": f"/series/{ids['1.1.1']}", "Type": "Series"}
    assert delete("/instances/<1.1.1.2>") == {"ID": ids["1.1"], "Path": f"/studies/{ids['1.1']}", "Type": "Study"}
    assert delete("/studies/<1.1>") == {"ID": ids["ALPHA"], "Path": f"/patients/{ids['ALPHA']}", "Type": "Patient"}
    assert delete("/patients/<ALPHA>") is None
    assert ids.names(filled.json("/studies")) == {"2.1"}


def test_control_characters_are_references_in_xml(rest: Rest) -> None:
    rest("POST", "/tools/create-dicom", '{"Tags": {"PatientID": "a\\u0001\\t\\u001b<"}}')
    answer = rest("GET", "/patients?expand", Accept="application/xml")
    assert "<PatientID>a&#01;\t&#27;&lt;</PatientID>" in answer.text


def test_xml(library: Rest, ids: Ids) -> None:
    answer = library("GET", "/patients?since=0&limit=1", Accept="application/xml")
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert "<item>" in answer.text
