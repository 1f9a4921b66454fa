"""Recordings full of identifiers: in each place where a patient, a place or a person may be named."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import random
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, PngImagePlugin
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from orthanc_lab.testing import capsule
from orthanc_lab.testing.recordings import BytesBody, RecordedExchange

FIELDS = Path(capsule.__path__[0], "known_words.txt").read_text("utf-8").split()
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXT_TAGS = (
    "PatientName",
    "PatientID",
    "AccessionNumber",
    "InstitutionName",
    "ReferringPhysicianName",
    "OperatorsName",
)
CODED_TAGS = (
    "Modality",
    "ImageType",
    "BodyPartExamined",
    "PatientSex",
    "PatientPosition",
    "ConversionType",
    "RescaleType",
)
FREE_TAGS = ("PatientComments", "AdditionalPatientHistory", "ImageComments", "InstitutionAddress", "TextValue")
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


class Plants:
    """Makes identifiers, and remembers what must not be found: twelve letters or digits of each."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.secrets: list[str] = []
        self.dates: list[str] = []

    def date(self) -> str:
        self.dates.append(
            f"{self._random.randrange(1920, 2026)}{self._random.randrange(1, 13):02}{self._random.randrange(1, 29):02}"
        )
        return self.dates[-1]

    def letters(self) -> str:
        return self._plant("".join(self._random.choices(LETTERS, k=12)))

    def word(self) -> str:
        """A text of one of several shapes."""
        return self._random.choice((self.upper, self.name, self.number, self.mixed, self.mail))()

    def upper(self) -> str:
        return self.letters().upper()

    def mixed(self) -> str:
        return self._plant("".join(self._random.choices(LETTERS + "0123456789", k=11)) + "q")

    def number(self) -> str:
        return self._plant(str(self._random.randrange(10**11, 10**12)))

    def name(self) -> str:
        return f"{self.letters().title()}^{self.letters().title()}"

    def umlauts(self) -> str:
        return self._plant("ü" + "".join(self._random.choices(LETTERS + "äöß", k=11)))

    def mail(self) -> str:
        return f"{self.letters()}@{self.letters()}.example"

    def uid(self) -> str:
        return f"1.2.840.{self.number()}.3.{self._random.randrange(10**6)}"

    def sentence(self) -> str:
        return f"Seen by Dr. {self.letters().title()} on {self.date()}; call {self.number()}, ward {self.mixed()}."

    def _plant(self, secret: str) -> str:
        self.secrets.append(secret)
        return secret


def data_set(plants: Plants, depth: int = 0) -> Dataset:
    """A data set with identifiers in values of all kinds, private ones and nested ones too."""
    found = Dataset()
    for name in TEXT_TAGS:
        setattr(found, name, plants.word()[:60])
    for name in CODED_TAGS:
        setattr(found, name, plants.upper())
    for name in FREE_TAGS:
        setattr(found, name, plants.sentence())
    found.PatientBirthName = plants.umlauts()
    found.PatientBirthDate, found.StudyDate = plants.date(), plants.date()
    found.AcquisitionDateTime = f"{plants.date()}101112.123+0100"
    found.StationName = plants.upper()
    found.RetrieveAETitle = plants.upper()
    found.RetrieveURL = f"http://{plants.letters()}.example/{plants.mixed()}?id={plants.number()}"
    found.InstanceNumber = plants.number()
    found.SeriesNumber = plants.number()
    found.SliceThickness = plants.number()
    found.ImagePositionPatient = [plants.number()] * 3
    found.FrameOfReferenceUID = plants.uid()
    found.add_new(0x00081140, "SQ", Sequence([data_set(plants, depth + 1)] if depth < 2 else []))
    block = found.private_block(0x0029, plants.upper(), create=True)
    block.add_new(0x01, "LO", plants.word()[:60])
    block.add_new(0x02, "UN", plants.mixed().encode())
    block.add_new(0x03, "OB", plants.sentence().encode() + b".")
    block.add_new(0x04, "UT", plants.sentence())
    block.add_new(0x05, "SQ", Sequence([Dataset()]))
    block[0x05].value[0].PatientName = plants.name()
    known = found.private_block(0x0009, "GEMS_IDEN_01", create=True)
    known.add_new(0x01, "LO", plants.word()[:60])
    found.add_new(0x60003000, "OW", plants.mixed().encode())
    found.add_new(0x00281201, "OW", plants.mixed().encode() * 2)
    found.RedPaletteColorLookupTableDescriptor = [256, 0, 16]
    return found


