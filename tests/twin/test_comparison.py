"""The comparison itself: it sees what differs, and lets pass what each server makes up."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import numpy as np
import pydicom
import pytest
from PIL import Image

from orthanc_lab.testing.exchange import Answer
from orthanc_lab.testing.ledger import Accepted, Ledger
from orthanc_lab.testing.likeness import Pairs, compare_answers
from orthanc_lab.testing.scenario import Capture, Send, Special, Wait, parse
from orthanc_lab.testing.scenarios.bodies.files import slice_of, written

UUIDS = ("0e2d3c5f-95ba-4b5f-9c61-1d6a4a6ce5a1", "6a34c2ad-81be-4adc-8c7e-ade8fa552c1d")
MORE_UUIDS = ("8df82301-80c8-4587-9818-82698ffa238a", "bda43e94-9098-4b9a-b745-d0e4d7d52ae5")
IDS = ("66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e", "4d2a6c1c-431ac8c4-4ad6da0e-fa65bad0-07636071")


def fields(ours: object, real: object, pairs: Pairs | None = None, *, name: str = "") -> list[str]:
    """Return the fields in which two JSON answers differ."""
    answers = [Answer(200, {"content-type": "application/json"}, json.dumps(value).encode()) for value in (ours, real)]
    return [difference.field for difference in compare_answers(*answers, pairs or Pairs(), name)]


def bodies(kind: str, ours: bytes, real: bytes, pairs: Pairs | None = None) -> list[str]:
    """Return the fields in which two bodies differ."""
    answers = [Answer(200, {"content-type": kind}, body) for body in (ours, real)]
    return [difference.field for difference in compare_answers(*answers, pairs or Pairs())]


def generated() -> Pairs:
    pairs = Pairs()
    pairs.generated = True
    return pairs


@pytest.mark.parametrize(
    ("ours", "real", "field"),
    [
        ({"a": 1}, {"a": 2}, "body $.a"),
        ({"a": 1}, {"a": 1.0}, "body $.a"),
        ({"a": None}, {"a": ""}, "body $.a"),
        ({"a": 1}, {}, "body $.a"),
        ({}, {"a": 1}, "body $.a"),
        ([1, 2], [1], "body $ length 2 != 1"),
        (["b", "a"], ["a", "b"], "body $[0]"),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}, "body $ order of keys"),
        ({"ID": IDS[0]}, {"ID": IDS[1]}, "body $.ID"),
        ({"ID": UUIDS[0]}, {"ID": "x"}, "body $.ID"),
        ({"Time": "20200101T000000"}, {"Time": "20200101T020000"}, "body $.Time"),
        ({"EffectiveRuntime": 0.5}, {"EffectiveRuntime": "x"}, "body $.EffectiveRuntime"),
        ({"Progress": 33}, {"Progress": 66}, "body $.Progress"),
    ],
)
def test_differences_of_json_are_seen(ours: object, real: object, field: str) -> None:
    assert field in fields(ours, real)


def test_made_up_values_are_alike_when_they_stay_together() -> None:
    pairs = Pairs()
    assert fields({"ID": UUIDS[0]}, {"ID": UUIDS[1]}, pairs) == []
    assert fields({"Path": f"/jobs/{UUIDS[0]}"}, {"Path": f"/jobs/{UUIDS[1]}"}, pairs) == []
    assert fields({"ID": UUIDS[0]}, {"ID": MORE_UUIDS[0]}, pairs) == ["body $.ID"]
    assert fields({"ID": MORE_UUIDS[0]}, {"ID": UUIDS[1]}, pairs) == ["body $.ID"]


def test_clock_readings_are_alike_when_they_are_near_and_of_one_format() -> None:
    assert fields({"Time": "20200101T000001.123456"}, {"Time": "20200101T000002.654321"}) == []
    assert fields({"Time": "20200101T000001"}, {"Time": "20200101-000002"}) == ["body $.Time"]


def test_clock_readings_of_a_recording_are_older() -> None:
    def alike(ours: str, real: str) -> bool:
        return not fields({"Time": ours}, {"Time": real}, Pairs(timedelta(days=40, hours=1)))

    assert alike("20200210T020010", "20200101T010000")
    assert alike("20200210T073010", "20200101T010000")  # in another zone
    assert not alike("20200210T021000", "20200101T010000")
    assert not alike("20200220T020010", "20200101T010000")
    assert alike("20200210", "20200101")
    assert not alike("20200220", "20200101")
    assert alike("Anonymized7", "Anonymized12")
    assert not alike("Anonymized7x", "Anonymized12")


def test_identifiers_must_be_equal_until_something_was_generated() -> None:
    assert fields({"ID": IDS[0]}, {"ID": IDS[1]}) == ["body $.ID"]
    assert fields({"ID": IDS[0]}, {"ID": IDS[1]}, generated()) == []


def test_generated_uids_need_the_same_root() -> None:
    ours = "1.2.276.0.7230010.3.1.4.1.2.3"
    assert fields({"UID": ours}, {"UID": "1.2.276.0.7230010.3.1.4.4.5.6"}, generated()) == []
    assert fields({"UID": ours}, {"UID": "1.2.276.0.7230010.3.1.2.4.5.6"}, generated()) == ["body $.UID"]
    assert fields({"UID": ours}, {"UID": "1.2.826.0.1.3680043.8.498.1"}, generated()) == ["body $.UID"]
    assert fields({"UID": "2.25.215819678941949159273422097410828494211"}, {"UID": ours}, generated()) == ["uid root"]


def test_items_in_the_order_of_made_up_identifiers_are_matched_by_what_they_say() -> None:
    ours = [{"ID": UUIDS[0], "Priority": 1}, {"ID": UUIDS[1], "Priority": 2}]
    real = [{"ID": MORE_UUIDS[0], "Priority": 2}, {"ID": MORE_UUIDS[1], "Priority": 1}]
    assert fields(ours, real) == []
    real[0]["Priority"] = 3
    assert fields(ours, real) != []


def test_items_that_repeat_an_identifier_are_compared_in_their_order() -> None:
    ours = [{"ID": IDS[0], "Seq": 1}, {"ID": IDS[0], "Seq": 2}]
    assert fields(ours, ours) == []
    assert fields(ours, ours[::-1]) != []


@pytest.mark.parametrize(
    ("ours", "real"),
    [('{\n   "a" : 1\n}', '{"a":1}'), ('{"a" : "\\u00e9"}', '{"a" : "é"}'), ('{"a" : 0.10}', '{"a" : 0.1}')],
)
def test_the_layout_of_json_is_seen(ours: str, real: str) -> None:
    assert bodies("application/json", ours.encode(), real.encode()) == ["layout"]


def test_status_and_headers_are_seen() -> None:
    answer = Answer(200, {"allow": "GET,DELETE"}, b"")
    for other, field in (
        (Answer(404, {"allow": "GET,DELETE"}, b""), "status"),
        (Answer(200, {"allow": "DELETE,GET"}, b""), "header allow"),
        (Answer(200, {}, b""), "header allow"),
        (Answer(200, {"allow": "GET,DELETE"}, b"", complete=False), "complete"),
    ):
        assert [difference.field for difference in compare_answers(answer, other, Pairs())] == [field]


def test_differences_of_texts_and_bytes_are_seen() -> None:
    assert bodies("text/plain", b"1", b"0") == ["body"]
    assert bodies("application/octet-stream", b"abc", b"abd") == ["body"]
    assert bodies("application/xml", b"<a><b>1</b></a>", b"<a><b>2</b></a>") == ["body $.b"]
    assert bodies("application/xml", b"<a><b>1</b></a>", b"<a>\n<b>1</b></a>") == ["layout"]


def test_differences_of_dicom_are_seen() -> None:
    ours = written(slice_of("P", "1", "1", 1))
    assert bodies("application/dicom", ours, ours) == []
    changed = written(slice_of("P", "1", "1", 1, PatientName="Other"))
    assert bodies("application/dicom", ours, changed) == ["dicom (0010,0010)"]
    without = written(slice_of("P", "1", "1", 1, StudyDescription=None))
    assert bodies("application/dicom", ours, without) == ["dicom (0008,1030)"]
    data_set = slice_of("P", "1", "1", 1)
    data_set["StudyDescription"].VR = "ST"
    assert bodies("application/dicom", ours, written(data_set)) == ["dicom (0008,1030) VR"]
    item = pydicom.Dataset()
    item.PatientID = "x"
    one = written(slice_of("P", "1", "1", 1, ReferencedImageSequence=[item]))
    none = written(slice_of("P", "1", "1", 1, ReferencedImageSequence=[]))
    assert bodies("application/dicom", one, none) == ["dicom (0008,1140) items"]
    item.PatientID = "y"
    other = written(slice_of("P", "1", "1", 1, ReferencedImageSequence=[item]))
    assert bodies("application/dicom", one, other) == ["dicom (0008,1140)[0] (0010,0020)"]


def test_the_byte_after_a_frame_of_odd_length_is_not_compared() -> None:
    data_set = pydicom.dcmread(io.BytesIO(written(slice_of("P", "1", "1", 1))))
    data_set.file_meta.TransferSyntaxUID = pydicom.uid.JPEGLSLossless
    files = []
    for frame in (
        b"\xff\xd8\xff\xf7\x01\xff\xd9\0",
        b"\xff\xd8\xff\xf7\x01\xff\xd98",
        b"\xff\xd8\xff\xf7\x02\xff\xd9\0",
    ):
        data_set.PixelData = pydicom.encaps.encapsulate([frame])
        data_set["PixelData"].VR = "OB"
        files.append(written(data_set))
    assert bodies("application/dicom", files[0], files[1]) == []
    assert bodies("application/dicom", files[0], files[2]) != []


def zipped(members: dict[str, bytes], comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name), body, method)
        archive.comment = comment
    return buffer.getvalue()


def test_differences_of_archives_are_seen() -> None:
    file = written(slice_of("P", "1", "1", 1))
    other = written(slice_of("P", "1", "1", 2))
    ours = zipped({"a": file, "b": other})
    assert bodies("application/zip", ours, zipped({"b": other, "a": file})) == ["zip members"]
    assert bodies("application/zip", ours, zipped({"a": file, "b": other}, b"x")) == ["zip comment"]
    assert "zip member 1 (0020,0013)" in bodies("application/zip", ours, zipped({"a": file, "b": file}))
    stored = zipped({"a": file, "b": other}, method=zipfile.ZIP_STORED)
    assert bodies("application/zip", ours, stored) == ["zip compress_type"] * 2
    assert bodies("application/zip", ours, ours[:-30]) == ["zip"]


def encoded(pixels: np.ndarray, form: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


def test_differences_of_images_are_seen() -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    brighter = pixels.copy()
    brighter[0, 0] += 1
    (difference,) = bodies("image/png", encoded(pixels, "PNG"), encoded(brighter, "PNG"))
    assert difference.startswith("image pixels: 1 of 64 differ")
    assert bodies("image/png", encoded(pixels, "PNG"), encoded(pixels[:4], "PNG")) == ["image"]
    assert bodies("image/jpeg", encoded(pixels, "JPEG"), encoded(brighter, "JPEG")) == []
    assert bodies("image/jpeg", encoded(pixels, "JPEG"), encoded(255 - pixels, "JPEG")) != []


def test_differences_of_metrics_are_seen() -> None:
    kind = "text/plain; version=0.0.4"
    ours = b"orthanc_count_studies 1 1680083638028\northanc_up_time_s 3 1680083638028\n"
    assert bodies(kind, ours, ours.replace(b" 3 ", b" 4 ")) == []
    assert bodies(kind, ours, ours.replace(b"studies 1", b"studies 2")) == ["metric orthanc_count_studies"]
    assert bodies(kind, ours, ours.replace(b"orthanc_up_time_s", b"orthanc_zz")) != []
    assert bodies(kind, ours, ours.rstrip()) == ["metrics layout"]


def test_the_lines_of_a_scenario() -> None:
    steps = parse(
        """
        # a comment
        job, study:ParentStudy = POST /x/{a} [Accept: a/b | If-Match: "0"] {"Tags":
        +  {}}
        GET /instances
        PUT /x
        POST /tools/create-archive ["{a}"]
        WAIT {job} Paused
        LET GO
        RESTART
        RESTART {"StableAge": 1}
        """
    )
    first = steps[0]
    assert isinstance(first, Send)
    assert first.captures == (Capture("job", "ID"), Capture("study", "ParentStudy"))
    assert (first.method, first.path, first.body) == ("POST", "/x/{a}", '{"Tags":{}}')
    assert first.headers == {"Accept": "a/b", "If-Match": '"0"'}
    assert [step.body for step in steps[1:4] if isinstance(step, Send)] == [None, "", '["{a}"]']
    assert steps[4:] == [
        Wait("WAIT {job} Paused", "{job}", "Paused"),
        Special("LET GO"),
        Special("RESTART"),
        Special('RESTART {"StableAge": 1}'),
    ]
    assert [step.restarts_with for step in steps[5:] if isinstance(step, Special)] == [None, {}, {"StableAge": 1}]
    with pytest.raises(ValueError, match="not a line of a scenario: hello"):
        parse("hello")


def test_the_ledger_accepts_what_it_names_and_knows_its_stale_lines() -> None:
    dated = Accepted("*", "*", "header date", "why")
    one = Accepted("create-*", "POST /tools/create-dicom {[x]*", "dicom (0002,*", "why")
    other = Accepted("jobs", "*", "status", "why")
    ledger = Ledger([dated, one, other])
    assert ledger.accepts("create-tags", "POST /tools/create-dicom {[x] more", "dicom (0002,0012)")
    assert not ledger.accepts("create-tags", "POST /tools/create-dicom {[x] more", "dicom (0008,0018)")
    assert not ledger.accepts("modify", "POST /tools/create-dicom {[x] more", "dicom (0002,0012)")
    names = ["create-tags", "jobs"]
    ledger.has_run("create-tags")
    assert ledger.stale(names) == []
    ledger.has_run("jobs")
    assert ledger.stale(names) == [dated, other]
