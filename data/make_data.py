"""Make the sample data of this folder: phantoms, a picture, a document. No patient is behind any of it.

Run ``python data/make_data.py`` to write the files anew; the same files come out at every run.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    MRImageStorage,
    UltrasoundMultiFrameImageStorage,
)

HERE = Path(__file__).resolve().parent
ROOT = "2.25.314159265358979"  # the root of every UID here, so that none is random
SIZE = 128


def uid(*numbers: int) -> str:
    return ".".join([ROOT, *map(str, numbers)])


def grid(size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Return y and x in mm of a square field of view of 240 mm, shape (size, size) each."""
    axis = (np.arange(size) - (size - 1) / 2) * 240 / size
    return np.meshgrid(axis, axis, indexing="ij")


def ct_slice(z: float, noise: float, random: np.random.RandomState) -> np.ndarray:
    """Return a slice in Hounsfield units at `z` mm: a water cylinder with rods and a sphere of fat."""
    y, x = grid()
    image = np.full(y.shape, -1000.0)
    image[(x / 100) ** 2 + (y / 85) ** 2 < 1] = 0
    for angle, value in enumerate([1000, 340, 120, -90, -200, -1000]):
        cx, cy = 62 * np.cos(angle * np.pi / 3), 52 * np.sin(angle * np.pi / 3)
        image[np.hypot(x - cx, y - cy) < 12] = value
    image[x**2 + y**2 + z**2 < 34**2] = -70
    image[np.hypot(x, y) < 5] = 55 + z
    return image + random.normal(0, noise, image.shape)


def mr_slice(z: float, random: np.random.RandomState) -> np.ndarray:
    """Return a slice of a "head" with three shells, in arbitrary units of signal."""
    y, x = grid()
    radius = np.sqrt((x / 85) ** 2 + (y / 105) ** 2 + (z / 95) ** 2)
    image = np.select([radius < 0.55, radius < 0.8, radius < 0.88, radius < 1], [720, 520, 60, 900], 12)
    image = image + 160 * np.sin(x / 9) * np.sin(y / 11) * (radius < 0.8)
    return np.clip(image + random.normal(0, 14, image.shape), 0, 4095)


def common(patient: str, number: int, sop_class: str, study: str) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = sop_class
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = ds.AcquisitionDate = "20260105"
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = ds.AcquisitionTime = "093000"
    ds.AccessionNumber = f"LAB{number:03d}"
    ds.InstitutionName = "orthanc-lab"
    ds.Manufacturer = "orthanc-lab"
    ds.ReferringPhysicianName = ""
    ds.StudyDescription = study
    ds.PatientName = f"Phantom^{patient}"
    ds.PatientID = f"PHANTOM-{patient.upper()}"
    ds.PatientBirthDate = ""
    ds.PatientSex = "O"
    ds.StudyInstanceUID = uid(number)
    ds.StudyID = str(number)
    ds.FrameOfReferenceUID = uid(number, 9999)
    return ds


def series(ds: Dataset, modality: str, study: int, number: int, description: str) -> None:
    ds.Modality = modality
    ds.SeriesNumber = number
    ds.SeriesDescription = description
    ds.SeriesInstanceUID = uid(study, number)
    ds.Laterality = ""


def image(ds: Dataset, pixels: np.ndarray, instance: int, z: float, thickness: float) -> None:
    """Fill the image modules; `pixels` is signed or unsigned 16 bit, shape (rows, columns)."""
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SeriesInstanceUID}.{instance}"
    ds.InstanceNumber = instance
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    spacing = 240 / pixels.shape[1]
    ds.ImagePositionPatient = [-120 + spacing / 2, -120 + spacing / 2, z]
    ds.SliceLocation = z
    ds.SliceThickness = thickness
    ds.PixelSpacing = [spacing, spacing]
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.tobytes()


def ct(number: int, description: str, count: int, noise: float, window: tuple[int, int]) -> Iterator[Dataset]:
    random = np.random.RandomState(number)
    for index in range(count):
        z = round((index - (count - 1) / 2) * 80 / count, 3)
        ds = common("CT", 1, CTImageStorage, "CT quality phantom")
        series(ds, "CT", 1, number, description)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.KVP, ds.XRayTubeCurrent, ds.ConvolutionKernel = "120", "200", "B30f" if noise < 20 else "B70f"
        ds.PatientPosition, ds.PositionReferenceIndicator, ds.AcquisitionNumber = "HFS", "", "1"
        image(ds, ct_slice(z, noise, random).round().astype("<i2"), index + 1, z, 80 / count)
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "HU"
        ds.WindowCenter, ds.WindowWidth = (str(value) for value in window)
        yield ds


def localizer() -> Iterator[Dataset]:
    ds = common("CT", 1, CTImageStorage, "CT quality phantom")
    series(ds, "CT", 1, 1, "Localizer")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    ds.KVP, ds.PatientPosition, ds.PositionReferenceIndicator, ds.AcquisitionNumber = "120", "HFS", "", "1"
    random = np.random.RandomState(1)
    shadow = np.stack([ct_slice(z, 0, random).mean(axis=0) for z in np.linspace(-60, 60, SIZE)])
    image(ds, shadow.round().astype("<i2"), 1, 0, 1)
    ds.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "HU"
    ds.WindowCenter, ds.WindowWidth = "-300", "1200"
    yield ds


