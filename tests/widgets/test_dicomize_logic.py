"""The DICOM-ize form without widgets: contents, values, keywords, private tags, requests."""

from __future__ import annotations

import io
import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from pydicom import Dataset, dcmwrite
from pydicom.datadict import dictionary_VM, dictionary_VR

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.client import ResponseError
from orthanc_lab.widgets.dicomize.contents import Content, content_of, order, refusal, thumbnail
from orthanc_lab.widgets.dicomize.form import Form, field_of, not_kept, words_of
from orthanc_lab.widgets.dicomize.keywords import find, options
from orthanc_lab.widgets.dicomize.private_tags import VRS, PrivateBlock, PrivateTag
from orthanc_lab.widgets.dicomize.values import bytes_of, problem


def picture(mode, form, size=(40, 30)):
    out = io.BytesIO()
    Image.new(mode, size).save(out, form)
    return out.getvalue()


# -- contents ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [("chart.png", "PNG, 480 × 360, color"), ("chart.jpg", "JPEG, 480 × 360, color"), ("report.pdf", "PDF, 1 page")],
)
def test_what_a_file_is_stands_in_its_bytes(tmp_path, name, words):
    path = tmp_path / "no-name-that-helps"
    path.write_bytes(samples.path(name).read_bytes())
    assert content_of("x", path).words == words


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"GIF89a", "is a GIF; only PNG, JPEG and PDF are accepted here"),
        (b"\0" * 128 + b"DICM", "is already a DICOM file: upload it instead; only PNG, JPEG and PDF are accepted here"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "is a WebP; only PNG, JPEG and PDF are accepted here"),
        (b"hello", "is of an unknown type; only PNG, JPEG and PDF are accepted here"),
        (b"", "is of an unknown type; only PNG, JPEG and PDF are accepted here"),
    ],
)
def test_other_kinds_are_refused_in_words(head, words):
    assert refusal("picture.png", head) == words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (picture("CMYK", "JPEG"), "is a CMYK JPEG"),
        (b"\xff\xd8\xff\xe0 broken", "cannot be read as an image"),
        (b"\x89PNG\r\n\x1a\n broken", "cannot be read as an image"),
    ],
)
def test_pictures_that_orthanc_does_not_read_are_refused(tmp_path, content, words):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        content_of("x", path)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA", "1", "I;16"])
def test_every_png_has_a_thumbnail(tmp_path, mode):
    path = tmp_path / "x"
    path.write_bytes(picture(mode, "PNG", (300, 200)))
    with Image.open(io.BytesIO(thumbnail(content_of("x", path)))) as small:
        assert small.size == (96, 64)


def test_a_thumbnail_of_16_bit_keeps_light_and_dark(tmp_path):
    path = tmp_path / "x"
    Image.fromarray(np.array([[0, 65535]], np.uint16)).save(path, "PNG")
    with Image.open(io.BytesIO(thumbnail(content_of("x", path)))) as small:
        assert [small.getpixel((column, 0))[0] for column in (0, 1)] == [0, 255]


