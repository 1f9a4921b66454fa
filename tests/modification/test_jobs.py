"""Patients, studies and series modified or anonymized by jobs: modification.md §5 to 8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import orthanc_lab
from tests.create.creator import DICTIONARY, Refusal
from tests.modification.collection import (
    INSTANCE,
    OTHER_INSTANCE,
    OTHER_STUDY,
    PATIENT,
    SERIES,
    SERIES_2,
    STUDY,
    STUDY_2,
    file_of,
    instance,
    orthanc_id,
    text,
)
from tests.modification.library import Library
from tests.waiting import until

SOP, SERIES_UID, STUDY_UID, PATIENT_ID = 0x00080018, 0x0020000E, 0x0020000D, 0x00100020
KEPT_UIDS = {"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], "Force": True}
LEVELS = {"patients": PATIENT, "studies": STUDY, "series": SERIES}
COUNTS = {"patients": 6, "studies": 4, "series": 2}
CALLS = [(level, call) for level in LEVELS for call in ("modify", "anonymize")]


@pytest.mark.parametrize(("level", "call"), CALLS)
def test_a_resource_becomes_a_new_one(library: Library, level: str, call: str) -> None:
    old = LEVELS[level]
    force = {"Replace": {"PatientID": "NEW"}, "Force": True} if (level, call) == ("patients", "modify") else {}
    content = library.content(f"/{level}/{old}/{call}", force)
    new, patient = content.pop("ID"), content.pop("PatientID")
    kind = {"patients": "Patient", "studies": "Study", "series": "Series"}[level]
    assert content == {
        "Description": "REST API",
        "FailedInstancesCount": 0,
        "InstancesCount": COUNTS[level],
        "IsAnonymization": call == "anonymize",
        "ParentResources": [old],
        "Path": f"/{level}/{new}",
        "Type": kind,
    }
    assert new != old
    assert len(library.instances()) == 8 + COUNTS[level]
    assert library.get(f"/{level}/{new}")["Type"] == kind
    assert (patient == PATIENT) == (call == "modify" and level != "patients")
    assert len(library.files(f"/{level}/{new}")) == COUNTS[level]


@pytest.mark.parametrize("call", ["modify", "anonymize"])
def test_the_new_ones_tell_where_they_are_from(library: Library, call: str) -> None:
    relation = "ModifiedFrom" if call == "modify" else "AnonymizedFrom"
    series = library.content(f"/series/{SERIES}/{call}", {})["ID"]
    for id in library.get(f"/series/{series}")["Instances"]:
        origin = library.session.get(f"{library.url}/instances/{id}/metadata/{relation}", timeout=30).text
        assert origin in library.get(f"/series/{SERIES}")["Instances"]
    assert library.get(f"/series/{series}")[relation] == SERIES
    study = library.get(f"/series/{series}")["ParentStudy"]
    assert (study == STUDY) == (call == "modify")
    assert library.get(f"/studies/{study}").get(relation) == (STUDY if call == "anonymize" else None)


def test_one_mapping_for_all_instances(library: Library) -> None:
    patient = library.content(f"/patients/{PATIENT}/anonymize", {})["ID"]
    files = [file.data_set for file in library.files(f"/patients/{patient}")]
    different = [len({file[tag].value for file in files}) for tag in (PATIENT_ID, STUDY_UID, SERIES_UID, SOP)]
    assert different == [1, 2, 3, 6]
    assert len({file[0x00200052].value for file in files}) == 1  # FrameOfReferenceUID
    shared = {file[0x00081140].value[0][STUDY_UID].value for file in files}
    assert shared & {file[STUDY_UID].value for file in files}, "references follow what they refer to"


def test_labels(library: Library) -> None:
    without = library.content(f"/series/{SERIES}/anonymize", {})["ID"]
    assert library.get(f"/series/{without}/labels") == []
    content = library.content(f"/series/{SERIES}/anonymize", {"KeepLabels": True})
    series = library.get(content["Path"])
    assert series["Labels"] == ["label-of-series"]
    assert library.get(f"/studies/{series['ParentStudy']}/labels") == ["label-of-studies"]
    assert library.get(f"/patients/{content['PatientID']}/labels") == ["label-of-patients"]
    assert [library.get(f"/instances/{id}/labels") for id in series["Instances"]] == [[], []]


def test_sources_that_are_not_kept(library: Library) -> None:
    new = library.content(f"/studies/{STUDY}/anonymize", {"KeepSource": False})["ID"]
    assert sorted(library.get("/studies?expand=false")) == sorted([STUDY_2, OTHER_STUDY, new])
    assert len(library.instances()) == 8


def test_failures_delete_nothing(library: Library) -> None:
    bad = {"Replace": {"Rows": "abc"}, "KeepSource": False}
    before = library.instances()
    assert library.refusal(f"/series/{SERIES}/modify", bad) == Refusal(400, 15)
    content = library.content(f"/series/{SERIES}/modify", {**bad, "Permissive": True})
    assert content["FailedInstancesCount"] == 2
    assert "ID" not in content
    assert library.instances() == before


def test_transcoding(library: Library) -> None:
    content = library.content(f"/series/{SERIES}/modify", {"Transcode": "1.2.840.10008.1.2.4.50"})
    assert content["Transcode"] == "1.2.840.10008.1.2.4.50"
    assert {file.transfer_syntax for file in library.files(content["Path"])} == {"1.2.840.10008.1.2.4.50"}
    impossible = library.content(f"/series/{SERIES}/modify", {"Transcode": "1.2.840.10008.1.2.4.100"})
    assert {file.transfer_syntax for file in library.files(impossible["Path"])} == {"1.2.840.10008.1.2.1"}


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        *((body, Refusal(400, 15)) for body in (b"", b"{", b"[]", b"null")),
        *(
            ({field: 5}, Refusal(400, 15, f"Boolean value expected in field: {field}"))
            for field in ("KeepSource", "Permissive")
        ),
        *(
            ({field: 5}, Refusal(400, 15, f'Member "{field}" should be a Boolean value'))
            for field in ("Force", "KeepLabels")
        ),
        ({"Priority": "x"}, Refusal(400, 15, "Integer value expected in field: Priority")),
        ({"Transcode": "x"}, Refusal(400, 15, "Unknown transfer syntax UID: x")),
        ({"Transcode": 5}, Refusal(400, 15, "String value expected in field: Transcode")),
        ({"Replace": {"foo": "x"}}, Refusal(500, 27, "foo")),
        ({"Keep": ["SOPInstanceUID"]}, None),
        (
            KEPT_UIDS,
            Refusal(
                400,
                8,
                "When keeping StudyInstanceUID, SeriesInstanceUID and SOPInstanceUID tag, you must have the "
                "'OverwriteInstances' Orthanc configuration set to true in order to replace the modified resources",
            ),
        ),
    ],
)
def test_bodies_that_are_refused(library: Library, body: Any, refusal: Refusal | None) -> None:
    message = 'Marking tag "SOPInstanceUID" as to be kept requires the "Force" option to be set to true'
    assert library.refusal(f"/studies/{STUDY}/modify", body) == (refusal or Refusal(400, 8, message))
    assert len(library.instances()) == 8


def test_identifiers_of_other_levels(library: Library) -> None:
    nothing = library.content(f"/patients/{PATIENT}/modify", {})
    assert nothing["ID"] == PATIENT
    assert len(library.get(f"/patients/{PATIENT}")["Studies"]) == 4
    above = library.content(f"/patients/{PATIENT}/modify", {"Replace": {"StudyInstanceUID": "1.99"}, "Force": True})
    assert above["ID"] == PATIENT
    below = library.content(f"/studies/{STUDY}/modify", {"Replace": {"SeriesInstanceUID": "1.98"}, "Force": True})
    assert {file.data_set[SERIES_UID].value for file in library.files(below["Path"])} == {b"1.98"}


def test_unknown_resources(library: Library) -> None:
    for level in LEVELS:
        for call in ("modify", "anonymize"):
            body = {"Replace": {"PatientID": "x"}, "Force": True} if (level, call) == ("patients", "modify") else {}
            assert library.refusal(f"/{level}/nope/{call}", body) == Refusal(404, 17)
    # An identifier of another level is taken for what it is, but the outcome is that of the call.
    content = library.content(f"/series/{STUDY}/anonymize", {})
    assert (content["Type"], content["InstancesCount"]) == ("Series", 4)


# -- the patient of a study that is modified ---------------------------------------------------------


def test_a_study_must_not_contradict_its_siblings(library: Library) -> None:
    refusal = library.refusal(f"/studies/{STUDY}/modify", {"Replace": {"PatientName": "Z"}})
    assert (refusal.status, refusal.code) == (400, 8)
    assert refusal.details is not None
    assert refusal.details.endswith("Failing tag: 0010,0010")
    whole = {"PatientID": "P1", "PatientName": "Jérôme", "PatientBirthDate": "19700101", "PatientSex": "M"}
    content = library.content(f"/studies/{STUDY}/modify", {"Replace": whole, "Force": True})
    assert content["PatientID"] == PATIENT
    assert library.content(f"/studies/{OTHER_STUDY}/modify", {"Replace": {"PatientName": "Z"}})
    elsewhere = {"Replace": {"PatientID": "P2", "PatientName": "No"}, "Force": True}
    assert library.refusal(f"/studies/{STUDY}/modify", elsewhere).status == 400
    assert library.refusal(f"/studies/{SERIES}/modify", {"Replace": {"PatientName": "Z"}}) == Refusal(
        404, 17, "Study not found"
    )


def test_a_study_moves_to_a_new_patient(library: Library) -> None:
    content = library.content(f"/studies/{STUDY}/modify", {"Replace": {"PatientID": "NEW"}, "Force": True})
    assert content["PatientID"] == orthanc_id("NEW")
    assert library.get(f"/patients/{content['PatientID']}")["ModifiedFrom"] == PATIENT


# -- many at once --------------------------------------------------------------------------------------


def test_bulk_anonymization(library: Library) -> None:
    content = library.content("/tools/bulk-anonymize", {"Resources": [SERIES, OTHER_STUDY]})
    shown = content.pop("Resources")
    assert content == {
        "Description": "REST API",
        "FailedInstancesCount": 0,
        "InstancesCount": 4,
        "IsAnonymization": True,
        "ParentResources": sorted([SERIES, OTHER_STUDY]),
    }
    assert [one["Type"] for one in shown] == ["Instance"] * 4 + ["Series"] * 2 + ["Study"] * 2 + ["Patient"] * 2
    for one in shown:
        assert library.get(one["Path"])["ID"] == one["ID"]
    assert len(library.instances()) == 12


def test_bulk_modification_has_levels(library: Library) -> None:
    def renewed(level: str | None, **fields: Any) -> set[str]:
        body = {"Resources": [INSTANCE], **({"Level": level} if level else {}), **fields}
        shown = library.content("/tools/bulk-modify", body)["Resources"]
        old = {INSTANCE, SERIES, STUDY, PATIENT}
        return {one["Type"] for one in shown if one["ID"] not in old}

    assert renewed(None) == renewed("Instance") == {"Instance"}
    assert renewed("Series") == {"Instance", "Series"}
    assert renewed("Study") == {"Instance", "Series", "Study"}
    patient = renewed("Patient", Replace={"PatientID": "x"}, Force=True)
    assert patient == {"Instance", "Series", "Study", "Patient"}


@pytest.mark.parametrize("call", ["bulk-modify", "bulk-anonymize"])
def test_bulk_calls_that_are_refused(library: Library, call: str) -> None:
    path = f"/tools/{call}"
    expected = Refusal(400, 15, "List of strings expected in field: Resources")
    for body in ({}, {"Resources": "x"}, {"Resources": [5]}):
        assert library.refusal(path, body) == expected
    assert library.refusal(path, {"Resources": [SERIES, "nope"]}) == Refusal(404, 17)
    assert library.content(path, {"Resources": []})["InstancesCount"] == 0
    twice = library.content(path, {"Resources": [SERIES, SERIES, INSTANCE]})
    assert (twice["InstancesCount"], len(twice["ParentResources"])) == (2, 2)
    if call == "bulk-modify":
        unhandled = "An unhandled exception was generated inside the HTTP server"
        assert library.refusal(path, {"Resources": [], "Level": 5}) == Refusal(500, -1, unhandled)
        assert library.refusal(path, {"Resources": [], "Level": "Foo"}).status == 400


# -- jobs ------------------------------------------------------------------------------------------------


def finished(library: Library, id: str) -> dict[str, Any]:
    until(
        lambda: library.get(f"/jobs/{id}")["State"] in ("Success", "Failure"), what=lambda: library.get(f"/jobs/{id}")
    )
    view: dict[str, Any] = library.get(f"/jobs/{id}")
    return view


def test_asynchronous(library: Library) -> None:
    answer = library.content(f"/studies/{STUDY}/modify", {"Asynchronous": True, "Priority": 7})
    assert sorted(answer) == ["ID", "Path"]
    view = finished(library, answer["ID"])
    assert (view["Type"], view["State"], view["Priority"]) == ("ResourceModification", "Success", 7)
    assert view["Progress"] == 100
    assert view["Content"]["InstancesCount"] == 4
    new = view["Content"]["ID"]
    assert len(library.files(f"/studies/{new}")) == 4


def test_a_failed_job_can_be_done_again(library: Library) -> None:
    answer = library.content(f"/series/{SERIES}/modify", {"Asynchronous": True, "Replace": {"Rows": "abc"}})
    view = finished(library, answer["ID"])
    assert (view["State"], view["ErrorCode"], view["ErrorDetails"]) == ("Failure", 15, "")
    assert library.post(f"/jobs/{answer['ID']}/resubmit", {}).status_code == 200
    assert finished(library, answer["ID"])["ErrorCode"] == 15


# -- instances replaced by themselves ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def overwriting_server() -> Iterator[orthanc_lab.InProcessServer]:
    with orthanc_lab.in_process(Dictionary=DICTIONARY, OverwriteInstances=True) as server:
        yield server
        assert not server.errors


@pytest.fixture
def overwriting(overwriting_server: orthanc_lab.InProcessServer) -> Library:
    library = Library(overwriting_server.session, overwriting_server.url)
    library.refill()
    return library


def test_in_place(overwriting: Library) -> None:
    body = {**KEPT_UIDS, "Replace": {"StudyDescription": "new", "SeriesDescription": "other"}}
    content = overwriting.content(f"/studies/{STUDY}/modify", body)
    assert content["ID"] == STUDY
    assert len(overwriting.instances()) == 8
    study = overwriting.get(f"/studies/{STUDY}")
    assert study["MainDicomTags"]["StudyDescription"] == "new"
    assert "ModifiedFrom" not in study
    assert study["Labels"] == ["label-of-studies"]
    assert overwriting.get(f"/series/{SERIES_2}")["MainDicomTags"]["SeriesDescription"] == "other"
    assert {file.data_set[0x00081030].value for file in overwriting.files(f"/studies/{STUDY}")} == {b"new "}


def test_in_place_asks_for_the_source_first(library: Library) -> None:
    refusal = library.refusal(f"/studies/{STUDY}/modify", {**KEPT_UIDS, "KeepSource": False})
    assert "you must set KeepSource to true" in (refusal.details or "")


def test_in_place_deletes_nothing(overwriting: Library) -> None:
    refusal = overwriting.refusal(f"/studies/{STUDY}/modify", {**KEPT_UIDS, "KeepSource": False})
    assert (refusal.status, refusal.code) == (400, 8)
    assert refusal.details is not None
    assert "you must set KeepSource to true" in refusal.details
    body = {"Resources": [INSTANCE, OTHER_INSTANCE], **KEPT_UIDS, "KeepSource": False}
    overwriting.content("/tools/bulk-modify", body)
    assert {INSTANCE, OTHER_INSTANCE} <= set(overwriting.instances())


def test_without_a_patient_identifier(library: Library) -> None:
    stored = library.upload(file_of(instance("1.5.8.8.8", x00100020=None, x00080005=text("CS", "ISO_IR 192"))))
    content = library.content(f"/studies/{stored['ParentStudy']}/anonymize", {})
    assert PATIENT_ID not in library.files(content["Path"])[0].data_set
    assert content["PatientID"] == orthanc_id("")
