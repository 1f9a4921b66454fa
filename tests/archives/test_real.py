"""The same calls on a real Orthanc: members, bytes, DICOMDIR and errors side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests

from orthanc_lab.storage.records import Origin
from orthanc_lab.testing.real import RealOrthanc
from tests.archives.directories import Record, records
from tests.archives.files import dicom, member, names_of
from tests.archives.house import DEADLINE, Answer, House

pytestmark = [
    pytest.mark.real,
    pytest.mark.filterwarnings("ignore:.*(VR IS|VR of IS)"),  # of pydicom, when it reads the odd numbers
]

DATA = Path(pydicom.data.__file__).parent
NOT_COMPARED = {"StudyDate", "StudyTime", "SpecificCharacterSet"}


def collection() -> list[bytes]:
    """Names, numbers and levels of many kinds, and some real files."""
    describe = 0x0008103E
    files = [
        dicom(number="3", extra={0x00081030: ("LO", 'Brain/\\:*?"<>| x'), 0x00080050: ("SH", "A1")}),
        dicom(study="1.2", series="1.2.1", sop="1.2.1.1", name="Other^Name"),
        dicom(study="1.2", series="1.2.1", sop="1.2.1.2", name="Other^Name"),
        dicom(study="1.2", series="1.2.2", sop="1.2.2.1", name="Other^Name", number=None, modality=""),
        dicom(study="1.2", series="1.2.2", sop="1.2.2.2", name="Other^Name", number="5", modality=""),
        dicom("P2", b"M\xfcller^J", "1.3", "1.3.1", "1.3.1.1", number="7", modality="M", charset="ISO_IR 100"),
        dicom("", "^^", "1.4", "1.4.1", "1.4.1.1", number="-7", modality="PET", pixels=None),
        dicom("P3", "山田^太郎", "1.5", "1.5.1", "1.5.1.1", modality="mr", charset="ISO_IR 192"),
        dicom("a - b", "x^^y", "1.6", "1.6.1", "1.6.1.1", number="99999999999", extra={describe: ("LO", "  T1 (ax)")}),
        dicom("a - b", "x^^y", "1.6", "1.6.2", "1.6.2.1", number="7.5", extra={describe: ("LO", "T1 ax")}),
        dicom("a - b", "x^^y", "1.6", "1.6.3", "1.6.3.1", number="+7", extra={describe: ("LO", "T1 ax")}),
    ]
    names = ["CT_small.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm", "rtplan.dcm", "waveform_ecg.dcm", "test-SR.dcm"]
    return files + [(DATA / "test_files" / name).read_bytes() for name in names]


class Pair:
    """The two servers with the same instances."""

    def __init__(self, ours: House, real: RealOrthanc) -> None:
        self.ours = ours
        self._real = real.url
        self.stored = []
        for file in collection():
            self.stored.append(ours.storage.store(file, Origin()))
            answer = requests.post(f"{real.url}/instances", data=file, timeout=DEADLINE)
            assert answer.json()["ID"] == self.stored[-1].instance

    def call(self, method: str, uri: str, body: str | None = None) -> tuple[Answer, Answer]:
        data = None if body is None else body.encode()
        both = [
            requests.request(method, f"{url}{uri}", data=data, timeout=DEADLINE) for url in (self.ours.url, self._real)
        ]
        return Answer(both[0]), Answer(both[1])


@pytest.fixture(scope="module")
def pair(real_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    house = House(tmp_path_factory.mktemp("ours"))
    house.engine.start()
    with RealOrthanc() as real:
        yield Pair(house, real)
    house.close()


def same_archive(ours: Answer, real: Answer) -> None:
    assert ours.status_code == real.status_code == 200
    for header in ("content-type", "content-disposition", "connection"):
        assert ours.headers.get(header) == real.headers.get(header)
    names = names_of(real.content)
    assert names_of(ours.content) == names
    for name in names:
        if name != "DICOMDIR":
            assert member(ours.content, name) == member(real.content, name), name
    if "DICOMDIR" in names:
        same_directory(member(ours.content, "DICOMDIR"), member(real.content, "DICOMDIR"))


def same_directory(ours: bytes, real: bytes) -> None:
    mine, theirs = records(ours), records(real)
    assert [compared(record) for record in mine] == [compared(record) for record in theirs]
    assert [set(record) for record in mine] == [set(record) for record in theirs]


def compared(record: Record) -> Record:
    """Leave out what differs on purpose: the time of the call, and characters that the real server loses."""
    return {key: value.encode("ascii", "ignore").decode() for key, value in record.items() if key not in NOT_COMPARED}


def test_each_resource(pair: Pair) -> None:
    resources = {
        *((f"/patients/{stored.patient}") for stored in pair.stored),
        *((f"/studies/{stored.study}") for stored in pair.stored),
        *((f"/series/{stored.series}") for stored in pair.stored),
    }
    for resource in sorted(resources):
        for kind in ("archive", "media", "media?extended"):
            same_archive(*pair.call("GET", f"{resource}/{kind}"))
        for kind in ("archive", "media"):
            same_archive(*pair.call("POST", f"{resource}/{kind}", "{}"))


@pytest.mark.parametrize("tool", ["archive", "media", "media-extended"])
def test_lists_of_resources(pair: Pair, tool: str) -> None:
    stored = pair.stored
    everything = [item.patient for item in stored]
    lists = [
        everything,
        everything[::-1],
        [item.instance for item in stored],
        [item.instance for item in reversed(stored)],
        [stored[2].instance, stored[1].instance],
        [stored[1].instance, stored[2].instance, stored[4].series, stored[0].study],
        [stored[0].instance, stored[0].series, stored[0].patient],
        [stored[5].study, stored[5].study, stored[6].series],
        [stored[1].instance, stored[1].instance],
        [stored[i].instance for i in (2, 1, 2, 3, 1)],
        [stored[1].instance, stored[1].instance, stored[1].series, stored[3].instance, stored[3].instance],
        [],
    ]
    for chosen in lists:
        same_archive(*pair.call("GET", f"/tools/create-{tool}?resources={','.join(chosen)}"))
        same_archive(*pair.call("POST", f"/tools/create-{tool}", json.dumps(chosen)))
        body = {"Resources": chosen, "Filename": "mine.zip", "Extended": True}
        same_archive(*pair.call("POST", f"/tools/create-{tool}", json.dumps(body)))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
def test_transcoded_between_uncompressed_ones(pair: Pair, syntax: str) -> None:
    """Only the transfer syntax is compared: each server writes its own meta header."""
    uri = f"/series/{pair.stored[0].series}/archive?transcode={syntax}"
    ours, real = pair.call("GET", uri)
    assert names_of(ours.content) == names_of(real.content)
    for name in names_of(real.content):
        assert syntax_of(member(ours.content, name)) == syntax_of(member(real.content, name)) == syntax


def syntax_of(file: bytes) -> str:
    end = file.index(b"UI", 132 + 100)
    start = file.index(b"\x02\x00\x10\x00UI", 132) + 6
    length = int.from_bytes(file[start : start + 2], "little")
    assert end
    return file[start + 2 : start + 2 + length].rstrip(b"\0").decode()


ERRORS: list[tuple[str, str, Any]] = [
    *[("GET", uri, None) for uri in ("/patients/nope/archive", "/series/{study}/media", "/studies/{series}/archive")],
    *[("GET", f"/series/{{series}}/archive?{query}", None) for query in ("transcode=", "transcode=bad", "transcode")],
    *[
        ("GET", f"/series/{{series}}/archive?transcode=1.2.840.10008.1.2.1&lossy-quality={value}", None)
        for value in ("x", "-1", "1.5", "%2B5", "99999999999")
    ],
    ("GET", "/patients/nope/archive?transcode=bad", None),
    ("GET", "/tools/create-archive", None),
    ("GET", "/tools/create-media?Resources=x", None),
    ("GET", "/tools/create-archive?resources=nope", None),
    ("GET", "/tools/create-archive?resources=,", None),
    ("GET", "/tools/create-archive?resources={series},,", None),
    ("GET", "/tools/create-archive?resources={series};{series}", None),
    ("GET", "/tools/create-archive?resources={series}&transcode=x&lossy-quality=x", None),
    *[("POST", "/tools/create-archive", body) for body in ("", "{", "nope", "null", "5", '"x"', "true", "{}", "[5]")],
    *[
        ("POST", "/tools/create-media", f'{{"Resources": {value}}}')
        for value in ("5", "null", "{}", '"x"', "[5]", '[""]')
    ],
    *[
        ("POST", "/tools/create-archive", f'{{"Resources": ["{{series}}"], {fields}}}')
        for fields in (
            '"Transcode": 5',
            '"Transcode": ""',
            '"Transcode": null',
            '"Transcode": "bad"',
            '"Transcode": "1.2.840.10008.1.2.1 "',
            '"Transcode": "1.2.840.10008.1.2.4.201"',
            '"Transcode": "1.2.840.10008.1.2.1", "LossyQuality": "x"',
            '"Transcode": "1.2.840.10008.1.2.1", "LossyQuality": 5.0',
            '"Transcode": "1.2.840.10008.1.2.1", "LossyQuality": null',
            '"Transcode": "1.2.840.10008.1.2.1", "LossyQuality": -5',
            '"Transcode": "1.2.840.10008.1.2.1", "LossyQuality": true',
            '"Transcode": "1.2.840.10008.1.2.1", "LossyQuality": 1000000000000',
            '"Transcode": "1.2.840.10008.1.2.1", "LossyQuality": "x", "Extended": 5',
            '"Extended": 5',
            '"Extended": null',
            '"Extended": "true", "Transcode": 5',
            '"Synchronous": 1',
            '"Asynchronous": null',
            '"Priority": "x"',
            '"Priority": 1.0',
            '"Priority": "x", "Synchronous": 0, "Extended": 5',
        )
    ],
    *[("POST", "/patients/nope/archive", body) for body in ("", "{", "[]", "null", "5", '{"Transcode": "bad"}')],
    *[("POST", "/series/{series}/media", body) for body in ("", "{", '{"Extended": 5}', '{"Transcode": 5}')],
    ("GET", "/instances/{instance}/archive", None),
    ("DELETE", "/series/{series}/archive", None),
    ("PUT", "/tools/create-archive", "{}"),
]


@pytest.mark.parametrize(("method", "uri", "body"), ERRORS)
def test_errors(pair: Pair, method: str, uri: str, body: str | None) -> None:
    stored = pair.stored[0]
    ids = {"study": stored.study, "series": stored.series, "instance": stored.instance}
    for name, value in ids.items():
        uri = uri.replace(f"{{{name}}}", value)
        body = body and body.replace(f"{{{name}}}", value)
    ours, real = pair.call(method, uri, body)
    assert real.status_code >= 400
    assert ours.status_code == real.status_code
    assert ours.content == real.content
    assert ours.headers.get("content-type") == real.headers.get("content-type")


@pytest.mark.parametrize("twice", [False, True])
def test_the_content_of_a_job(pair: Pair, twice: bool) -> None:
    chosen = [pair.stored[0].instance] * 2 if twice else [pair.stored[0].patient]
    body = json.dumps({"Resources": chosen, "Asynchronous": True, "Priority": 3})
    ours, real = pair.call("POST", "/tools/create-media", body)
    assert set(ours.json) == set(real.json) == {"ID", "Path"}
    pair.ours.wait(ours.json["ID"])
    jobs = []
    for url, answer in ((pair.ours.url, ours), (pair._real, real)):
        job: dict[str, Any] = {}
        while job.get("State") != "Success":
            job = requests.get(f"{url}{answer.json['Path']}", timeout=DEADLINE).json()
        jobs.append(job)
    for job in jobs:
        archive_size = job["Content"].pop("ArchiveSize")
        assert isinstance(archive_size, str)
    assert jobs[0]["Content"] == jobs[1]["Content"]
    for key in ("Type", "Priority", "Progress", "State", "ErrorCode", "ErrorDescription", "ErrorDetails"):
        assert jobs[0][key] == jobs[1][key]
