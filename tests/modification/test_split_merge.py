"""Studies split and merged: modification.md §9 and 10."""

from __future__ import annotations

from typing import Any

import pytest

from tests.create.creator import Refusal
from tests.modification.collection import (
    INSTANCE,
    INSTANCE_2,
    OTHER_INSTANCE,
    OTHER_PATIENT,
    OTHER_SERIES,
    OTHER_STUDY,
    PATIENT,
    SERIES,
    SERIES_2,
    STUDY,
    STUDY_2,
    file_of,
    instance,
)
from tests.modification.library import Library

STUDY_UID, SERIES_UID, SOP = 0x0020000D, 0x0020000E, 0x00080018
SPLIT, MERGE = f"/studies/{STUDY}/split", f"/studies/{STUDY}/merge"
LIST = "List of strings expected in field: "


def test_a_series_goes_to_a_new_study(library: Library) -> None:
    content = library.content(SPLIT, {"Series": [SERIES], "Replace": {"StudyDescription": "part"}})
    study, uid = content.pop("TargetStudy"), content.pop("TargetStudyUID")
    assert content == {"Description": "REST API", "FailedInstancesCount": 0, "InstancesCount": 2}
    new = library.get(f"/studies/{study}")
    assert new["MainDicomTags"]["StudyInstanceUID"] == uid
    assert new["MainDicomTags"]["StudyDescription"] == "part"
    assert new["ParentPatient"] == PATIENT
    assert new["Labels"] == []
    assert "ModifiedFrom" not in new
    assert library.get(f"/studies/{STUDY}")["Series"] == [SERIES_2]
    files = [file.data_set for file in library.files(f"/studies/{study}")]
    assert len({file[SERIES_UID].value for file in files}) == 1
    assert b"1.5.1.1" not in {file[SERIES_UID].value.rstrip(b"\0") for file in files}
    assert len({file[SOP].value for file in files}) == 2
    assert {file[0x00100010].value for file in files} == {"Jérôme".encode("latin-1")}


def test_instances_and_sources_that_are_kept(library: Library) -> None:
    body = {"Instances": [INSTANCE, INSTANCE_2], "KeepSource": True, "Remove": ["AccessionNumber"]}
    content = library.content(SPLIT, body)
    assert content["InstancesCount"] == 2
    assert len(library.instances()) == 10
    new = library.get(f"/studies/{content['TargetStudy']}")
    assert len(new["Series"]) == 2
    assert "AccessionNumber" not in new["MainDicomTags"]


def test_an_instance_that_is_named_twice_is_stored_once(library: Library) -> None:
    content = library.content(SPLIT, {"Series": [SERIES], "Instances": [INSTANCE]})
    assert content["InstancesCount"] == 3
    assert len(library.files(f"/studies/{content['TargetStudy']}")) == 2
    assert len(library.instances()) == 8


def test_the_whole_study(library: Library) -> None:
    content = library.content(SPLIT, {"Series": [SERIES, SERIES_2]})
    assert sorted(library.get("/studies?expand=false")) == sorted([STUDY_2, OTHER_STUDY, content["TargetStudy"]])


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"{", Refusal(400, 15)),
        ({"Series": "x"}, Refusal(400, 15, LIST + "Series")),
        ({"Series": [5]}, Refusal(400, 15, LIST + "Series")),
        ({"Instances": 5}, Refusal(400, 15, LIST + "Instances")),
        (
            {"Series": ["nope"]},
            Refusal(404, 17, "This series does not belong to the study to be split: nope"),
        ),
        (
            {"Series": [OTHER_SERIES]},
            Refusal(404, 17, f"This series does not belong to the study to be split: {OTHER_SERIES}"),
        ),
        (
            {"Instances": [OTHER_INSTANCE]},
            Refusal(404, 17, f"This instance does not belong to the study to be split: {OTHER_INSTANCE}"),
        ),
        *(
            (body, Refusal(400, 8, 'Both the "Series" and the "Instances" fields are missing'))
            for body in ({}, b"null", {"Series": []}, {"Instances": []})
        ),
        *(
            ({"Series": [SERIES], field: value}, Refusal(400, 15))
            for field in ("Replace", "Remove")
            for value in (5, [5], {"PatientName": 5})
        ),
        ({"Series": [SERIES], "KeepSource": 5}, Refusal(400, 15, "Boolean value expected in field: KeepSource")),
        ({"Series": [SERIES], "Permissive": 5}, Refusal(400, 15, "Boolean value expected in field: Permissive")),
    ],
)
def test_splits_that_are_refused(library: Library, body: Any, refusal: Refusal) -> None:
    assert library.refusal(SPLIT, body) == refusal
    assert len(library.instances()) == 8


