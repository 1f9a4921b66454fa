"""Frames with thumbnails: on our server and on the real one."""

from __future__ import annotations

import base64
import io
import re

import pandas as pd
import pydicom
import pytest
from PIL import Image

from orthanc_lab import frames, samples

PICTURE = re.compile(r'<img alt="Thumbnail" src="data:image/png;base64,([A-Za-z0-9+/=]+)">')


@pytest.mark.parametrize("table", [frames.studies, frames.series, frames.instances])
def test_a_notebook_shows_a_small_picture_in_each_row(filled, table):
    pictured = table(filled, thumbnails=True)
    shown = PICTURE.findall(pictured._repr_html_())
    assert len(shown) == len(pictured)
    for data in shown:
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert max(picture.size) <= 64
            assert len(picture.getcolors()) > 8
    plain = table(filled)
    assert type(plain) is pd.DataFrame
    pd.testing.assert_frame_equal(pd.DataFrame(pictured).drop(columns="thumbnail"), plain)


def test_what_is_selected_keeps_its_pictures(filled):
    pictured = frames.series(filled, thumbnails=True)
    soft = pictured[pictured["SeriesDescription"] == "Soft tissue"]
    (shown,) = PICTURE.findall(soft[["thumbnail", "Modality"]]._repr_html_())
    assert soft["thumbnail"].tolist() == [f"data:image/png;base64,{shown}"]
    assert "<img" not in soft[["Modality"]]._repr_html_()


def test_a_number_limits_the_pictures(filled):
    pictured = frames.instances(filled, thumbnails=3)
    assert pictured["thumbnail"].notna().sum() == 3
    assert len(PICTURE.findall(pictured._repr_html_())) == 3


def test_a_file_without_an_image_has_none(client):
    client.create_dicom(samples.path("report.pdf"), {"PatientID": "1"})
    pictured = frames.series(client, thumbnails=True)
    assert pictured["thumbnail"].isna().all()
    assert "<img" not in pictured._repr_html_()


def test_an_empty_server_gives_an_empty_frame(client):
    pictured = frames.studies(client, thumbnails=True)
    assert len(pictured) == 0
    assert pictured.columns[0] == "thumbnail"


def test_texts_of_dicom_files_stay_texts(client):
    dataset = pydicom.dcmread(samples.dicom_files("us")[0])
    dataset.SeriesDescription = "<script>alert(1)</script>"
    client.upload(dataset)
    html = frames.series(client, thumbnails=True)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
