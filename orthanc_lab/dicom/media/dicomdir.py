"""Writing a DICOMDIR (PS3.3 annex F, PS3.10 section 8): patients, studies, series and their files.

The directory grows file by file in linear time, and is encoded once, when all offsets are known.

A record keeps the character set of its file. Where several of them have letters beyond ASCII, those records are
converted to UTF-8, and the directory names the one that is left: tools that write the whole directory as XML or
JSON have only one.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.dictionary.vrs import TEXT_VRS_OF_CHARSET
from orthanc_lab.dicom.files.charsets import by_term
from orthanc_lab.dicom.files.code_extensions import unicode_of
from orthanc_lab.dicom.files.data_set import DataSet, Element, encode, encode_file, padded
from orthanc_lab.dicom.media.dicomdir_entry import DirectoryEntry
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE

__all__ = ["DicomDirectory"]

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
FILE_SET_ID = "ORTHANC_MEDIA"

_ITEM = struct.Struct("<HHI")
_LINKS = struct.Struct("<HH2sHI HH2sHH HH2sHI")  # next record, in use, lower level
_ROOTS = (
    tags.OFFSET_OF_THE_FIRST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY,
    tags.OFFSET_OF_THE_LAST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY,
)

_STUDY_DATES = (tags.STUDY_DATE, tags.SERIES_DATE, tags.ACQUISITION_DATE, tags.CONTENT_DATE)
_STUDY_TIMES = (tags.STUDY_TIME, tags.SERIES_TIME, tags.ACQUISITION_TIME, tags.CONTENT_TIME)


_UTF8 = b"ISO_IR 192"
_PLAIN = re.compile(rb"[\x00-\x1a\x1c-\x7f]*")


@dataclass(slots=True)
class _Record:
    content: bytes  # encoded, without the links to other records
    below: dict[bytes, _Record] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return _ITEM.size + _LINKS.size + len(self.content)


class DicomDirectory:
    """The directory of a file-set.

    Parameters
    ----------
    extended
        Adds SeriesDescription to the records of series.
    now
        Date and time of a study that has none, in local time.
    """

    def __init__(self, *, extended: bool, now: datetime) -> None:
        self._extended = extended
        self._date = now.strftime("%Y%m%d").encode()
        self._time = now.strftime("%H%M%S.000000").encode()
        self._patients: dict[bytes, _Record] = {}
        self._beyond_ascii: list[tuple[_Record, DataSet]] = []

    def add(self, file_id: Sequence[str], entry: DirectoryEntry) -> None:
        r"""Add a file; `file_id` as in ``("IMAGES", "IM0")``. A second file of an instance is not listed."""
        patients = self._patients
        study_uid, series_uid = entry.get(tags.STUDY_INSTANCE_UID), entry.get(tags.SERIES_INSTANCE_UID)
        patient = patients.get(entry.get(tags.PATIENT_ID))
        if patient is None:
            patient = patients[entry.get(tags.PATIENT_ID)] = self._patient(entry)
        study = patient.below.get(study_uid)
        if study is None:
            study = patient.below[study_uid] = self._study(entry)
        series = study.below.get(series_uid)
        if series is None:
            series = study.below[series_uid] = self._series(entry)
        uid = entry.get(tags.SOP_INSTANCE_UID)
        if uid not in series.below:
            series.below[uid] = self._image("\\".join(file_id).encode("ascii"), entry)

    def encode(self, sop_instance_uid: str) -> bytes:
        """Return the DICOMDIR file."""
        charset = self._unify_charsets()
        before = self._file(sop_instance_uid, b"", 0, 0)
        records, first, last = _encode_records(self._patients, len(before))
        return self._file(sop_instance_uid, records, first, last, charset)

    def _unify_charsets(self) -> bytes:
        """Leave one character set for all text beyond ASCII; return it, empty if there is no such text."""
        charsets = {_bytes_of(data_set, tags.SPECIFIC_CHARACTER_SET) for _, data_set in self._beyond_ascii}
        if len(charsets) == 1 and by_term((charset := next(iter(charsets))).decode("latin-1")) is not None:
            return charset
        for record, data_set in self._beyond_ascii:
            record.content = b"".join(encode(_in_utf8(data_set)))
        return _UTF8 if charsets else b""

    def _file(self, uid: str, records: bytes, first: int, last: int, charset: bytes = b"") -> bytes:
        roots = {
            tag: Element("UL", struct.pack("<I", offset)) for tag, offset in zip(_ROOTS, (first, last), strict=True)
        }
        data_set: DataSet = {
            tags.FILE_SET_ID: Element("CS", padded(FILE_SET_ID.encode(), b" ")),
            **roots,
            tags.FILE_SET_CONSISTENCY_FLAG: Element("US", b"\0\0"),
            tags.DIRECTORY_RECORD_SEQUENCE: Element("SQ", records),
        }
        if charset:
            data_set[tags.SPECIFIC_CHARACTER_SET] = _element("CS", charset)
        return encode_file(data_set, EXPLICIT_LE, MEDIA_STORAGE_DIRECTORY, uid)

    def _patient(self, entry: DirectoryEntry) -> _Record:
        return self._record("PATIENT", entry, always=((tags.PATIENT_NAME, "PN"),), if_filled=((tags.PATIENT_ID, "LO"),))

    def _study(self, entry: DirectoryEntry) -> _Record:
        date = _first(entry, _STUDY_DATES, self._date)
        time = _first(entry, _STUDY_TIMES, self._time)
        more: DataSet = {tags.STUDY_DATE: _element("DA", date), tags.STUDY_TIME: _element("TM", time)}
        always = ((tags.ACCESSION_NUMBER, "SH"), (tags.STUDY_DESCRIPTION, "LO"), (tags.STUDY_INSTANCE_UID, "UI"))
        return self._record("STUDY", entry, always=always, if_filled=((tags.STUDY_ID, "SH"),), more=more)

    def _series(self, entry: DirectoryEntry) -> _Record:
        described = self._extended and tags.SERIES_DESCRIPTION in entry.values
        always = (
            (tags.MODALITY, "CS"),
            (tags.SERIES_INSTANCE_UID, "UI"),
            *(((tags.SERIES_DESCRIPTION, "LO"),) if described else ()),
        )
        return self._record("SERIES", entry, always=always, if_filled=((tags.SERIES_NUMBER, "IS"),))

    def _image(self, name: bytes, entry: DirectoryEntry) -> _Record:
        more: DataSet = {
            tags.REFERENCED_FILE_ID: _element("CS", name),
            tags.REFERENCED_SOP_CLASS_UID_IN_FILE: _element("UI", entry.get(tags.SOP_CLASS_UID)),
            tags.REFERENCED_SOP_INSTANCE_UID_IN_FILE: _element("UI", entry.get(tags.SOP_INSTANCE_UID)),
            tags.REFERENCED_TRANSFER_SYNTAX_UID_IN_FILE: _element("UI", entry.transfer_syntax),
        }
        return self._record("IMAGE", entry, always=((tags.INSTANCE_NUMBER, "IS"),), more=more)

    def _record(
        self,
        kind: str,
        entry: DirectoryEntry,
        *,
        always: Iterable[tuple[int, str]],
        if_filled: Iterable[tuple[int, str]] = (),
        more: DataSet | None = None,
    ) -> _Record:
        data_set: DataSet = {tags.DIRECTORY_RECORD_TYPE: _element("CS", kind.encode()), **(more or {})}
        if entry.get(tags.SPECIFIC_CHARACTER_SET):
            data_set[tags.SPECIFIC_CHARACTER_SET] = _element("CS", entry.get(tags.SPECIFIC_CHARACTER_SET))
        for tag, vr in always:
            data_set[tag] = _element(vr, entry.get(tag))
        for tag, vr in if_filled:
            if entry.get(tag):
                data_set[tag] = _element(vr, entry.get(tag))
        record = _Record(b"".join(encode(data_set)))
        if any(not _PLAIN.fullmatch(_bytes_of(data_set, tag)) for tag in data_set):
            self._beyond_ascii.append((record, data_set))
        return record


def _first(entry: DirectoryEntry, candidates: Iterable[int], default: bytes) -> bytes:
    """Return the value of the first tag that is present, even if it is empty."""
    return next((entry.values[tag] for tag in candidates if tag in entry.values), default)


def _bytes_of(data_set: DataSet, tag: int) -> bytes:
    element = data_set.get(tag)
    return element.value.rstrip(b" \0") if element is not None and isinstance(element.value, bytes) else b""


def _in_utf8(data_set: DataSet) -> DataSet:
    terms = _bytes_of(data_set, tags.SPECIFIC_CHARACTER_SET)
    found = dict(data_set)
    for tag, element in data_set.items():
        if element.vr in TEXT_VRS_OF_CHARSET:
            found[tag] = _element(element.vr, unicode_of(_bytes_of(data_set, tag), terms).encode())
    found[tags.SPECIFIC_CHARACTER_SET] = _element("CS", _UTF8)
    return found


def _element(vr: str, value: bytes) -> Element:
    return Element(vr, padded(value, b"\0" if vr == "UI" else b" "))


def _encode_records(patients: dict[bytes, _Record], start: int) -> tuple[bytes, int, int]:
    """Return the records depth first, and the offsets of the first and the last one at the root."""
    parts: list[bytes] = []
    roots: list[int] = []
    _encode_level(list(patients.values()), start, parts, roots)
    return b"".join(parts), (roots[0] if roots else 0), (roots[-1] if roots else 0)


def _encode_level(records: Sequence[_Record], offset: int, parts: list[bytes], starts: list[int]) -> int:
    """Append the records of one level with all below them; return the offset behind them."""
    for position, record in enumerate(records):
        starts.append(offset)
        head = len(parts)
        parts.append(b"")
        below = offset + record.size
        end = _encode_level(list(record.below.values()), below, parts, []) if record.below else below
        following = end if position + 1 < len(records) else 0
        parts[head] = b"".join(_head(record, following, below if record.below else 0))
        offset = end
    return offset


def _head(record: _Record, following: int, below: int) -> Iterator[bytes]:
    yield _ITEM.pack(0xFFFE, 0xE000, record.size - _ITEM.size)
    yield _LINKS.pack(
        *(0x0004, 0x1400, b"UL", 4, following), *(0x0004, 0x1410, b"US", 2, 0xFFFF), *(0x0004, 0x1420, b"UL", 4, below)
    )
    yield record.content
