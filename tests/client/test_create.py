"""Pictures and documents made DICOM."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from orthanc_lab import Client, samples
from orthanc_lab.client import Instance, ResponseError, Series, Study

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def pixels(made: object) -> np.ndarray:
    assert isinstance(made, Instance)
    return made.dataset().pixel_array


def png(mode: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(GREY).convert(mode).save(out, "PNG")
    return out.getvalue()


def test_paths_and_bytes(client: Client) -> None:
    chart = samples.path("chart.png")
    first = client.create_dicom(chart, {"PatientName": "A^B"})
    assert np.array_equal(pixels(first), pixels(client.create_dicom(str(chart))))
    assert np.array_equal(pixels(first), pixels(client.create_dicom(chart.read_bytes())))
    assert isinstance(first, Instance)
    assert first.dataset().PatientName == "A^B"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA", "1"])
def test_every_kind_of_png_and_of_picture(client: Client, mode: str) -> None:
    shape = (6, 8, 3) if mode in ("RGB", "RGBA", "P") else (6, 8)
    assert pixels(client.create_dicom(png(mode))).shape == shape
    assert pixels(client.create_dicom(Image.fromarray(GREY).convert(mode))).shape == shape


def test_arrays(client: Client) -> None:
    deep = GREY.astype(np.uint16) * 1000
    colour = np.stack([GREY, GREY * 2, GREY * 3], axis=-1)
    for array in (GREY, deep, colour):
        assert np.array_equal(pixels(client.create_dicom(array)), array)
    series = client.create_dicom(list(np.stack([GREY, GREY + 1])), {"Modality": "OT"})
    assert isinstance(series, Series)
    assert [pixels(instance)[0, 0] for instance in series.instances] == [0, 1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GREY.astype(float), "must be uint8 or uint16, but this one is float64"),
        (np.stack([GREY] * 4), "To make a series from a volume, pass it as a list"),
        (b"GIF89a", "not a PNG, JPEG, PDF"),
        (b"\x89PNG broken and more of it, long", "The PNG is broken"),
        (Image.fromarray(GREY).convert("F"), "floating-point image"),
        (3, "A int cannot become"),
        ([], "empty list"),
    ],
)
def test_what_cannot_be_made(client: Client, content: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        client.create_dicom(content)
    assert len(client.instances) == 0


def test_a_missing_file(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.create_dicom(tmp_path / "nowhere.png")


def test_a_figure(client: Client) -> None:
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1), dpi=50)
    figure.subplots().plot([1, 2])
    assert pixels(client.create_dicom(figure)).shape == (50, 100, 3)


def test_a_document_in_a_study(client: Client, study: Study) -> None:
    made = client.create_dicom(samples.path("report.pdf"), {"SeriesDescription": "Report"}, parent=study)
    assert isinstance(made, Instance)
    assert made.series.study == study
    assert made.pdf().startswith(b"%PDF-")
    assert client.create_dicom(GREY, parent=study.id).series.study == study  # type: ignore[union-attr]  # an instance


def test_a_series_with_tags_of_its_own(client: Client) -> None:
    items = [{"Content": GREY, "Tags": {"ImageComments": "first"}}, GREY]
    series = client.create_dicom(items, {"SeriesDescription": "Two"})
    assert isinstance(series, Series)
    first, second = (instance.dataset() for instance in series.instances)
    assert (first.ImageComments, "ImageComments" in second) == ("first", False)


def test_tags_of_every_kind(client: Client) -> None:
    tags = {
        "PatientName": "Name^Given",
        "InstanceNumber": 7,
        "ImageType": ["DERIVED", "SECONDARY"],
        "WindowCenter": [40, 50.5],
        "ReferencedStudySequence": [{"ReferencedSOPInstanceUID": "1.2.3"}],
        "AccessionNumber": None,
        "0029-1010": b"\x01\x02",
    }
    made = client.create_dicom(None, tags)
    assert isinstance(made, Instance)
    ds = made.dataset()
    assert (ds.InstanceNumber, list(ds.ImageType), list(ds.WindowCenter)) == (7, ["DERIVED", "SECONDARY"], [40, 50.5])
    assert ds.ReferencedStudySequence[0].ReferencedSOPInstanceUID == "1.2.3"
    assert ds.AccessionNumber == ""
    assert ds[0x0029, 0x1010].value == b"\x01\x02"


def test_what_the_server_refuses(client: Client) -> None:
    with pytest.raises(ResponseError, match=r"Unknown DICOM tag: Patienname \(HTTP 500, Orthanc error 27\)") as caught:
        client.create_dicom(GREY, {"Patienname": "x"})
    assert (caught.value.status, caught.value.code, caught.value.details) == (500, 27, "Patienname")
    with pytest.raises(ResponseError, match="inexistent resource"):
        client.create_dicom(GREY, parent="unknown")


@pytest.mark.parametrize(
    ("tags", "parent", "advice"),
    [
        ({"PatientsName": "x"}, None, "Name a tag by its keyword (PatientName) or its number"),
        ({"StudyInstanceUID": "1.2.3"}, None, "or pass Force=True"),
        ({}, "series id", "or its Orthanc identifier"),
        ({}, "instance", "parent=instance.series"),
    ],
)
def test_a_refusal_says_what_to_do(
    client: Client, study: Study, tags: dict[str, str], parent: str | None, advice: str
) -> None:
    chosen = study.instances[0].id if parent == "instance" else parent
    with pytest.raises(ResponseError) as caught:
        client.create_dicom(GREY, tags, parent=chosen)
    assert advice in str(caught.value).splitlines()[-1]
