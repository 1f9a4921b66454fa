"""``/content``: bytes, lists and errors."""

from __future__ import annotations

import pytest

from orthanc_lab.dicom.files.data_set import Element
from tests.dicom.build import file_of, real_file
from tests.rest.checks import error_of, is_empty
from tests.rest.conftest import Rest


@pytest.fixture
def path(rest: Rest) -> str:
    sequence = [{0x00081155: Element("UI", b"1.3\0")}]
    return f"/instances/{rest.upload(file_of({0x00081140: ('SQ', sequence)}))['ID']}/content"


def test_bytes_and_lists(rest: Rest, path: str) -> None:
    assert rest.json(path) == ["0008-0016", "0008-0018", "0008-1140", "0010-0020", "0020-000d", "0020-000e"]
    assert rest.json(f"{path}/0008-1140/") == ["0"]
    answer = rest("GET", f"{path}/ReferencedImageSequence/0/0008-1155")
    assert (answer.content, answer.headers["Content-Type"]) == (b"1.3\0", "application/octet-stream")


@pytest.mark.parametrize("steps", ["0010-0010", "0008-1140/1", "0008-1140/0/0008-1155/0", "PatientID/0"])
def test_what_is_not_there(rest: Rest, path: str, steps: str) -> None:
    assert is_empty(rest("GET", f"{path}/{steps}"), 404)


@pytest.mark.parametrize("steps", ["foo", "0008-1140/0/foo"])
def test_a_name_that_is_no_tag(rest: Rest, path: str, steps: str) -> None:
    assert error_of(rest("GET", f"{path}/{steps}")) == (500, 27, "foo")


def test_unknown_instance(rest: Rest) -> None:
    assert error_of(rest("GET", "/instances/nope/content")) == (404, 17, "")
    assert error_of(rest("GET", "/instances/nope/content/foo")) == (404, 17, "")


def test_fragments_of_compressed_pixel_data(rest: Rest) -> None:
    path = f"/instances/{rest.upload(real_file('MR_small_RLE.dcm'))['ID']}/content/7fe0-0010"
    assert rest.json(path) == ["0", "1"]
    assert rest("GET", f"{path}/1").content[:4] == b"\2\0\0\0"
    assert is_empty(rest("GET", f"{path}/2"), 404)


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("below", ["", "/", "/PatientID", "/0008-1140/0/x"])
def test_other_verbs_find_no_content(rest: Rest, path: str, verb: str, below: str) -> None:
    assert error_of(rest(verb, path + below)) == (404, 17, "")
