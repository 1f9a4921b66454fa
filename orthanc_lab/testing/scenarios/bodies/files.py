"""Named request bodies of the scenarios: DICOM files, archives, images, documents.

The DICOM files are pydicom's test files, and a small tree of patients made here.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.data import get_charset_files, get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from orthanc_lab.testing.scenarios.bodies.forms import form_bodies, posted_forms

FILES = {
    "ct": "CT_small.dcm",
    "mr": "MR_small.dcm",
    "mr-implicit": "MR_small_implicit.dcm",
    "mr-big": "MR_small_bigendian.dcm",
    "mr-rle": "MR_small_RLE.dcm",
    "jpeg-rgb": "SC_rgb_jpeg_dcmtk.dcm",
    "jpeg-12": "JPEG-lossy.dcm",
    "jpeg2000": "JPEG2000.dcm",
    "rgb": "examples_rgb_color.dcm",
    "palette": "examples_palette.dcm",
    "ybr": "examples_ybr_color.dcm",
    "two-frames": "SC_rgb_rle_2frame.dcm",
    "dose": "rtdose.dcm",
    "plan": "rtplan.dcm",
    "structures": "rtstruct.dcm",
    "report": "test-SR.dcm",
    "waveform": "waveform_ecg.dcm",
    "private-sequence": "nested_priv_SQ.dcm",
    "deflated": "image_dfl.dcm",
    "truncated": "MR_truncated.dcm",
    "no-meta": "no_meta.dcm",
    "overlay": "examples_overlay.dcm",
}
CHARSETS = {
    "arabic": "chrArab.dcm",
    "french": "chrFren.dcm",
    "german": "chrGerm.dcm",
    "greek": "chrGreek.dcm",
    "japanese": "chrH31.dcm",
    "japanese-2": "chrH32.dcm",
    "hebrew": "chrHbrw.dcm",
    "korean": "chrI2.dcm",
    "russian": "chrRuss.dcm",
    "chinese": "chrX1.dcm",
    "chinese-gb": "chrX2.dcm",
}
TREE = ("a1", "a2", "a3", "b1", "c1", "d1")


def build() -> dict[str, bytes]:
    """Return every named body."""
    bodies = {name: _file(file) for name, file in (FILES | CHARSETS).items()}
    bodies["jpeg-icon"] = _with_compressed_icon()
    bodies |= _tree() | _odd_dicom() | _odd_elements() | _images() | _documents()
    return bodies | _archives(bodies) | _hostile(bodies) | form_bodies(bodies["a1"]) | posted_forms()


def _file(name: str) -> bytes:
    charset_files = get_charset_files(name)
    path = charset_files[0] if charset_files else get_testdata_file(name, download=False)
    return Path(str(path)).read_bytes()


def _with_compressed_icon() -> bytes:
    """Return a compressed picture with itself as its icon."""
    data_set = pydicom.dcmread(io.BytesIO(_file(FILES["jpeg-rgb"])))
    icon = Dataset()
    for element in data_set:
        if element.tag.group in (0x0028, 0x7FE0):
            icon.add(element)
    icon.PixelData = data_set.PixelData
    icon["PixelData"].is_undefined_length = True
    data_set.IconImageSequence = [icon]
    buffer = io.BytesIO()
    data_set.save_as(buffer)
    return buffer.getvalue()


def slice_of(patient: str, study: str, series: str, number: int, **tags: Any) -> Dataset:
    """Return a tiny CT slice; the UIDs follow from the arguments."""
    data_set = Dataset()
    data_set.SpecificCharacterSet = "ISO_IR 100"
    data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    data_set.SOPInstanceUID = f"1.2.826.0.1.3680043.10.1.{study}.{series}.{number}"
    data_set.StudyDate, data_set.StudyTime = "20200102", "030405"
    data_set.SeriesDate, data_set.SeriesTime = "20200102", "040000"
    data_set.AccessionNumber = f"A{study}"
    data_set.Modality = "CT"
    data_set.StudyDescription = f"Study {study}"
    data_set.SeriesDescription = f"Series {series}"
    data_set.PatientName, data_set.PatientID = f"Test^{patient}", patient
    data_set.PatientBirthDate, data_set.PatientSex = "19700131", "O"
    data_set.StudyInstanceUID = f"1.2.826.0.1.3680043.10.1.{study}"
    data_set.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.1.{study}.{series}"
    data_set.StudyID = study
    data_set.SeriesNumber, data_set.InstanceNumber = series, number
    data_set.ImagePositionPatient = [0, 0, number]
    data_set.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data_set.PixelSpacing = [1, 1]
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows, data_set.Columns = 4, 4
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation = 0
    data_set.WindowCenter, data_set.WindowWidth = "40", "400"
    data_set.add_new(0x7FE00010, "OW", np.arange(16, dtype="<u2").tobytes())
    for name, value in tags.items():
        if value is None:
            delattr(data_set, name)
        else:
            setattr(data_set, name, value)
    return data_set


def written(data_set: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return a data set as a DICOM file."""
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = UID(syntax)
    data_set.file_meta.MediaStorageSOPClassUID = data_set.get("SOPClassUID", "1.2.3")
    data_set.file_meta.MediaStorageSOPInstanceUID = UID(data_set.get("SOPInstanceUID") or "1.2.3")
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue()


