"""The tags that volumes are made of, by keyword: the client has no dictionary, and pydicom's loads slowly."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ITEM", "ITEM_END", "PIXELS", "SEQUENCE_END", "TAGS", "TEMPORAL_POSITION_INDEX", "TRANSFER_SYNTAX"]

TRANSFER_SYNTAX = 0x00020010
TEMPORAL_POSITION_INDEX = 0x00209128
PIXELS = 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

TAGS: Mapping[str, int] = {
    "ImageType": 0x00080008,
    "SOPClassUID": 0x00080016,
    "AcquisitionDate": 0x00080022,
    "AcquisitionDateTime": 0x0008002A,
    "AcquisitionTime": 0x00080032,
    "Modality": 0x00080060,
    "InversionTime": 0x00180082,
    "SliceThickness": 0x00180050,
    "EchoTime": 0x00180081,
    "EchoNumbers": 0x00180086,
    "TriggerTime": 0x00181060,
    "FlipAngle": 0x00181314,
    "DiffusionBValue": 0x00189087,
    "AcquisitionNumber": 0x00200012,
    "InstanceNumber": 0x00200013,
    "ImagePositionPatient": 0x00200032,
    "ImageOrientationPatient": 0x00200037,
    "TemporalPositionIdentifier": 0x00200100,
    "SamplesPerPixel": 0x00280002,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
    "RescaleIntercept": 0x00281052,
    "RescaleSlope": 0x00281053,
    "RescaleType": 0x00281054,
    "ModalityLUTSequence": 0x00283000,
    "Units": 0x00541001,
}
"""What is read of each file, by keyword."""