def test_a_picture_that_is_cut_off_says_so(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(samples.path("chart.png").read_bytes()[:2000])
    with pytest.raises(ValueError, match="is a damaged image"):
        thumbnail(content_of("x", path))


@given(st.lists(st.text(alphabet="ab12 .", max_size=6)))
def test_any_names_have_an_order(names):
    contents = [Content(name, samples.folder(), "PNG", "") for name in names]
    assert sorted(content.name for content in sorted(contents, key=order)) == sorted(names)


# -- values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vr", "good", "bad"),
    [
        ("DA", ["20260228", ""], ["2026-02-28", "20260230", "20261301", "2026", "2026022８"]),
        ("TM", ["120000", "1200", "120000.123456"], ["12:00", "250000", "126000"]),
        ("DT", ["2026", "20260131120000.5+0100"], ["20260231", "today"]),
        ("UI", ["1.2.840", r"1.2\1.3"], ["1.02", "1..2", "1.a", "1." + "2" * 64]),
        ("IS", ["-5", r"1\2"], ["1.5", "x", "9" * 13]),
        ("DS", ["1.5", "-1e-3", " 2 "], ["1,5", "x", "1" * 17]),
        ("CS", ["CT", "HEAD_1", "A B"], ["ct", "ä", "A" * 17]),
        ("AS", ["042Y", "003D"], ["42", "42Y", "042J"]),
        ("AE", ["ORTHANC"], ["A" * 17]),
        ("PN", ["Phantom^Paul", "Yamada^Tarou=山田^太郎"], ["a=b=c=d", "a^b^c^d^e^f", "x" * 65]),
        ("LO", ["x" * 64, "ä"], ["x" * 65, "a\nb"]),
        ("SH", ["x" * 16], ["x" * 17]),
        ("LT", ["two\nlines \\ and a backslash"], ["x" * 10241]),
        ("ST", ["x" * 1024], ["x" * 1025]),
        ("UT", ["x" * 20000], ["a\0b"]),
        ("US", ["0", "65535"], ["-1", "65536", "1.5", "x"]),
        ("SS", ["-32768"], ["32768"]),
        ("UL", ["4294967295"], ["4294967296"]),
        ("SL", ["-2147483648"], ["2147483648"]),
        ("FL", ["1e3"], ["x", "1,5"]),
        ("FD", ["0.1"], ["0.1.2"]),
        ("OB", ["", "01 ff", "01FF"], ["1", "xx"]),
        ("UR", ["http://host/x"], ["http://host/a b"]),
    ],
)
def test_values(vr, good, bad):
    assert [value for value in good if problem(vr, value)] == []
    assert [value for value in bad if not problem(vr, value)] == []


@given(st.sampled_from(sorted({*VRS, "SQ", "UN", "OW", "AT", "UC", "UR"})), st.text(max_size=80))
def test_any_value_is_judged_in_words(vr, text):
    assert isinstance(problem(vr, text), str)


@given(st.sampled_from([vr for vr in VRS if vr != "OB"]), st.text(max_size=30))
def test_what_passes_can_be_written(vr, text):
    assume(problem(vr, text) == "")
    assume(vr not in ("US", "SS", "UL", "SL", "FL", "FD") or text)
    numbers = {"FL": float, "FD": float, "US": int, "SS": int, "UL": int, "SL": int}
    value = [numbers[vr](part) for part in text.split("\\") if part] if vr in numbers else text
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.add_new(0x00091001, vr, value)
    dcmwrite(io.BytesIO(), dataset, implicit_vr=False, little_endian=True)


@pytest.mark.parametrize(
    ("vm", "counts"),
    [("1", {1}), ("2", {2}), ("1-3", {1, 2, 3}), ("1-n", {1, 2, 3, 4}), ("2-n", {2, 3, 4}), ("2-2n", {2, 4})],
)
def test_multiplicity(vm, counts):
    assert {count for count in range(1, 5) if not problem("IS", "\\".join("1" * count), vm)} == counts


# -- keywords ---------------------------------------------------------------------------


@given(st.sampled_from(options()))
def test_every_option_is_an_attribute_of_the_dictionary(option):
    attribute = find(option)
    assert option.startswith(f"{attribute.keyword} · ")
    assert find(attribute.keyword.lower()) == find(attribute.number) == attribute
    assert dictionary_VR(attribute.keyword).startswith(attribute.vr)
    assert dictionary_VM(attribute.keyword) == attribute.vm
    assert isinstance(problem(attribute.vr, "1", attribute.vm), str)


