"""``/tags``, ``/simplified-tags``, ``/header``: forms, arguments, what is left out, errors."""

from __future__ import annotations

import pytest

from orthanc_lab.dicom.files.data_set import DataSet, Element
from orthanc_lab.dicom.files.write import write_file
from tests.dicom.build import IDENTIFIERS, file_of, image_of, real_file
from tests.rest.checks import error_of
from tests.rest.conftest import Ids, Rest


def test_the_three_forms(library: Rest, ids: Ids) -> None:
    path = f"/instances/{ids['1.1.1.1']}"
    full = library.json(f"{path}/tags")
    assert full["0010,0020"] == {"Name": "PatientID", "Type": "String", "Value": "ALPHA"}
    assert library.json(f"{path}/tags?short")["0010,0020"] == "ALPHA"
    simple = library.json(f"{path}/simplified-tags")
    assert simple["ImageType"] == "ORIGINAL\\PRIMARY"
    assert library.json(f"{path}/tags?simplify=false&short") == simple


def test_the_answer_is_in_the_house_format(library: Rest, ids: Ids) -> None:
    answer = library("GET", f"/instances/{ids['2.1.1.1']}/tags")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    entry = '   "0010,0010" : \n   {\n      "Name" : "PatientName",\n      "Type" : "String",\n'
    assert entry + '      "Value" : "M\\u00fcller^\\u00c4nne"\n   }' in answer.text


def test_pixel_data_end_the_tags_unless_the_whole_is_asked_for(rest: Rest) -> None:
    late = {0x7FE10010: ("LO", b"FOO "), **image_of(bytes(4), 2, 2)}
    path = f"/instances/{rest.upload(file_of(late))['ID']}/tags"
    tags = rest.json(path)
    assert tags["7fe0,0010"] == {"Name": "PixelData", "Type": "Null", "Value": None}
    assert "7fe1,0010" not in tags
    assert rest.json(path + "?whole")["7fe1,0010"]["Value"] == "FOO"
    assert "7fe1,0010" not in rest.json(path + "?whole=false")


@pytest.mark.parametrize("options", [{"OverwriteInstances": True}])
def test_an_instance_stored_anew_has_its_new_tags(rest: Rest) -> None:
    for comment in (b"first ", b"second"):
        path = f"/instances/{rest.upload(file_of({0x00104000: ('LT', comment)}))['ID']}"
        for _ in range(2):  # the second time the text is at hand
            assert rest.json(f"{path}/tags")["0010,4000"]["Value"] == comment.decode().strip()
            assert rest.json(f"{path}/tags?short")["0010,4000"] == comment.decode().strip()
            assert rest.json(f"{path}/simplified-tags")["PatientComments"] == comment.decode().strip()
    rest("DELETE", path)
    assert rest("GET", f"{path}/tags").status_code == 404


def test_tags_follow_the_default_encoding(rest: Rest) -> None:
    path = f"/instances/{rest.upload(file_of({0x00104000: ('LT', bytes([0xE9, 0x20]))}))['ID']}/simplified-tags"
    assert rest.json(path)["PatientComments"] == "\u00e9"
    rest("PUT", "/tools/default-encoding", b"Cyrillic")
    assert rest.json(path)["PatientComments"] == "\u0449"


def test_long_values_are_shown_on_demand(rest: Rest) -> None:
    path = f"/instances/{rest.upload(file_of({0x00104000: ('LT', b'x' * 300)}))['ID']}"
    assert rest.json(f"{path}/tags")["0010,4000"]["Type"] == "TooLong"
    assert rest.json(f"{path}/tags?ignore-length=PatientComments")["0010,4000"]["Value"] == "x" * 300
    assert rest.json(f"{path}/simplified-tags?ignore-length=0010-4000")["PatientComments"] == "x" * 300


def test_several_long_values_are_shown_on_demand(rest: Rest) -> None:
    long = ("LT", b"x" * 300)
    path = f"/instances/{rest.upload(file_of({0x00104000: long, 0x00204000: long}))['ID']}/simplified-tags"
    shown = rest.json(f"{path}?ignore-length=PatientComments,0020-4000")
    assert shown["PatientComments"] == shown["ImageComments"] == "x" * 300
    assert rest.json(f"{path}?ignore-length=ImageComments")["PatientComments"] is None


@pytest.mark.parametrize("route", ["tags", "simplified-tags"])
@pytest.mark.parametrize(
    ("names", "unknown"), [("foo", "foo"), ("PatientID,foo", "foo"), ("0010,0020", "0010"), ("PatientID,", "")]
)
def test_a_tag_that_is_none(library: Rest, ids: Ids, route: str, names: str, unknown: str) -> None:
    answer = library("GET", f"/instances/{ids['1.1.1.1']}/{route}?ignore-length={names}")
    assert error_of(answer) == (500, 27, unknown)


@pytest.mark.parametrize("route", ["tags", "simplified-tags"])
@pytest.mark.parametrize("value", ["x", "TRUE", "-1"])
def test_whole_is_a_boolean(library: Rest, ids: Ids, route: str, value: str) -> None:
    details = f'Expected a Boolean for GET argument "whole", found: {value}'
    for id in (ids["1.1.1.1"], "nope"):
        assert error_of(library("GET", f"/instances/{id}/{route}?whole={value}")) == (400, 3, details)


def test_the_header(library: Rest, ids: Ids) -> None:
    header = library.json(f"/instances/{ids['1.1.1.1']}/header?simplify")
    assert header["TransferSyntaxUID"] == "1.2.840.10008.1.2.1"
    assert header["MediaStorageSOPInstanceUID"] == "1.1.1.1"


@pytest.mark.parametrize("route", ["tags", "simplified-tags", "header"])
@pytest.mark.parametrize("resource", ["nope", "<1.1>"])
def test_unknown_instances(library: Rest, ids: Ids, route: str, resource: str) -> None:
    assert error_of(library("GET", f"/instances/{ids.fill(resource)}/{route}")) == (404, 17, "")


def test_sequences_of_forty_levels(rest: Rest) -> None:
    inner: DataSet = {0x00081155: Element("UI", b"1.3\0")}
    for _ in range(40):
        inner = {0x00081140: Element("SQ", [inner])}
    path = f"/instances/{rest.upload(write_file({**IDENTIFIERS, **inner}, '1.2.840.10008.1.2'))['ID']}"
    value = rest.json(f"{path}/simplified-tags")
    for _ in range(40):
        (value,) = value["ReferencedImageSequence"]
    assert value == {"ReferencedSOPInstanceUID": "1.3"}
    assert rest("GET", f"{path}/tags", Accept="application/xml").status_code == 200


class TestOwnDictionary:
    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {"Dictionary": {"0405,1001": ["ST", "MyPrivateXMLTag", 1, 1, "My Company"]}}

    def test_names_of_the_configuration_are_shown(self, rest: Rest) -> None:
        dicom = file_of({0x04050010: ("LO", b"My Company"), 0x04051001: ("ST", b"<a/>")})
        tags = rest.json(f"/instances/{rest.upload(dicom)['ID']}/tags")
        assert tags["0405,1001"] == {
            "Name": "MyPrivateXMLTag",
            "PrivateCreator": "My Company",
            "Type": "String",
            "Value": "<a/>",
        }


def test_a_real_file(rest: Rest) -> None:
    tags = rest.json(f"/instances/{rest.upload(real_file('CT_small.dcm'))['ID']}/tags")
    assert len(tags) == 257
    assert tags["0043,1027"]["Value"] == "/1.0:1"
    assert tags["0027,1042"]["Value"] == "-11.199999809265137"