def dicom(plants: Plants, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A DICOM file."""
    with pydicom.config.disable_value_validation():
        return _dicom(plants, syntax)


def _dicom(plants: Plants, syntax: str) -> bytes:
    found = FileDataset(
        "", data_set(plants), file_meta=FileMetaDataset(), preamble=plants.letters().encode().ljust(128)
    )
    found.SpecificCharacterSet = "ISO_IR 100" if syntax == ExplicitVRLittleEndian else "ISO_IR 192"
    found.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    found.SOPInstanceUID, found.StudyInstanceUID, found.SeriesInstanceUID = (plants.uid() for _ in range(3))
    found.Rows = found.Columns = 4
    found.BitsAllocated = found.BitsStored = 8
    found.HighBit, found.PixelRepresentation, found.SamplesPerPixel = 7, 0, 1
    found.PhotometricInterpretation = "MONOCHROME2"
    pixels = (plants.letters() + "...." + plants.letters()).encode()
    compressed = syntax == JPEGBaseline8Bit
    found.PixelData = pydicom.encaps.encapsulate([pixels]) if compressed else pixels
    found["PixelData"].VR = "OB"
    meta = found.file_meta
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = found.SOPClassUID
    meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    meta.ImplementationVersionName = plants.upper()
    meta.ImplementationClassUID = plants.uid()
    meta.SourceApplicationEntityTitle = plants.upper()
    meta.PrivateInformationCreatorUID = plants.uid()
    meta.PrivateInformation = plants.mixed().encode()
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, found, enforce_file_format=True)
    return buffer.getvalue()


def every_tag(plants: Plants, step: int) -> bytes:
    """A DICOM file with an identifier in the tags of the standard, each by its VR or as bytes."""
    out = [bytes(128), b"DICM", struct.pack("<HH2sH", 2, 0x10, b"UI", 20), b"1.2.840.10008.1.2.1\0"]
    for tag in sorted(tag for tag in DicomDictionary if tag >> 16 > 7 and tag < 0x7FE00010)[::step]:
        vr = DicomDictionary[tag][0][:2]
        if vr == "SQ":
            continue
        value = {"UI": plants.uid, "DA": plants.date, "IS": plants.number, "DS": plants.number}.get(vr, plants.upper)()
        content = value.encode() + b" " * (len(value) % 2)
        head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
        long = vr in ("OB", "OD", "OF", "OL", "OV", "OW", "SV", "UC", "UN", "UR", "UT", "UV")
        out += [head, struct.pack("<HI", 0, len(content)) if long else struct.pack("<H", len(content)), content]
    return b"".join(out)


def every_field(plants: Plants, step: int) -> bytes:
    """A JSON document with an identifier in the fields of Orthanc and of DICOM: as text, number, list, object."""
    names = sorted({*FIELDS, *(entry[4] for entry in DicomDictionary.values() if entry[4])})[::step]
    number = [name for name in names if not name.endswith("Size")]
    return json.dumps(
        [
            {name: plants.upper() for name in names},
            {name: int(plants.number()) for name in number},
            {name: plants.number() for name in names},
            {name: [plants.word()] for name in names[::7]},
            {name: {"Value": plants.word(), "Name": plants.word()} for name in names[::7]},
        ]
    ).encode()


def documents(plants: Plants) -> Iterator[tuple[str, bytes]]:
    """JSON documents: of Orthanc's kinds, of others, broken ones."""
    word = plants.word
    job = {
        "ID": plants.mixed(),
        "Type": word(),
        "State": word(),
        "Content": {"Description": plants.sentence(), "LocalAet": word(), "Peer": [f"http://{word()}/", word()]},
        "ErrorDetails": plants.sentence(),
        "ErrorDescription": plants.sentence(),
        "Progress": int(plants.number()),
        word(): word(),
    }
    error = {"Details": plants.sentence(), "Message": plants.sentence(), "Uri": f"/studies/{word()}", "Method": word()}
    full = {
        "0010,0010": {"Name": word(), "Type": word(), "Value": plants.name()},
        "0029,1001": {"Name": word(), "Type": "String", "Value": word(), "PrivateCreator": word()},
        "0040,0275": {"Type": "Sequence", "Value": [{"0040,0007": {"Value": plants.sentence()}}]},
        "0020,0013": {"Value": int(plants.number())},
    }
    web = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": plants.name()}]},
        "00281010": {"vr": word(), "Value": [word()]},
    }
    text = {
        "Url": f"https://{word()}:{word()}@{plants.letters()}.example/a",
        "State": word(),
        "Labels": [word(), word()],
        "LastUpdate": f"{plants.date()}T010203",
        "PatientBirthDate": f"{plants.date()}-{plants.date()}",
        "Metadata": {word(): word(), "1024": word()},
        "Query": {"PatientName": f"*{plants.letters()}?", "StudyDate": f"-{word()}"},
        "Deep": [[[{"a": [plants.sentence()]}]]],
        "data": f"data:{word()};base64,{base64.b64encode(plants.sentence().encode()).decode()}",
        "Content": f"data:application/dicom;base64,{base64.b64encode(dicom(plants)).decode()}",
        "more": base64.b64encode(json.dumps({word(): plants.sentence()}).encode() * 2).decode(),
        "Long": plants.sentence() * 30,
    }
    for value in (job, error, full, web, text):
        yield "application/json", json.dumps(value, indent=3, ensure_ascii=False).encode()
    yield "application/json", json.dumps([word(), {"x": plants.umlauts()}]).encode()
    yield "application/json", f'{{"a": "{word()}", {word()}: "{word()}"'.encode()
    yield "application/json", f'{{"{word()}": "\\q{word()}", "{plants.letters()}'.encode()
    yield "text/plain", f'"{plants.letters()}"'.encode()