def _tree() -> dict[str, bytes]:
    """Two patients: P1 with study 1 (series 1 of three slices, series 2) and study 2, P2 with study 3."""
    return {
        "a1": written(slice_of("P1", "1", "1", 1)),
        "a2": written(slice_of("P1", "1", "1", 2)),
        "a3": written(slice_of("P1", "1", "1", 3)),
        "b1": written(slice_of("P1", "1", "2", 1, Modality="MR", StudyDescription="Study 1")),
        "c1": written(slice_of("P1", "2", "3", 7, StudyDate="20210607", AccessionNumber="")),
        "d1": written(slice_of("P2", "3", "4", 1, PatientName="Müller^Jürgen", Modality="PT")),
    }


def _odd_dicom() -> dict[str, bytes]:
    """Files that are unusual, or no DICOM at all."""
    no_uid = slice_of("P9", "9", "9", 1)
    del no_uid.StudyInstanceUID
    empty_uid = slice_of("P9", "9", "9", 2)
    empty_uid.SeriesInstanceUID = ""
    no_patient = slice_of("P9", "9", "9", 3)
    del no_patient.PatientID, no_patient.PatientName
    nested = slice_of("P8", "8", "8", 1)
    item = slice_of("P8", "8", "8", 2)
    del item.PixelData
    nested.ReferencedImageSequence = [item, Dataset()]
    scheduled = slice_of("P3", "10", "10", 1, StudyDescription=None, PatientSex=None)
    step = Dataset()
    step.ScheduledProcedureStepID, step.AccessionNumber = "S1", "A10"
    scheduled.RequestAttributesSequence = [step]
    scheduled_too = slice_of("P3", "10", "10", 2, RequestAttributesSequence=[step])
    structure_set = slice_of("P4", "4", "4", 1)
    structure_set.ReferencedFrameOfReferenceSequence = [_referenced_frame(structure_set)]
    structure_set.RTReferencedStudySequence = [_reference(structure_set.StudyInstanceUID)]
    private = slice_of("P7", "7", "7", 1)
    block = private.private_block(0x0405, "My Company", create=True)
    block.add_new(0x01, "ST", "<xml/>")
    named = slice_of("P7", "7", "7", 2)
    block = named.private_block(0x0405, "My Company", create=True)
    block.add_new(0x01, "ST", "<xml/>")
    block.add_new(0x02, "US", 513)
    block.add_new(0x03, "SQ", [item])
    block.add_new(0x04, "LO", "in no dictionary")
    private_item = Dataset()
    block = private_item.private_block(0x0405, "My Company", create=True)
    block.add_new(0x01, "ST", "<xml/>")
    private_items = slice_of("P7", "7", "7", 3)
    private_items.ReferencedImageSequence = [private_item]
    odd_names = slice_of("../../etc", "6", "6", 1, PatientName="x/y\\z", StudyDescription='Brain/:*?"<>| é^x')
    deflated = written(slice_of("P1", "1", "1", 11), "1.2.840.10008.1.2.1.99")
    implicit = written(slice_of("P1", "1", "1", 12), "1.2.840.10008.1.2")
    same_uids = slice_of("P1", "1", "1", 1, ContentDate="20300101", PatientName="Other^Name")
    return {
        "no-study-uid": written(no_uid),
        "empty-series-uid": written(empty_uid),
        "no-patient-id": written(no_patient),
        "nested": written(nested),
        "scheduled": written(scheduled),
        "scheduled-2": written(scheduled_too),
        "structure-set": written(structure_set),
        "private": written(private),
        "private-items-implicit": written(private_items, "1.2.840.10008.1.2"),
        "private-implicit": written(named, "1.2.840.10008.1.2"),
        "deflated-nothing": written(Dataset(), "1.2.840.10008.1.2.1.99")[:-2],
        "jpip-deflated": deflated.replace(b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.4.95"),
        "unknown-implicit": implicit.replace(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.9\0"),
        "odd-names": written(odd_names),
        "no-names-left": written(
            slice_of("^^", "6", "6", 2, PatientName="^", StudyDescription="^", AccessionNumber="")
        ),
        "empty-patient": written(slice_of("", "6", "6", 4)),
        "blank-patient": written(slice_of(" ", "6", "6", 3, PatientName=" ")),
        "no-charset": _without_charset("P5", 1, b"J\xe9r\xf4me"),
        "no-charset-greek": _without_charset("P5", 2, b"\xc4\xe9\xef\xed\xf5\xf3"),
        "no-preamble": written(slice_of("P1", "1", "1", 14))[132:],
        "no-preamble-implicit": written(slice_of("P1", "1", "1", 15), "1.2.840.10008.1.2")[132:],
        "a1-changed": written(same_uids),
        "c1-other-series": written(slice_of("P1", "2", "4", 1, StudyDate="20210607", PatientName="Third^Name")),
        "no-number": written(slice_of("P6", "5", "5", 9, InstanceNumber=None, Modality="")),
        "number-1": written(slice_of("P6", "5", "5", 1)),
        "number-3": written(slice_of("P6", "5", "5", 3)),
        "a1-deflated": deflated,
        "a1-implicit": implicit,
        "zeros": bytes(200),
        "zeros-4": bytes(4),
        "text": b"this is not DICOM",
        "dicm": bytes(128) + b"DICM",
        "half": written(slice_of("P1", "1", "1", 13))[:300],
        "binary": bytes(range(256)),
        "not-utf-8": b"\xff",
        "cut-utf-8": "é中".encode()[:4],
        "latin-1": "Jérôme au lait".encode("latin-1"),
        "surrogate": b"\xed\xa0\x80",
        "private-use": "\U0010f0ff".encode(),
        **{
            f"large-{number}": written(
                slice_of(f"L{number}", f"1{number}", "1", 1, EncapsulatedDocument=bytes(300_000))
            )
            for number in range(5)
        },
        "large-5": bytes(1_100_000),
    }


def _odd_elements() -> dict[str, bytes]:
    """Return files with elements that belong elsewhere, have another VR, or say nothing."""
    padding, nobody, dated = (slice_of("P7", "7", "9", number) for number in (1, 2, 3))
    padding.add_new(0xFFFCFFFC, "OB", bytes(20))
    nobody.add_new(0x00290010, "LO", "")
    nobody.add_new(0x00291010, "LO", "x")
    dated.add_new(0x00189074, "FL", 1.5)
    dated.StudyDate = ""
    dated["StudyDate"].VR = "LO"
    start = written(slice_of("P7", "7", "9", 4))
    first = start.index(struct.pack("<HH2s", 8, 5, b"CS"))
    stray = (struct.pack("<HH2sH", group, element, b"LO", 2) + b"x " for group, element in _STRAY)
    runs = _file(FILES["mr-rle"])
    return {
        "trailing-padding": written(padding),
        "private-of-nobody": written(nobody),
        "other-vrs": written(dated),
        "stray-groups": start[:first] + b"".join(stray) + start[first:],
        "unknown-explicit": written(slice_of("P7", "7", "9", 5)).replace(
            b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.9.9\0"
        ),
        "runs-as-explicit": runs.replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0"),
    }


_STRAY = ((0, 2), (2, 0x16), (3, 0x11), (5, 0x11), (7, 0x11))


def _reference(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", uid
    return item


def _referenced_frame(data_set: Dataset) -> Dataset:
    """Return what a structure set says of its study: UIDs of all levels, and foreign ones."""
    frame, series = Dataset(), Dataset()
    series.SeriesInstanceUID = data_set.SeriesInstanceUID
    series.ContourImageSequence = [_reference(data_set.SOPInstanceUID), _reference(data_set.StudyInstanceUID)]
    uids = (data_set.StudyInstanceUID, data_set.SeriesInstanceUID, data_set.SOPInstanceUID, "1.2.3.4")
    frame.FrameOfReferenceUID = "1.2.3.99"
    frame.RTReferencedStudySequence = [_reference(uid) for uid in uids]
    frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence = [series]
    return frame


def _without_charset(patient: str, number: int, name: bytes) -> bytes:
    """Return a file that says nothing of its character set, with a name of six bytes."""
    data_set = slice_of(patient, "5", "5", number, SpecificCharacterSet=None, PatientName="@@@@@@")
    return written(data_set).replace(b"@@@@@@", name)


def _images() -> dict[str, bytes]:
    gradient = np.arange(5 * 7, dtype=np.uint8).reshape(5, 7) * 7
    colour = np.stack([gradient, gradient[::-1], gradient[:, ::-1]], axis=-1)
    photo = np.add.outer(np.arange(40), np.arange(48)).astype(np.uint8) * 2
    rgb_photo = np.stack([photo, photo.T[:40, :40].repeat(2, 1)[:, :48], 255 - photo], axis=-1)
    images = {
        "png8": Image.fromarray(gradient),
        "png16": Image.fromarray(gradient.astype(np.uint16) * 1000),
        "png-rgb": Image.fromarray(colour),
        "png-rgba": Image.fromarray(np.dstack([colour, gradient])),
        "png-palette": Image.fromarray(colour).quantize(16),
        "png-gray-alpha": Image.fromarray(np.dstack([gradient, gradient]), "LA"),
        "png1": Image.fromarray(gradient > 100),
        "png-blank": Image.new("L", (7000, 7000)),
    }
    bodies = {name: _encoded(image, "PNG") for name, image in images.items()}
    bodies["png-broken"] = bodies["png8"][:40]
    bodies["png-corrupt"] = bodies["png8"][:45] + b"\0\0\0" + bodies["png8"][48:]
    bodies["jpeg"] = _encoded(Image.fromarray(rgb_photo), "JPEG", quality=90)
    bodies["jpeg-gray"] = _encoded(Image.fromarray(photo), "JPEG", quality=90)
    bodies["jpeg-progressive"] = _encoded(Image.fromarray(photo), "JPEG", progressive=True)
    bodies["jpeg-cmyk"] = _encoded(Image.fromarray(np.dstack([rgb_photo, photo]), "CMYK"), "JPEG")
    bodies["jpeg-broken"] = bodies["jpeg"][:60]
    header = b"P7\nWIDTH 7\nHEIGHT 5\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n"
    return bodies | {"pam": header + gradient.tobytes(), "pam-broken": header[:30]}


def _encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _documents() -> dict[str, bytes]:
    pdf = b"%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF"
    return {
        "pdf": pdf + b"\n",  # ends with a line break
        "pdf-even": pdf + b" " * (len(pdf) % 2),
        "pdf-odd": pdf + b" " * (1 - len(pdf) % 2),
        "stl": b"solid x\nendsolid x\n",
        "obj": b"v 0 0 0\n",
        "mtl": b"newmtl x\n",
        "raw32": bytes(range(32)),
        "raw-odd": b"abc",
        "empty": b"",
        "credentials": b"alice:secret:with:colons",
        "wrong-credentials": b"alice:wrong",
        "default-credentials": b"orthanc:orthanc",
    }


def _archives(bodies: dict[str, bytes]) -> dict[str, bytes]:
    boundary = b'--cut\r\nContent-Disposition: form-data; name="f"; filename="x.dcm"\r\nContent-Type: %b\r\n\r\n%b\r\n'
    parts = b"".join(boundary % (b"application/dicom", bodies[name]) for name in ("a1", "a2"))
    tree = {f"{name}.dcm": bodies[name] for name in TREE}
    blank = written(slice_of("P5", "5", "5", 20, EncapsulatedDocument=bytes(50 << 20)))
    return {
        "zip-tree": _zipped(tree),
        "zip-mixed": _zipped({"readme.txt": b"text", "x/a1.dcm": bodies["a1"], "b": bodies["ct"], "empty": b""}),
        "zip-text": _zipped({"readme.txt": b"text"}),
        "zip-empty": _zipped({}),
        "zip-broken": _zipped(tree)[:-30],
        "zip-PK": b"PK\x03\x04 and nothing more",
        "multipart": parts + b"--cut--\r\n",
        "multipart-bad": boundary % (b"text/plain", b"no DICOM") + b"--cut--\r\n",
        "blank-gzip": gzip.compress(blank, mtime=0),
        "zip-blank": _zipped({"blank": blank}),
        "a1-gzip": gzip.compress(bodies["a1"], mtime=0),
        "a1-gzip-twice": gzip.compress(bodies["a1"], mtime=0) * 2,
        "a1-gzip-junk": gzip.compress(bodies["a1"], mtime=0) + b"junk",
        "zip-bzip2": _zipped(tree, zipfile.ZIP_BZIP2),
        "json-gzip": gzip.compress(b'{"Level": "Study", "Query": {}}', mtime=0),
        "a1-zlib": zlib.compress(bodies["a1"]),
    }


def _hostile(bodies: dict[str, bytes]) -> dict[str, bytes]:
    """Return what asks for much more than it sends."""
    pattern = "*a" * 25_001
    find = {"Study": "PatientName", "Instance": "DerivationDescription"}
    content = "data:image/png;base64," + base64.b64encode(bodies["png8"]).decode()
    common = {"Tags": {"ImageComments": "x" * 900_000}, "Content": [content] * 20}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a1"), bodies["a1"], zipfile.ZIP_DEFLATED)
        archive.filelist *= 3
    return {
        "create-common-tags": json.dumps(common).encode(),
        "zip-overlapping": buffer.getvalue(),
        **{
            f"find-long-pattern-{level}": json.dumps({"Level": level, "Query": {tag: pattern}}).encode()
            for level, tag in find.items()
        },
    }


def _zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name), body, method)
    return buffer.getvalue()
