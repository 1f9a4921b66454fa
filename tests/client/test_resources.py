"""Patients, studies, series and instances."""

from __future__ import annotations

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


def test_find(client: Client, study: Study) -> None:
    client.upload(samples.path("mr"))
    assert client.studies.find({"0008,1030": "CT*"}) == [study]
    assert client.studies.find(StudyDescription="nothing like it") == []
    assert len(client.instances.find(limit=3)) == 3
    study.add_label("checked")
    assert client.studies.find(labels=["checked"]) == [study]


def test_find_sorted_and_by_pages(client: Client, study: Study) -> None:
    client.upload(samples.path("mr"))
    assert [one.Modality for one in client.series.find(order_by=["Modality", "-SeriesNumber"])] == ["CT"] * 3 + ["MR"]
    series = client.series.find(order_by=["Modality", "-SeriesNumber"], since=1, limit=2)
    assert [one.SeriesNumber for one in series] == ["2", "1"]
    numbers = [one.number for one in client.instances.find(order_by=["-InstanceNumber"], limit=13)]
    assert numbers[:2] == [20, 19]
    assert numbers == sorted(numbers, reverse=True)


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
    ghost = client.made_by(study.anonymize(Keep=["StudyDescription"]).wait())[0]
    assert ghost.StudyDescription == "CT quality phantom"
    assert ghost.PatientName != study.PatientName


def test_the_client_itself(client: Client) -> None:
    assert client.system["ApiVersion"] >= 27
    assert client.statistics["CountStudies"] == 0
    assert "orthanc_count_instances" in client.metrics_text()
    assert repr(client) == f"<Orthanc {client.system['Version']} at {client.url}: 0 studies, 0 instances>"
