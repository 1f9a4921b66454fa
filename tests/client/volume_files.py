"""DICOM files of stacks, made for tests."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    RLELossless,
    RTDoseStorage,
)

__all__ = ["dose", "encoded", "enhanced", "film", "image", "pixels_of", "series_of"]

ROWS, COLUMNS = 6, 4
SERIES = "1.2.826.0.1.3680043.10.511.9"


def pixels_of(number: int, kind: str = "u2") -> np.ndarray:
    """Return pixels that are different for each number, with all bits in use."""
    lowest = -(2**11) if kind.startswith("i") else 0
    return np.random.default_rng(number).integers(lowest, lowest + 2**12, (ROWS, COLUMNS)).astype(kind)


def image(number: int, pixels: np.ndarray | None = None, **elements: Any) -> Dataset:
    """Return one image of a CT; slices are 2.5 mm apart."""
    pixels = pixels_of(number) if pixels is None else pixels
    made = Dataset()
    made.SOPClassUID = CTImageStorage
    made.SOPInstanceUID = f"{SERIES}.{number}"
    made.StudyInstanceUID, made.SeriesInstanceUID = f"{SERIES}.1000", f"{SERIES}.2000"
    made.PatientID, made.PatientName, made.StudyID = "VOLUME", "Phantom^Volume", "1"
    made.Modality, made.SeriesDescription, made.InstanceNumber = "CT", "Stack", number
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.AcquisitionDate, made.AcquisitionTime = "20260102", f"1200{number:02}.5"
    made.ReferencedStudySequence = Sequence([Dataset()])
    made.ReferencedStudySequence[0].ReferencedSOPInstanceUID = "1.2.3"
    made.ImagePositionPatient = [-10, -20, 2.5 * number]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.PixelSpacing = [0.5, 0.75]
    made.SliceThickness = 2
    made.RescaleSlope, made.RescaleIntercept = 1, -1024
    _set_pixels(made, pixels, 12)
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def enhanced(count: int, *, echoes: int = 1) -> Dataset:
    """Return an enhanced MR with frames in an odd order; each slice has a slope of its own."""
    made = image(1, np.stack([pixels_of(number) for number in range(count * echoes)]))
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"):
        delattr(made, keyword)
    made.SOPClassUID, made.Modality, made.NumberOfFrames = EnhancedMRImageStorage, "MR", count * echoes
    shared = Dataset()
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    shared.PixelMeasuresSequence = _item(PixelSpacing=[0.5, 0.75], SliceThickness=3)
    made.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for frame in range(count * echoes):
        place = (frame // echoes * 3) % count  # 3 and the number of slices have no common divisor
        own = Dataset()
        own.PlanePositionSequence = _item(ImagePositionPatient=[-4.0 * place, 5, 6])
        own.PixelValueTransformationSequence = _item(RescaleSlope=frame + 1, RescaleIntercept=0.5, RescaleType="US")
        own.FrameContentSequence = _item(FrameAcquisitionDateTime=f"202601021200{frame:02}")
        own.MREchoSequence = _item(EffectiveEchoTime=10.0 * (1 + frame % echoes))
        frames.append(own)
    made.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return made


def dose(count: int) -> Dataset:
    """Return a distribution of dose, whose frames lie where their offsets say."""
    made = image(1, np.stack([pixels_of(number, "u4") for number in range(count)]))
    made.SOPClassUID, made.Modality, made.NumberOfFrames = RTDoseStorage, "RTDOSE", count
    made.GridFrameOffsetVector = [3.0 * number for number in range(count)]
    made.DoseGridScaling, made.DoseUnits = 0.001, "GY"
    return made


def film(count: int) -> Dataset:
    """Return a film of a secondary capture."""
    made = image(1, np.stack([pixels_of(number) for number in range(count)]))
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept"):
        delattr(made, keyword)
    made.SOPClassUID, made.Modality = MultiFrameGrayscaleWordSecondaryCaptureImageStorage, "OT"
    made.NumberOfFrames, made.FrameTime = count, 40
    return made


def encoded(made: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return the file of a data set."""
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    if syntax == RLELossless:
        made.compress(RLELossless, generate_instance_uid=False)
    if syntax == ExplicitVRBigEndian:
        made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
    out = io.BytesIO()
    dcmwrite(out, made, enforce_file_format=True)
    return out.getvalue()


def series_of(count: int, **elements: Any) -> list[Dataset]:
    """Return the images of a stack."""
    return [image(number, **elements) for number in range(1, count + 1)]


def _set_pixels(made: Dataset, pixels: np.ndarray, bits: int) -> None:
    allocated = 8 * pixels.dtype.itemsize
    made.Rows, made.Columns = pixels.shape[-2:]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit = allocated, bits, bits - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    made.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def _item(**elements: Any) -> Sequence:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return Sequence([item])