@pytest.mark.parametrize("tag", ["StudyInstanceUID", "SeriesDescription", "Modality"])
def test_tags_that_a_split_may_not_touch(library: Library, tag: str) -> None:
    for rule in ({"Replace": {tag: "1.2"}}, {"Remove": [tag]}):
        refusal = library.refusal(SPLIT, {"Series": [SERIES], **rule})
        assert (refusal.status, refusal.code) == (400, 3)
    assert len(library.instances()) == 8


def test_what_comes_from_another_study_takes_its_patient_and_study(library: Library) -> None:
    content = library.content(MERGE, {"Resources": [OTHER_STUDY]})
    assert content == {
        "Description": "REST API",
        "FailedInstancesCount": 0,
        "InstancesCount": 2,
        "TargetStudy": STUDY,
    }
    assert library.get("/patients?expand=false") == [PATIENT]
    files = [file.data_set for file in library.files(f"/studies/{STUDY}")]
    assert len(files) == 6
    for tag in (STUDY_UID, 0x00100010, 0x00100030, 0x00080050, 0x00081030):
        assert len({file[tag].value for file in files}) == 1
    assert all(0x00080080 not in file or file[0x00080080].value == b"INST" for file in files)
    assert len(library.get(f"/studies/{STUDY}")["Series"]) == 3
    assert library.get(f"/studies/{STUDY}/labels") == ["label-of-studies"]


def test_resources_of_all_levels_are_merged(library: Library) -> None:
    body = {"Resources": [STUDY_2, OTHER_SERIES, OTHER_INSTANCE], "KeepSource": True}
    content = library.content(MERGE, body)
    assert content["InstancesCount"] == 5
    assert len(library.get(f"/studies/{STUDY}")["Series"]) == 4
    assert len(library.instances()) == 12
    assert OTHER_PATIENT in library.get("/patients?expand=false")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        *((body, Refusal(400, 15, LIST + "Resources")) for body in ({}, {"Resources": "x"}, {"Resources": [5]})),
        ({"Resources": ["nope"]}, Refusal(404, 17, "Cannot find this resource: nope")),
        ({"Resources": [STUDY]}, Refusal(404, 17, f"Cannot merge a study into the same study: {STUDY}")),
        (
            {"Resources": [SERIES]},
            Refusal(404, 17, f"Cannot merge series {SERIES} into its parent study {STUDY}"),
        ),
        (
            {"Resources": [INSTANCE]},
            Refusal(404, 17, f"Cannot merge instance {INSTANCE} into its parent study {STUDY}"),
        ),
        (
            {"Resources": [OTHER_PATIENT]},
            Refusal(
                404,
                17,
                f"This resource is neither a study, nor a series, nor an instance: {OTHER_PATIENT} is a Patient",
            ),
        ),
        (
            {"Resources": [OTHER_STUDY], "KeepSource": 5},
            Refusal(400, 15, "Boolean value expected in field: KeepSource"),
        ),
    ],
)
def test_merges_that_are_refused(library: Library, body: Any, refusal: Refusal) -> None:
    assert library.refusal(MERGE, body) == refusal
    assert len(library.instances()) == 8


def test_unknown_studies(library: Library) -> None:
    for id in ("nope", SERIES, PATIENT):
        assert library.refusal(f"/studies/{id}/split", {"Series": [SERIES]}) == Refusal(
            404, 17, f"Cannot split unknown study {id}"
        )
        assert library.refusal(f"/studies/{id}/merge", {"Resources": [OTHER_STUDY]}) == Refusal(
            404, 17, f"Cannot merge into an unknown study: {id}"
        )


def test_a_source_that_cannot_be_read_back_fails_and_deletes_nothing(library: Library) -> None:
    library.upload(file_of(instance("1.5.1.1.3", x00280010=None)))
    content = library.content(SPLIT, {"Series": [SERIES]})
    assert (content["InstancesCount"], content["FailedInstancesCount"]) == (3, 0)
    assert len(library.instances()) == 9
