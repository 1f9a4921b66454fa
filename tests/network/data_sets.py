"""Small encoded data sets."""

from __future__ import annotations

from tests.rest.files import CT_IMAGE, dicom_file


def data_set(instance: str, patient: str = "P", study: str = "1.2", series: str = "1.2.3", size: int = 0) -> bytes:
    """Return the encoded data set of a CT, with `size` bytes of pixels."""
    pixels = {"PixelData": bytes(size), "BitsAllocated": 8} if size else {}
    file = dicom_file(patient, study, series, instance, SOPClassUID=CT_IMAGE, **pixels)
    length = int.from_bytes(file[140:144], "little")
    return file[144 + length :]