@given(st.text(max_size=20))
def test_any_text_is_a_keyword_or_not_in_words(text):
    with suppress(ValueError):
        assert find(text).vr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PatientsName", "not a DICOM keyword"),
        ("birth", "did you mean PatientBirthDate"),
        ("0009,1001", "private"),
        ("7fe0,0010", "cannot be entered in this form"),
        ("0008,1140", r"\(SQ\)"),
        ("0002,0010", "cannot be entered in this form"),
        ("0002,9999", "generated by the server"),
    ],
)
def test_what_is_no_attribute_of_the_form(text, words):
    with pytest.raises(ValueError, match=words):
        find(text)


def test_unknown_numbers_are_bytes():
    assert (find("0008,9999").key, find("0008,9999").vr) == ("0008,9999", "UN")


# -- private tags -----------------------------------------------------------------------

ELEMENTS = st.integers(0, 255).map("{:02x}".format)
ROWS = st.lists(st.builds(PrivateTag, ELEMENTS, st.sampled_from(VRS), st.just("")), min_size=1, max_size=5)
GROUPS = st.integers(0x0009 // 2, 0x7FFE).map(lambda half: f"{2 * half + 1:04x}")
CREATORS = st.text(min_size=1, max_size=20)


@given(st.builds(PrivateBlock, CREATORS, GROUPS, ROWS.map(tuple)))
def test_a_snippet_without_problems_is_a_dictionary_that_the_server_takes(block):
    assume(not block.problems())
    option = json.loads("{" + block.snippet() + "}")["Dictionary"]
    assert {key.replace(",", "-") for key in option} == set(block.tags())
    with orthanc_lab.in_process(Dictionary=option) as server:
        assert server.session.get(f"{server.url}/system").status_code == 200


@pytest.mark.parametrize(
    ("block", "fields"),
    [
        (PrivateBlock(), set()),
        (PrivateBlock("", "0405", (PrivateTag("01", "LO", ""),)), {"creator"}),
        (PrivateBlock("a\\b", "0405", (PrivateTag("01", "LO", ""),)), {"creator"}),
        (PrivateBlock("Me", "0404", (PrivateTag("01", "LO", ""),)), {"group"}),
        (PrivateBlock("Me", "0007", (PrivateTag("01", "LO", ""),)), {"group"}),
        (PrivateBlock("Me", "ffff", (PrivateTag("01", "LO", ""),)), {"group"}),
        (PrivateBlock("Me", "405", (PrivateTag("1", "LO", ""),)), {"group", "0"}),
        (PrivateBlock("Me", "0405", (PrivateTag("0a", "DA", "x"), PrivateTag("0A", "LO", ""))), {"0", "1"}),
    ],
)
def test_problems_of_private_tags(block, fields):
    assert set(block.problems()) == fields


# -- the form ---------------------------------------------------------------------------

PNG = Content("a.png", samples.path("chart.png"), "PNG", "")
JPEG = Content("b.jpg", samples.path("chart.jpg"), "JPEG", "")
PDF = Content("c.pdf", samples.path("report.pdf"), "PDF", "")


def test_an_empty_form_asks_for_a_file():
    assert Form().problems() == {"contents": "Drop a PNG, JPEG or PDF first."}


@pytest.mark.parametrize(("contents", "is_right"), [((JPEG,), True), ((PNG,), False), ((JPEG, JPEG), False)])
def test_encapsulate_is_for_one_jpeg(contents, is_right):
    assert (Form(contents, encapsulate=True).problems() == {}) is is_right


def test_several_contents_are_a_series_and_empty_tags_are_not_sent():
    form = Form((PNG, PDF), ((find("PatientID"), "7"), (find("PatientName"), "")), force=True)
    request = form.request()
    assert [item["Content"] for item in request.content] == [PNG.path, PDF.path]
    assert Form((PNG, JPEG)).request().content == [PNG.path, JPEG.path]
    assert request.tags == {"PatientID": "7", "Modality": "OT"}
    assert request.fields == {"Force": True}


def test_another_patient_is_no_child_of_a_parent():
    tags = ((find("PatientID"), "8"),)
    assert set(Form((PNG,), tags, parent="x").problems()) == {"PatientID"}
    assert Form((PNG,), tags, parent="x", force=True).problems() == {}
    assert Form((PNG,), tags).problems() == {}


def test_pictures_become_secondary_captures():
    assert Form((PNG,)).request().tags["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.7"
    assert "SOPClassUID" not in Form((PDF,)).request().tags
    assert "SOPClassUID" not in Form((PNG,), as_capture=False).request().tags
    assert Form((PNG,), parent="study").request().tags["Modality"] == "OT"
    assert "Modality" not in Form((PNG,), parent="series", inherited={"Modality": "MR"}).request().tags
    assert Form((PNG,), ((find("Modality"), "US"),)).request().tags["Modality"] == "US"


def test_pictures_among_documents_are_secondary_captures_too():
    form = Form((PNG, PDF, JPEG))
    assert form.is_mixed
    request = form.request()
    assert [item["Tags"].get("SOPClassUID", "") for item in request.content] == [
        "1.2.840.10008.5.1.4.1.1.7",
        "",
        "1.2.840.10008.5.1.4.1.1.7",
    ]
    chosen = Form((PNG, PDF), ((find("SOPClassUID"), "1.2.3"),)).request()
    assert chosen.tags["SOPClassUID"] == "1.2.3"
    assert [item["Tags"] for item in chosen.content] == [{"ConversionType": "WSD"}, {}]


def test_what_the_parent_gives_is_not_overridden_by_accident():
    form = Form((PNG,), ((find("StudyDescription"), "x"),), parent="x", inherited={"StudyDescription": "CT"})
    assert form.problems() == {"StudyDescription": "is inherited from the parent: leave it empty, or check Force"}


def test_letters_beyond_latin_1_get_a_character_set_that_has_them():
    assert "SpecificCharacterSet" not in Form((PDF,), ((find("PatientName"), "Müller"),)).request().tags
    assert Form((PDF,), ((find("PatientName"), "山田"),)).request().tags["SpecificCharacterSet"] == "ISO_IR 192"
    private = PrivateBlock("Me", "0405", (PrivateTag("01", "LO", "山田"),))
    assert Form((PDF,), private=private).request().tags["SpecificCharacterSet"] == "ISO_IR 192"
    assert "SpecificCharacterSet" not in Form((PDF,), ((find("PatientName"), "山田"),), parent="x").request().tags


def test_letters_that_were_lost_are_noticed():
    request = Form((PDF,), ((find("PatientName"), "山田^é"), (find("PatientID"), "7 ")), parent="x").request()
    assert not_kept(request, {"PatientName": "^é", "PatientID": "7"}) == ["PatientName"]


@pytest.mark.parametrize(
    ("code", "details", "field"),
    [
        (27, "PatientName", "PatientName"),
        (2020, "PatientName", "PatientName"),
        (15, 'While creating a DICOM instance, tag (0028,0010) has out-of-range value: "abc"', "Rows"),
        (5, "Bad Parameter type for tag 0010,0010", "PatientName"),
        (15, 'While creating a DICOM instance, tag (0405,1001) has out-of-range value: "abc"', "private 0"),
        (2024, "", "parent"),
        (2025, "", "parent"),
        (27, "Content", ""),
        (15, "", "contents"),
        (17, "", "contents"),
        (-1, "Error during JPEG decoding: x", "contents"),
        (8, "", ""),
    ],
)
def test_an_error_of_the_server_finds_its_field(code, details, field):
    private = PrivateBlock("Me", "0405", (PrivateTag("01", "US", "1"),))
    form = Form((PNG,), ((find("PatientName"), "x"), (find("Rows"), "1")), private)
    error = ResponseError(400, code, "Bad", details, "POST /")
    assert field_of(error, form) == field
    assert words_of(error)


def test_bytes_of_hexadecimal_digits():
    assert bytes_of("01 fF") == b"\x01\xff"
