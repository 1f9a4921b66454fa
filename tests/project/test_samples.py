"""The sample data is there, small, of nobody, and made by its script."""

import importlib.util

import numpy as np
import pydicom
import pytest

from orthanc_lab import samples


def test_the_samples_are_small():
    assert sum(item.stat().st_size for item in samples.folder().rglob("*") if item.is_file()) <= 3_000_000


def test_every_dicom_sample_reads_and_is_a_phantom():
    for item in samples.dicom_files():
        ds = pydicom.dcmread(item)
        assert str(ds.PatientName).startswith("Phantom^")
        assert ds.pixel_array.size


def test_an_unknown_sample_is_refused_with_the_names_of_the_others(tmp_path, monkeypatch):
    for name in ("__pycache__/make_data.pyc", "make_data.py", "mr/001.dcm", "report.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(samples, "folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"Available: mr, mr/001\.dcm, report\.pdf$"):
        samples.path("nothing.dcm")


def test_the_script_makes_the_same_samples(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("make_data", samples.folder() / "make_data.py")
    make_data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_data)
    monkeypatch.setattr(make_data, "HERE", tmp_path)
    make_data.main()
    for item in samples.dicom_files():
        old, new = pydicom.dcmread(item), pydicom.dcmread(tmp_path / item.relative_to(samples.folder()))
        # Pixels are compared as values: codecs of other versions may pack them differently.
        assert np.abs(old.pixel_array.astype(int) - new.pixel_array.astype(int)).max() <= 2
        del old.PixelData, new.PixelData
        assert old == new
    assert (tmp_path / "report.pdf").read_bytes() == samples.path("report.pdf").read_bytes()
