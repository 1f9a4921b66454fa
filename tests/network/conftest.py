"""A server for the folder, and small data sets for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import orthanc_lab
from tests.rest.files import CT_IMAGE, dicom_file


def data_set(instance: str, patient: str = "P", study: str = "1.2", series: str = "1.2.3", size: int = 0) -> bytes:
    """Return the encoded data set of a CT, with `size` bytes of pixels."""
    pixels = {"PixelData": bytes(size), "BitsAllocated": 8} if size else {}
    file = dicom_file(patient, study, series, instance, SOPClassUID=CT_IMAGE, **pixels)
    length = int.from_bytes(file[140:144], "little")
    return file[144 + length :]


@pytest.fixture(scope="module")
def shared() -> Iterator[orthanc_lab.EmbeddedServer]:
    with orthanc_lab.serve(DicomScpTimeout=1) as server:
        yield server


@pytest.fixture
def server(shared: orthanc_lab.EmbeddedServer) -> Iterator[orthanc_lab.EmbeddedServer]:
    """A server that is empty, and has reported no error of its own at the end."""
    yield shared
    assert shared.errors == []
    for patient in shared.session.get(f"{shared.url}/patients", timeout=10).json():
        shared.session.delete(f"{shared.url}/patients/{patient}", timeout=10)
