"""``/module``, ``module-patient``, ``shared-tags``, ``instances-tags``, ``ordered-slices``."""

from __future__ import annotations

import pytest

from orthanc_lab.protocol import house_json
from orthanc_lab.rest.http.answers import xml_document
from tests.dicom.build import file_of
from tests.rest.checks import error_of
from tests.rest.conftest import Ids, Rest


@pytest.mark.parametrize(
    ("path", "tags"),
    [
        ("/patients/<ALPHA>/module", {"PatientName": "Doe^Jane", "PatientID": "ALPHA"}),
        ("/studies/<1.2>/module-patient", {"PatientName": "Doe^Jane", "PatientID": "ALPHA"}),
        ("/series/<1.1.2>/module", {"Modality": "CT", "SeriesInstanceUID": "1.1.2"}),
        (
            "/instances/<1.1.1.2>/module",
            {
                "InstanceNumber": "2",
                "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
                "SOPInstanceUID": "1.1.1.2",
                "SpecificCharacterSet": "ISO_IR 192",
            },
        ),
    ],
)
def test_modules(library: Rest, ids: Ids, path: str, tags: dict[str, str]) -> None:
    assert library.json(ids.fill(path) + "?simplify") == tags
    assert library.json(ids.fill(path) + "?short").keys() == library.json(ids.fill(path)).keys()


def test_the_module_is_that_of_the_instance_with_the_smallest_identifier(rest: Rest) -> None:
    stored = {}
    for number in range(1, 6):
        elements = {0x00080018: ("UI", b"1.2.%d" % number), 0x0008103E: ("LO", b"number %d" % number)}
        stored[rest.upload(file_of(elements))["ID"]] = f"number {number}"
    (series,) = rest.json("/series")
    assert rest.json(f"/series/{series}/module?simplify")["SeriesDescription"] == stored[min(stored)]


def test_shared_tags(library: Rest, ids: Ids) -> None:
    path = f"/series/{ids['1.1.1']}/shared-tags"
    shared = library.json(path + "?simplify")
    assert shared["StudyDescription"] == "Brain"
    assert not {"Rows", "ImageType", "SOPInstanceUID"} & shared.keys()
    assert library.json(path)["0008,1030"] == {"Name": "StudyDescription", "Type": "String", "Value": "Brain"}
    assert library.json(path + "?short")["0008,1030"] == "Brain"
    assert "SeriesInstanceUID" not in library.json(f"/patients/{ids['ALPHA']}/shared-tags?simplify")
    assert library("GET", path + "?ignore-length=foo").status_code == 200


def test_instances_tags(library: Rest, ids: Ids) -> None:
    found = library.json(f"/studies/{ids['1.1']}/instances-tags?simplify")
    assert ids.names(list(found)) == {"1.1.1.1", "1.1.1.2", "1.1.2.1"}
    assert found[ids["1.1.1.2"]]["Rows"] == "128"
    whole = library("GET", f"/studies/{ids['1.1']}/instances-tags")
    assert whole.text == house_json.dumps(whole.json())
    xml = library("GET", f"/studies/{ids['1.1']}/instances-tags", Accept="application/xml")
    assert xml.text == xml_document(whole.json())
    assert xml.headers["Content-Type"] == "application/xml; charset=utf-8"


def test_slices_in_their_order(rest: Rest) -> None:
    for number, height in ((1, 30), (2, 10)):
        place = {0x00200032: ("DS", b"0\\0\\%d " % height), 0x00200037: ("DS", b"1\\0\\0\\0\\1\\0 ")}
        rest.upload(file_of({**place, 0x00080018: ("UI", b"1.2.%d" % number), 0x00280008: ("IS", b"2 ")}))
    (series,) = rest.json("/series")
    ordered = rest.json(f"/series/{series}/ordered-slices")
    first, second = (path.split("/")[2] for path in ordered["Dicom"])
    assert rest.json(f"/instances/{first}/tags?simplify")["ImagePositionPatient"] == "0\\0\\10"
    assert ordered == {
        "Dicom": [f"/instances/{first}/file", f"/instances/{second}/file"],
        "Slices": [f"/instances/{id}/frames/{frame}" for id in (first, second) for frame in (0, 1)],
        "SlicesShort": [[first, 0, 2], [second, 0, 2]],
        "Type": "Volume",
    }


def test_slices_without_an_order(rest: Rest) -> None:
    for number in (1, 2):
        rest.upload(file_of({0x00080018: ("UI", b"1.2.%d" % number)}))
    (series,) = rest.json("/series")
    details = f"Unable to order the slices of series {series}"
    assert error_of(rest("GET", f"/series/{series}/ordered-slices")) == (500, 2040, details)


@pytest.mark.parametrize(
    "path",
    [
        "/patients/nope/module",
        "/studies/nope/module-patient",
        "/studies/<1.1.1>/module",
        "/series/nope/shared-tags",
        "/series/nope/instances-tags",
        "/studies/<1.1.1>/shared-tags",
        "/series/nope/ordered-slices",
        "/instances/<1.1.1.1>/shared-tags",
        "/series/<1.1.1>/module-patient",
    ],
)
def test_unknown_resources(library: Rest, ids: Ids, path: str) -> None:
    assert error_of(library("GET", ids.fill(path))) == (404, 17, "")


def test_a_tag_that_is_none(library: Rest, ids: Ids) -> None:
    for route in ("module", "instances-tags"):
        assert error_of(library("GET", f"/patients/{ids['ALPHA']}/{route}?ignore-length=foo")) == (500, 27, "foo")
