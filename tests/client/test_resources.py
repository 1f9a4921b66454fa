"""Patients, studies, series and instances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from pydicom.data import get_testdata_file

from orthanc_lab import Client, samples
from orthanc_lab.client import Instance, NotFoundError, ResponseError, Study


def test_up_and_down(client: Client, study: Study) -> None:
    assert study.patient.studies == [study]
    series = study.series[0]
    assert series.study == study
    assert [instance.number for instance in series.instances] == sorted(item.number for item in series.instances)
    assert series.instances[0].series == series
    assert len(study.instances) == len(samples.dicom_files("ct"))


def test_tags_are_attributes(study: Study) -> None:
    assert study.StudyDescription == study.tags["StudyDescription"] == "CT quality phantom"
    assert study.PatientName.startswith("Phantom")
    with pytest.raises(AttributeError, match=r"This study has no main DICOM tag Modality; available: .*StudyDate"):
        study.Modality  # noqa: B018 - asking is the point
    with pytest.raises(AttributeError, match="Study has no attribute 'nothing'"):
        study.nothing  # noqa: B018 - asking is the point
    assert {"StudyDescription", "archive", "series"} <= set(dir(study))
    assert not [name for name in dir(study) if name.startswith("_")]


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm"])
def test_pixels_of_jpeg_that_pillow_does_not_read(client: Client, name: str) -> None:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    client.upload(path)
    image = next(iter(client.instances))
    values = image.dataset().pixel_array
    assert (values == image.array(rescale=False)).all()
    assert values.max() > 200


def test_collections(client: Client, study: Study) -> None:
    assert len(client.instances) == len(list(client.instances)) == len(samples.dicom_files("ct"))
    assert client.studies[study.id] == study
    assert study.id in client.studies
    assert study in client.studies
    assert "unknown" not in client.studies
    with pytest.raises(KeyError, match="unknown"):
        client.studies["unknown"]
    assert "" not in client.studies


@pytest.mark.parametrize("key", [0, None, slice(0, 1)])
@pytest.mark.parametrize("name", ["studies", "instances", "jobs", "queries"])
def test_what_is_no_identifier_is_told_how_positions_are_taken(client: Client, name: str, key: object) -> None:
    with pytest.raises(TypeError, match=rf"client\.{name}\[…\] takes an identifier, not .*list\(client\.{name}\)\[0\]"):
        getattr(client, name)[key]


def test_find(client: Client, study: Study) -> None:
    client.upload(samples.path("mr"))
    assert client.studies.find({"0008,1030": "CT*"}) == [study]
    assert client.studies.find(StudyDescription="nothing like it") == []
    assert len(client.instances.find(limit=3)) == 3
    study.add_label("checked")
    assert client.studies.find(labels=["checked"]) == client.studies.find(labels="checked") == [study]
    assert client.studies.find(labels=("checked", "other")) == []
    with pytest.raises(TypeError, match="Expected labels, not 5"):
        client.studies.find(labels=[5])  # type: ignore[list-item]  # the wrong type is the point


def test_find_sorted_and_by_pages(client: Client, study: Study) -> None:
    client.upload(samples.path("mr"))
    assert [one.Modality for one in client.series.find(order_by=["Modality", "-SeriesNumber"])] == ["CT"] * 3 + ["MR"]
    series = client.series.find(order_by=["Modality", "-SeriesNumber"], since=1, limit=2)
    assert [one.SeriesNumber for one in series] == ["2", "1"]
    numbers = [one.number for one in client.instances.find(order_by=["-InstanceNumber"], limit=13)]
    assert numbers[:2] == [20, 19]
    assert numbers == sorted(numbers, reverse=True)
    assert [one.number for one in client.instances.find(order_by="-InstanceNumber", limit=2)] == [20, 19]


def test_values_of_a_frame(client: Client) -> None:
    client.upload([get_testdata_file("CT_small.dcm"), samples.path("us")])
    ct = client.series.find(Modality="CT")[0].instances[0]
    assert (ct.array().shape, ct.array().min()) == ((128, 128), -896)
    assert ct.array(rescale=False).min() == 128
    cine = client.series.find(Modality="US")[0].instances[0]
    assert cine.array(cine.frames - 1).shape[:2] == cine.array().shape[:2]
    with pytest.raises(ResponseError):
        cine.array(cine.frames)


def test_lookup(client: Client, study: Study) -> None:
    assert client.lookup(study.StudyInstanceUID) == [study]
    assert client.lookup("1.2.3.4") == []
    with pytest.raises(TypeError, match="is a text, not None"):
        client.lookup(None)  # type: ignore[arg-type]  # the wrong type is the point


def test_changes(client: Client, study: Study) -> None:
    known = client.changes.last
    client.create_dicom(None, {"PatientID": "1"})
    new = client.changes.after(known)
    assert [change.type for change in new if change.level == "Instance"] == ["NewInstance"]
    assert new[-1].seq == client.changes.last
    assert client.changes.after(new[-1].seq) == []
    # A server that was restored from a backup has fewer: all of them are new.
    assert client.changes.after(1_000_000) == client.changes.after(0)


def test_labels_metadata_statistics(study: Study) -> None:
    study.add_label("b")
    study.add_label("a")
    assert study.labels == ["a", "b"]
    study.remove_label("a")
    study.remove_label("a")
    assert study.labels == ["b"]
    with pytest.raises(ValueError, match="A label must not be empty"):
        study.add_label("")
    with pytest.raises(TypeError, match="A label is a text, not 5"):
        study.add_label(5)  # type: ignore[arg-type]  # the wrong type is the point
    assert "LastUpdate" in study.metadata
    assert int(study.statistics["CountInstances"]) == len(samples.dicom_files("ct"))


def test_protection(study: Study) -> None:
    patient = study.patient
    assert patient.protected is False
    patient.protected = True
    assert patient.protected is True
    patient.protected = False


def test_deletion(client: Client, study: Study) -> None:
    study.delete()
    assert not study.exists()
    assert len(client.instances) == 0
    with pytest.raises(NotFoundError, match=r"\(HTTP 404.*\n(GET|DELETE) http.*\nThe address or identifier is wrong"):
        study.delete()
    assert repr(study.refresh()) == f"<Study {study.id[:8]} (NotFoundError)>"
    assert 'role="alert"' in study._repr_html_()


def test_an_instance_and_its_pictures(study: Study, tmp_path: object) -> None:
    instance = study.instances[3]
    assert instance.frames == 1
    assert instance.dataset().SOPInstanceUID == instance.SOPInstanceUID == instance.all_tags["SOPInstanceUID"]
    for picture in (instance.preview(), instance.rendered(window_center=40, window_width=400), instance.thumbnail()):
        assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(instance.thumbnail(32)[16:20], "big") <= 32


def test_an_instance_without_a_picture(client: Client) -> None:
    instance = client.create_dicom(samples.path("report.pdf"), {"PatientID": "1"})
    assert isinstance(instance, Instance)
    assert instance.thumbnail() == b""


def test_modification(client: Client, study: Study) -> None:
    copy = client.made_by(study.modify({"StudyDescription": "Other"}, priority=2).wait())[0]
    assert isinstance(copy, Study)
    assert (copy.StudyDescription, len(copy.instances)) == ("Other", len(study.instances))
    ghosts = [
        client.made_by(study.anonymize(Keep=kept).wait())[0] for kept in (["StudyDescription"], "StudyDescription")
    ]
    assert [ghost.StudyDescription for ghost in ghosts] == ["CT quality phantom"] * 2
    assert ghosts[0].PatientName != study.PatientName


def test_values_that_are_no_text(client: Client, study: Study) -> None:
    new = {"StudyDescription": 5, "ImageType": ["DERIVED", "PRIMARY"], "OtherPatientIDsSequence": [{"PatientID": 7}]}
    made = client.made_by(study.modify(new, Replace={"StudyID": 1.5}).wait())[0]
    assert (made.StudyDescription, made.StudyID) == ("5", "1.5")
    assert isinstance(made, Study)
    tags = made.instances[0].all_tags
    assert (tags["ImageType"], tags["OtherPatientIDsSequence"]) == ("DERIVED\\PRIMARY", [{"PatientID": "7"}])
    for wrong in ({"a": 1}, True, [["a"]], float("nan"), pd.NaT, pd.NA, np.array([1, 2]), ["1", np.nan]):
        with pytest.raises(TypeError, match="cannot be the value of StudyDescription: it is text, a finite number"):
            study.anonymize(Replace={"StudyDescription": wrong})
    with pytest.raises(
        TypeError, match=r"cannot be the value of StudyDate: .*; take the date\(\) or the time\(\) of it$"
    ):
        study.anonymize(Replace={"StudyDate": pd.Timestamp("2026-01-05")})
    for call in (study.modify, study.instances[0].modified, lambda tags: study.split(study.series, Replace=tags)):
        with pytest.raises(TypeError, match="Expected a dictionary of tags and their values, not 'StudyDescription'"):
            call("StudyDescription")  # type: ignore[operator]  # the wrong type is the point


def test_dates_numbers_and_values_of_pydicom(client: Client, study: Study) -> None:
    source = study.instances[0].dataset()
    new = {
        "PatientName": source.PatientName,
        "ImageType": source.ImageType,
        "StudyDate": date(2024, 2, 29),
        "StudyTime": time(9, 5, 7),
        "SeriesTime": time(9, 5, 7, 250000),
        "PatientWeight": np.float64(70.5),
        "PatientSize": Decimal("1.80"),
    }
    tags = client.create_dicom(None, new).all_tags
    assert [tags[name] for name in new] == [
        "Phantom^CT",
        "\\".join(source.ImageType),
        "20240229",
        "090507",
        "090507.250000",
        "70.5",
        "1.80",
    ]
    assert [found.PatientName for found in client.studies.find(StudyDate=date(2024, 2, 29))] == ["Phantom^CT"]
    assert len(client.patients.find(PatientID=["PHANTOM-CT", "PHANTOM-MR"])) == len(client.patients) - 1
    assert client.series.find({"SeriesNumber": np.int64(1)}) == client.series.find(SeriesNumber="1")
    with pytest.raises(TypeError, match="cannot be the value of StudyDate"):
        client.studies.find(StudyDate=pd.NaT)


def test_resources_are_named_by_themselves(client: Client, study: Study) -> None:
    parts = [
        client.made_by(study.split(chosen, KeepSource=True).wait())[0]
        for chosen in (study.series[0], study.series[0].id, study.series[:2], [study.series[0].id])
    ]
    assert [len(part.document["Series"]) for part in parts] == [1, 1, 2, 1]
    for chosen in (parts[0], parts[1].id, parts[2:]):
        study.merge(chosen).wait()
    assert len(study.series) == 3 + 1 + 1 + 3
    with pytest.raises(TypeError, match="Expected resources or their identifiers, not 5"):
        study.merge(5)  # type: ignore[arg-type]  # the wrong type is the point


def test_a_misspelt_field_is_refused_with_the_nearest(client: Client, study: Study) -> None:
    instance = study.instances[0]
    calls: dict[str, Callable[[], object]] = {
        r"anonymize\(\) takes no 'Keeep'; did you mean 'Keep'": lambda: study.anonymize(Keeep=["StudyDate"]),
        r"anonymize\(\) takes no 'Remve'; did you mean 'Remove'": lambda: study.anonymize(Remve=["StudyDate"]),
        r"anonymize\(\) takes no 'Priority'; did you mean 'priority'": lambda: study.anonymize(Priority=1),
        r"anonymize\(\) takes no 'Synchronous'; it takes .*Keep": lambda: study.anonymize(Synchronous=True),
        "did you mean 'Remove'": lambda: study.modify({}, remove=["StudyDate"]),
        "did you mean 'series'": lambda: study.split([], Serie=[]),
        "did you mean 'KeepSource'": lambda: study.merge([], KeepSorce=True),
        "did you mean 'StorageCommitment'": lambda: study.send("pacs", StorageComitment=True),
        "did you mean 'Compress'": lambda: study.send_to_peer("other", compress=True),
        "did you mean 'KeepPrivateTags'": lambda: instance.anonymized(KeepPrivatTags=True),
        "did you mean 'RemovePrivateTags'": lambda: instance.modified(RemovePrivatTags=True),
        "did you mean 'window_center'": lambda: instance.rendered(window_centre=40),
        "did you mean 'Force'": lambda: client.create_dicom(None, {}, Forc=True),
        "did you mean 'Timeout'": lambda: client.modalities.add("pacs", AET="A", Host="h", Port=1, Timeut=1),
    }
    for words, call in calls.items():
        with pytest.raises(TypeError, match=words):
            call()
    assert len(client.jobs) == 0


def test_the_client_itself(client: Client) -> None:
    assert client.system["ApiVersion"] >= 27
    assert client.statistics["CountStudies"] == 0
    assert "orthanc_count_instances" in client.metrics_text()
    assert repr(client) == f"<Orthanc {client.system['Version']} at {client.url}: 0 studies, 0 instances>"
