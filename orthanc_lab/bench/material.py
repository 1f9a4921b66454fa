"""What the workloads send: instances with different UIDs, images, documents."""

from __future__ import annotations

import base64
import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from functools import cache

import numpy as np
import pydicom
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, SecondaryCaptureImageStorage

from orthanc_lab import samples

__all__ = ["ct_instances", "data_uri_body", "jpeg_instances", "jpeg_picture", "pdf", "png", "small_instances", "zip_of"]

_serial = itertools.count(1)
_MARK = "2.25.7000000000{kind}{number:012d}"  # all of the same length, so that a template can be patched


def _uid(kind: int, number: int) -> str:
    return _MARK.format(kind=kind, number=number)


def _template(ds: pydicom.Dataset) -> bytes:
    ds.PatientID = "BENCH00000000000"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = _uid(1, 0), _uid(2, 0), _uid(3, 0)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _patched(template: bytes, study: int, instance: int) -> bytes:
    head, rest = template[:4096], template[4096:]
    head = head.replace(_uid(1, 0).encode(), _uid(1, study).encode())
    head = head.replace(_uid(2, 0).encode(), _uid(2, study).encode())
    head = head.replace(_uid(3, 0).encode(), _uid(3, instance).encode())
    return head.replace(b"BENCH00000000000", b"BENCH%011d" % study) + rest


def _instances(template: bytes, count: int, per_study: int) -> Iterator[bytes]:
    study = 0
    for index in range(count):
        if index % per_study == 0:
            study = next(_serial)
        yield _patched(template, study, next(_serial))


@cache
def _small() -> bytes:
    ds = pydicom.dcmread(samples.dicom_files("ct/soft_tissue")[0])
    ds.Rows = ds.Columns = 40
    ds.PixelData = bytes(3200)
    return _template(ds)


@cache
def _ct() -> list[bytes]:
    ds = pydicom.dcmread(samples.dicom_files("ct/soft_tissue")[10])
    pixels = ds.pixel_array.repeat(4, axis=0).repeat(4, axis=1)
    ds.Rows, ds.Columns = pixels.shape
    random = np.random.RandomState(0)
    templates = []
    for _ in range(8):
        noisy = pixels + random.normal(0, 8, pixels.shape)
        ds.PixelData = noisy.round().astype("<i2").tobytes()
        templates.append(_template(ds))
    return templates


def small_instances(count: int, per_study: int = 50) -> list[bytes]:
    """Return new instances of about 4 kB."""
    return list(_instances(_small(), count, per_study))


def ct_instances(count: int) -> list[bytes]:
    """Return new noisy 16-bit CT images of 512 x 512, all in one study."""
    study = next(_serial)
    return [_patched(_ct()[index % 8], study, next(_serial)) for index in range(count)]


@cache
def jpeg_picture(megapixels: float) -> bytes:
    """Return a colour JPEG of the given size, 4:3, with as much detail as a photograph."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = height * 4 // 3
    random = np.random.RandomState(0)
    small = random.randint(0, 256, (height // 8 + 1, width // 8 + 1, 3)).astype("u1")
    picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def jpeg_instances(count: int) -> list[bytes]:
    """Return new instances that each contain a JPEG of 1 megapixel."""
    ds = pydicom.dcmread(samples.dicom_files("us/cine")[0])
    picture = Image.open(io.BytesIO(jpeg_picture(1)))
    del ds.NumberOfFrames, ds.FrameTime, ds.FrameIncrementPointer
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "YBR_FULL_422", 0
    ds.Columns, ds.Rows = picture.size
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PixelData = encapsulate([jpeg_picture(1)])
    ds["PixelData"].is_undefined_length = True
    return list(_instances(_template(ds), count, count))


@cache
def png(size: int, channels: int) -> bytes:
    """Return a PNG of size x size with 1 or 3 channels of 8 bits."""
    y, x = np.mgrid[0:size, 0:size]
    planes = [128 + 100 * np.sin(np.hypot(x - size / 2, y - size * k / 4) ** 2 / size**1.5) for k in range(channels)]
    pixels = np.stack(planes, axis=-1).astype("u1")
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(out, "PNG")
    return out.getvalue()


@cache
def pdf(megabytes: int) -> bytes:
    """Return a document with the header of a PDF and the given number of MB of incompressible content."""
    return b"%PDF-1.4\n" + np.random.RandomState(0).bytes(megabytes * 1_000_000)


def data_uri_body(mime: str, content: bytes) -> bytes:
    """Return the body for /tools/create-dicom with a content."""
    uri = f"data:{mime};base64,{base64.b64encode(content).decode()}"
    tags = {"PatientName": "Bench"}
    if mime.startswith("image/"):
        tags["SOPClassUID"] = SecondaryCaptureImageStorage  # what has none cannot go into a DICOMDIR
    return json.dumps({"Tags": tags, "Content": uri}).encode()


def zip_of(files: list[bytes]) -> bytes:
    """Return a ZIP of the files, deflated."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for index, content in enumerate(files):
            archive.writestr(f"{index}.dcm", content)
    return out.getvalue()