def archives(plants: Plants) -> Iterator[tuple[str, bytes]]:
    """Bodies that hold others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{plants.word()}/{plants.word()} {plants.word()}/CT000000.dcm", dicom(plants))
        archive.writestr("IMAGES/IM0", dicom(plants, ImplicitVRLittleEndian))
        archive.writestr(f"{plants.letters()}.txt", plants.sentence())
        archive.writestr("DICOMDIR", dicom(plants))
        archive.comment = plants.letters().encode()
    yield "application/zip", buffer.getvalue()
    yield "application/zip", buffer.getvalue()[:-40]
    yield "application/gzip", gzip.compress(plants.sentence().encode())
    yield "application/gzip", gzip.compress(dicom(plants))[:-9]
    boundary = plants.letters()
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="{plants.word()}"; filename="{plants.word()}.dcm"\r\n'
    part += f"Content-Type: application/{plants.letters()}\r\nX-Name: {plants.word()}\r\n\r\n"
    body = part.encode() + dicom(plants) + f"\r\n--{boundary}--\r\n{plants.sentence()}".encode()
    yield f"multipart/form-data; boundary={boundary}", plants.sentence().encode() + b"\r\n" + body
    yield f"multipart/related; type={plants.letters()}; boundary={plants.letters()}", plants.sentence().encode()


def others(plants: Plants) -> Iterator[tuple[str, bytes]]:
    """Texts, pages, pictures, and what is none of it."""
    yield "text/plain", plants.sentence().encode()
    yield (
        "text/plain; version=0.0.4",
        f"orthanc_{plants.letters()} 1 2\n{plants.letters()} {plants.number()}\n".encode(),
    )
    yield "text/html", f"<html><body>{plants.sentence()}<img src='{plants.word()}'></body></html>".encode()
    yield (
        "text/xml",
        f'<D:href xmlns:D="DAV:">/{plants.word()}/</D:href><{plants.letters()} a="{plants.word()}"/>'.encode(),
    )
    yield "application/octet-stream", plants.sentence().encode("utf-16-le")
    yield "application/octet-stream", plants.umlauts().encode("latin-1")
    yield "application/octet-stream", zlib.compress(plants.sentence().encode())
    yield "application/pdf", b"%PDF-1.4 " + plants.sentence().encode()
    yield f"application/{plants.letters()}", b"\x93NUMPY\1\0" + plants.sentence().encode()
    pixels = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    buffer = io.BytesIO()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", plants.sentence())
    pixels.save(buffer, "PNG", pnginfo=text)
    yield "image/png", buffer.getvalue() + plants.sentence().encode()
    buffer = io.BytesIO()
    pixels.save(buffer, "JPEG", comment=plants.sentence())
    yield "image/jpeg", buffer.getvalue()
    yield "image/jpeg", b"\xff\xd8\xff" + plants.sentence().encode()
    yield "image/x-portable-arbitrarymap", f"P7\nWIDTH 2\nCOMMENT {plants.upper()}\nENDHDR\n".encode()
    whole = dicom(plants)
    yield "application/dicom", whole[: len(whole) // 2]
    yield "application/dicom", whole + struct.pack("<HH2sH", 0xFFFC, 0xFFFC, b"ZZ", 12) + plants.letters().encode()
    yield "application/dicom", whole[132:]
    yield "application/dicom", bytes(128) + b"DICM" + plants.sentence().encode()


def bodies(plants: Plants) -> Iterator[tuple[str, bytes]]:
    for syntax in (*SYNTAXES, JPEGBaseline8Bit):
        yield "application/dicom", dicom(plants, syntax)
    for part in (documents, archives, others):
        yield from part(plants)


def target(plants: Plants, number: int) -> str:
    word, letters = plants.word, plants.letters
    made = (
        lambda: f"/studies/{letters()}/{word()}?{letters()}={word()}",
        lambda: f"/modalities/{urllib.parse.quote(plants.umlauts())}/store",
        lambda: f"/instances/{plants.uid()}/content/0010-0010/0/{word()}",
        lambda: f"/tools/lookup?name={urllib.parse.quote(plants.sentence())}",
        lambda: f"/webdav/{urllib.parse.quote(plants.name())}/{letters()}.dcm?since={plants.number()}",
        lambda: f"/changes?last={letters()}&type={word()};{word()}#{word()}",
        lambda: f"//{word()}%2F{word()}%00%ff{letters()}",
    )
    return made[number % len(made)]()


def headers(plants: Plants) -> tuple[tuple[str, str], ...]:
    word = plants.word
    return (
        ("user-agent", f"{plants.letters()}/1.0"),
        ("accept", f"application/{plants.letters()}; q={word()}, image/png; x={word()}"),
        ("content-disposition", f'attachment; filename="{word()} {word()}.zip"'),
        ("etag", f'"{plants.mixed()}"'),
        ("location", f"http://{plants.letters()}/studies/{word()}"),
        ("www-authenticate", f'Basic realm="{plants.letters()}"'),
        ("date", word()),
        ("server", word()),
        (f"x-{plants.letters()}", word()),
        ("content-range", word()),
        ("allow", f"GET,{word()}"),
    )


def exchanges(plants: Plants, most: int) -> Iterator[RecordedExchange]:
    """Yield exchanges until so many identifiers are planted."""
    number = 0
    while len(plants.secrets) < most:
        for content_type, body in bodies(plants):
            own = (("content-type", content_type), *headers(plants))
            number += 1
            is_request = number % 3 == 0
            yield RecordedExchange(
                method="POST" if is_request else plants.letters().upper() if number % 50 == 1 else "GET",
                target=target(plants, number),
                headers=own if is_request else headers(plants),
                body=BytesBody(body) if is_request else None,
                status=200,
                answer_headers=headers(plants) if is_request else own,
                answer=None if is_request else BytesBody(body),
            )


def hashes(exchange: RecordedExchange) -> list[str]:
    """Return checksums of the bodies, which could be compared with those of the original files."""
    known: list[Callable[[bytes], hashlib._Hash]] = [hashlib.md5, hashlib.sha256]
    found = [body.read() for body in (exchange.body, exchange.answer) if body is not None]
    return [kind(content).hexdigest() for content in found for kind in known]