def mr(count: int = 12) -> Iterator[Dataset]:
    random = np.random.RandomState(7)
    for index in range(count):
        z = round((index - (count - 1) / 2) * 10, 3)
        ds = common("MR", 2, MRImageStorage, "MR shells")
        series(ds, "MR", 2, 1, "T1 axial")
        ds.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
        ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "GR", "SP", "", "2D"
        ds.RepetitionTime, ds.EchoTime, ds.FlipAngle, ds.EchoTrainLength = "180", "4.6", "70", "1"
        ds.MagneticFieldStrength, ds.PatientPosition, ds.PositionReferenceIndicator = "1.5", "HFS", ""
        image(ds, mr_slice(z, random).round().astype("<u2"), index + 1, z, 10)
        ds.WindowCenter, ds.WindowWidth = "500", "1000"
        yield ds


def jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def ultrasound(frames: int = 16) -> Iterator[Dataset]:
    random = np.random.RandomState(3)
    y, x = np.mgrid[0:120, 0:160]
    distance, angle = np.hypot(x - 80, y + 20), np.arctan2(x - 80, y + 20)
    fan = (abs(angle) < 0.62) & (distance > 25) & (distance < 136)
    speckle = random.gamma(2.0, 26, y.shape)
    encoded = []
    for frame in range(frames):
        radius = 20 + 5 * np.sin(2 * np.pi * frame / frames)
        cavity = np.hypot(x - 80, y - 62) < radius
        picture = np.clip(speckle * np.where(cavity, 0.12, 1) * fan, 0, 255).astype("u1")
        encoded.append(jpeg(Image.fromarray(picture), 70))
    ds = common("US", 3, UltrasoundMultiFrameImageStorage, "Beating cavity")
    series(ds, "US", 3, 1, "Cine loop")
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(3, 1, 1)
    ds.InstanceNumber = 1
    ds.PatientOrientation = ""
    del ds.FrameOfReferenceUID
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.NumberOfFrames, ds.FrameTime, ds.FrameIncrementPointer = frames, "50", 0x00181063
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = y.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"
    ds.PixelData = encapsulate(encoded)
    ds["PixelData"].is_undefined_length = True
    yield ds


def chart_picture() -> Image.Image:
    """A test chart in colour: ramps, circles and a text, 480 x 360."""
    y, x = np.mgrid[0:360, 0:480]
    rings = 128 + 100 * np.sin(np.hypot(x - 240, y - 180) ** 2 / 1500)
    picture = Image.fromarray(np.stack([rings, x * 255 / 479, y * 255 / 359], axis=-1).astype("u1"))
    draw = ImageDraw.Draw(picture)
    for step in range(16):
        draw.rectangle([step * 30, 320, step * 30 + 29, 359], fill=(step * 17,) * 3)
    draw.rectangle([150, 150, 330, 210], fill="black", outline="white")
    draw.text((178, 174), "orthanc-lab test chart", fill="white")
    return picture


def report_pdf() -> bytes:
    """One page of PDF, written by hand so that it is the same at every run."""
    lines = [
        "orthanc-lab: sample report",
        "",
        "Phantom: water cylinder, six rods, one sphere of fat.",
        "Noise (soft tissue kernel): 8 HU. Uniformity: within 2 HU.",
        "This document describes no patient.",
    ]
    text = "BT /F1 18 Tf 72 760 Td 26 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    out += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}"
    start = out.index("xref")
    return (out + f"trailer << /Size {len(bodies) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").encode()


PROMETHEUS_YML = """\
# Scrapes an Orthanc on this machine: prometheus --config.file=data/prometheus.yml
scrape_configs:
  - job_name: 'orthanc'
    scrape_interval: 10s
    metrics_path: /tools/metrics-prometheus
    basic_auth:
      username: orthanc
      password: orthanc
    static_configs:
      - targets: ['localhost:8042']
"""


def write_series(name: str, datasets: Iterator[Dataset]) -> None:
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    for index, ds in enumerate(datasets, 1):
        ds.save_as(folder / f"{index:03d}.dcm", enforce_file_format=True)


def main() -> None:
    write_series("ct/localizer", localizer())
    write_series("ct/soft_tissue", ct(2, "Soft tissue", 20, 8, (40, 400)))
    write_series("ct/sharp", ct(3, "Sharp", 10, 35, (300, 1500)))
    write_series("mr/t1", mr())
    write_series("us/cine", ultrasound())
    chart_picture().save(HERE / "chart.png", optimize=True)
    (HERE / "chart.jpg").write_bytes(jpeg(chart_picture(), 85))
    (HERE / "report.pdf").write_bytes(report_pdf())
    (HERE / "prometheus.yml").write_text(PROMETHEUS_YML, encoding="utf-8")


if __name__ == "__main__":
    main()
