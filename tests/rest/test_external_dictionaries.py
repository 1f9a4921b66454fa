"""``ExternalDictionaries``: names of tags from files in DCMTK's format, as the real server reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydicom.data import get_testdata_file

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.testing.real import RealOrthanc

FILE = samples.dicom_files("mr/t1")[0].read_bytes()
DICTIONARY = """
# a comment

(0008,0016)	UI	SOPClassUID	1	DICOM
(0008,0018)	UI	SOPInstanceUID	1	DICOM
(0010,0010)	PN	PatientName	1	DICOM
(0010,0010)	PN	ComponentName	1	DICONDE
(0010,0020)	LO	PatientID	1	DICOM
(0020,000d)	UI	StudyInstanceUID	1	DICOM
(0020,000e)	UI	SeriesInstanceUID	1	DICOM
(0018-00ff,0050)	DS	EvenGroups	1	TEST
(0018,0090-0099)	DS	EvenElements	1	TEST
(0028,0010-u-0011)	xs	AllElements	1	TEST
(0043,"GEMS_PARM_01",10)	US	ParameterWindow	1	TEST
(0019,"GEMS_ACQU_01",0f-u-1f)	DS	Acquisition Range	1	TEST
"""
BAD = ("no entry", "(0010,0010) PN", "0010,0010\tPN\tPatientName\t1\tDICOM")


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("dictionary") / "test.dic"
    file.write_text(DICTIONARY)
    return str(file)


def answers(url: str) -> Iterator[Any]:
    instance = requests.post(f"{url}/instances", data=FILE, timeout=30).json()["ID"]
    for path in ("tags", "simplified-tags", "content/PatientID"):
        yield requests.get(f"{url}/instances/{instance}/{path}", timeout=30).text
    for name in ("PatientName", "ComponentName", "StudyDescription", "ParameterWindow", "EvenGroups", "0010-0010"):
        answer = requests.get(f"{url}/instances/{instance}/content/{name}", timeout=30)
        yield name, answer.status_code, answer.text.replace(url, "")


@pytest.mark.real
def test_as_the_real_server(dictionary: str, real_program: str) -> None:
    with (
        orthanc_lab.serve(ExternalDictionaries=[dictionary]) as ours,
        RealOrthanc(ExternalDictionaries=[dictionary]) as real,
    ):
        for mine, theirs in zip(answers(ours.url), answers(real.url), strict=True):
            assert mine == theirs


def test_names_come_from_the_file(dictionary: str) -> None:
    with orthanc_lab.in_process(ExternalDictionaries=[dictionary]) as server:
        instance = server.session.post(f"{server.url}/instances", data=FILE).json()["ID"]
        tags = server.session.get(f"{server.url}/instances/{instance}/simplified-tags").json()
        assert tags["ComponentName"] == "Phantom^MR"
        assert not {"PatientName", "Rows", "StudyDate"} & set(tags)


@pytest.mark.real
def test_without_the_private_dictionary_as_the_real_server(real_program: str) -> None:
    dicom = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()  # with private tags of GEMS
    shown = []
    with orthanc_lab.serve(LoadPrivateDictionary=False) as ours, RealOrthanc(LoadPrivateDictionary=False) as real:
        for url in (ours.url, real.url):
            instance = requests.post(f"{url}/instances", data=dicom, timeout=30).json()["ID"]
            shown.append(requests.get(f"{url}/instances/{instance}/tags", timeout=30).json())
    assert shown[0]["0019,1014"]["Name"] == "Unknown Tag & Data"
    assert shown[0] == shown[1]


@pytest.mark.parametrize("text", BAD)
def test_a_line_that_is_no_entry_hinders_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.dic"
    file.write_text(f"{DICTIONARY}{text}\n")
    with pytest.raises(OrthancError, match="Line 16 of the dictionary") as refused:
        orthanc_lab.in_process(ExternalDictionaries=[str(file)])
    assert refused.value.code == 13


def test_a_missing_file_hinders_the_start(tmp_path: Path) -> None:
    with pytest.raises(OrthancError) as refused:
        orthanc_lab.in_process(ExternalDictionaries=[str(tmp_path / "none.dic")])
    assert refused.value.code == 13
