"""Changing the tags of a DICOM data set: what to remove, empty, replace, keep and map to new identifiers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orthanc_lab.dicom.changing.anonymization import Profile
from orthanc_lab.dicom.changing.uid_map import UidMap
from orthanc_lab.dicom.dictionary.dictionary import Dictionary, is_private
from orthanc_lab.dicom.dictionary.tags import (
    ENCAPSULATED_DOCUMENT,
    PATIENT_ID,
    PATIENT_NAME,
    PIXEL_DATA,
    REFERENCED_SOP_INSTANCE_UID,
    SERIES_INSTANCE_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    SPECIFIC_CHARACTER_SET,
    STUDY_INSTANCE_UID,
)
from orthanc_lab.dicom.files.charsets import ASCII, Charset, by_term
from orthanc_lab.dicom.files.data_set import DataSet, Element, Pieces, padded
from orthanc_lab.dicom.files.tag_path import Step, TagPath, follow_steps
from orthanc_lab.dicom.files.text import text_bytes
from orthanc_lab.dicom.files.values import JsonValues, is_written
from orthanc_lab.dicom.making import content
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.transfer_syntaxes import find_transfer_syntax

__all__ = ["IDENTIFIERS", "PATIENT_ID", "PATIENT_NAME", "Modification"]


IDENTIFIERS: dict[int, Level] = {
    PATIENT_ID: Level.PATIENT,
    STUDY_INSTANCE_UID: Level.STUDY,
    SERIES_INSTANCE_UID: Level.SERIES,
    SOP_INSTANCE_UID: Level.INSTANCE,
}
"""The tags that identify a resource of each level."""

_REFERENCED_STUDY = (0x30060010, 0x30060012)
"""ReferencedFrameOfReferenceSequence > RTReferencedStudySequence: the study of a structure set (PS3.3 C.8.8.5)."""


@dataclass(slots=True)
class Modification:
    """The rules of one modification or anonymization.

    A later rule for a tag replaces an earlier one. In an anonymization, the rules of `remove`, `keep`
    and the profile apply inside sequences, too; otherwise they apply to the data set only.
    """

    level: Level  # which resource is made anew: the identifiers from this level down change
    profile: Profile | None = None  # None for a modification
    remove_private: bool = False
    keeps_identifiers: bool = True  # the removal of an identifier is refused
    removed: set[int] = field(default_factory=set)
    cleared: set[int] = field(default_factory=set)
    uids: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    replaced: dict[int, Any] = field(default_factory=dict)  # JSON values
    removed_paths: list[TagPath] = field(default_factory=list)
    kept_paths: list[TagPath] = field(default_factory=list)
    replaced_paths: list[tuple[TagPath, Any]] = field(default_factory=list)

    @classmethod
    def of_profile(cls, profile: Profile) -> Modification:
        """Return the rules of an anonymization before its options."""
        return cls(
            Level.PATIENT,
            profile,
            remove_private=True,
            removed=set(profile.removed),
            cleared=set(profile.cleared),
            uids=set(profile.uids),
        )

    def remove(self, path: TagPath) -> None:
        """Remove an element."""
        if path.steps:
            self.removed_paths.append(path)
        else:
            self._forget(path.tag)
            self.removed.add(path.tag)

    def replace(self, path: TagPath, value: Any) -> None:
        """Set an element to a JSON value, whether it is present or not (in a sequence: in the items present)."""
        if path.steps:
            self.replaced_paths.append((path, value))
        else:
            self._forget(path.tag)
            self.replaced[path.tag] = value

    def keep(self, path: TagPath) -> None:
        """Leave an element as it is."""
        if path.steps:
            self.kept_paths.append(path)
        else:
            self._forget(path.tag)
            self.kept.add(path.tag)

    def _forget(self, tag: int) -> None:
        for tags in (self.removed, self.cleared, self.uids, self.kept):
            tags.discard(tag)
        self.replaced.pop(tag, None)

    def apply(self, data_set: DataSet, uids: UidMap, values: JsonValues) -> DataSet:
        """Return the data set changed by the rules; the one given stays as it is.

        Parameters
        ----------
        uids
            Where new identifiers come from.
        values
            How replacements become elements; their character set is that of the result.

        Raises
        ------
        OrthancError
            8 if the data set would lose one of its main identifiers, 5 or 15 for a replacement that does not
            fit its tag.
        """
        if self.keeps_identifiers and not self.removed.isdisjoint(IDENTIFIERS):
            raise OrthancError(ErrorCode.BAD_REQUEST, "It is forbidden to remove one of the main Dicom identifiers")
        anonymizer = None
        if self.profile is not None:
            anonymizer = _Anonymizer(self, self._with_own(uids, data_set), values.names)
        if anonymizer is None:
            result = {
                tag: element
                for tag, element in data_set.items()
                if tag not in self.removed and not self._is_unwanted_private(tag)
            }
        else:
            result = anonymizer.item(data_set, ())
        self._renew_identifiers(result, uids)
        values = self._set_values(result, values)
        if anonymizer is not None:
            anonymizer.replaced_items(result)
        self._follow_paths(result, values)
        return result

    def spoils_pixels(self, result: DataSet, syntax: str) -> bool:
        """Tell whether pixel data are replaced by an empty text, or are not in the form of their transfer syntax."""
        pixels, row = result.get(PIXEL_DATA), find_transfer_syntax(syntax)
        if pixels is None:
            return False
        is_compressed = isinstance(pixels.value, tuple) and not isinstance(pixels.value, Pieces)
        return self.replaced.get(PIXEL_DATA) == "" or is_compressed != (row is not None and row.encapsulated)

    def _with_own(self, uids: UidMap, data_set: DataSet) -> UidMap:
        """Return the mapping with the identifiers that are replaced: references to them follow."""
        own: dict[tuple[Level, str], str] = {}
        for tag, level in IDENTIFIERS.items():
            if level is Level.PATIENT or tag not in self.replaced:
                continue
            element, new = data_set.get(tag), self.replaced[tag]
            if not isinstance(new, str):
                raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
            if element is not None:
                own[level, _uid_of(element)] = new
        return UidMap(uids.secret, own) if own else uids

    def _is_unwanted_private(self, tag: int) -> bool:
        return self.remove_private and is_private(tag) and tag not in self.kept

    def _renew_identifiers(self, result: DataSet, uids: UidMap) -> None:
        for tag, level in IDENTIFIERS.items():
            if tag in result and level.depth >= self.level.depth and tag not in self.kept and tag not in self.replaced:
                if level is not Level.PATIENT:
                    result[tag] = _new_uids(result[tag], level, uids)
                elif self.profile is not None:
                    result[tag] = _new_patient_id(result[tag], uids)

    def _set_values(self, result: DataSet, values: JsonValues) -> JsonValues:
        """Set the replaced elements of the data set; return how further values become elements."""
        default = values.charset
        if SPECIFIC_CHARACTER_SET in self.replaced:
            values = values.in_charset(charset_of(result, default))
            _put(result, SPECIFIC_CHARACTER_SET, self.replaced[SPECIFIC_CHARACTER_SET], values)
        values = values.in_charset(charset_of(result, default))
        for tag in sorted(self.replaced.keys() - {SPECIFIC_CHARACTER_SET}):
            _put(result, tag, self.replaced[tag], values)
        return values

    def _follow_paths(self, result: DataSet, values: JsonValues) -> None:
        """Remove and set elements inside of sequences."""
        owned: set[int] = set()
        for steps in dict.fromkeys(path.steps for path in (*self.removed_paths, *(p for p, _ in self.replaced_paths))):
            _own_items(result, steps, owned)
        removed: dict[tuple[Step, ...], set[int]] = {}
        for path in self.removed_paths:
            removed.setdefault(path.steps, set()).add(path.tag)
        for steps, tags in removed.items():
            for item in follow_steps(result, steps):
                for tag in item.keys() & tags:
                    del item[tag]
        for path, value in self.replaced_paths:
            element = values.element(path.tag, value)  # which is refused even where there is no such item
            for item in path.parents(result) if is_written(path.tag) else ():
                item[path.tag] = element


def charset_of(data_set: DataSet, default: Charset) -> Charset:
    """Return the character set in which new text is written into a data set."""
    element = data_set.get(SPECIFIC_CHARACTER_SET)
    if element is None or not isinstance(element.value, bytes) or not element.value:
        return default
    terms = element.value.rstrip(b"\0 ").decode("latin-1").split("\\")
    term = next((term for term in terms if term.strip()), "")
    return by_term(term) or (ASCII if term else default)


class _Anonymizer:
    """Applies the rules of an anonymization to a data set and to the items of its sequences."""

    def __init__(self, rules: Modification, uids: UidMap, names: Dictionary) -> None:
        assert rules.profile is not None
        self._rules = rules
        self._profile = rules.profile
        self._uids = uids
        self._names = names

    def item(self, data_set: DataSet, steps: tuple[Step, ...]) -> DataSet:
        """Return what is left of the item to which `steps` lead (of the whole data set for none)."""
        result: DataSet = {}
        for tag, element in data_set.items():
            if self._is_kept(steps, tag):
                result[tag] = element
            elif not self._is_removed(tag, inside=bool(steps)):
                result[tag] = self._changed(tag, element, steps)
        return result

    def replaced_items(self, data_set: DataSet) -> None:
        """Apply the rules to the items of replacing sequences, as Orthanc does."""
        for tag in self._rules.replaced:
            element = data_set.get(tag)
            if element is not None and isinstance(element.value, list):
                data_set[tag] = self._changed(tag, element, ())

    def _is_kept(self, steps: tuple[Step, ...], tag: int) -> bool:
        everywhere = tag == PATIENT_ID or not (tag in IDENTIFIERS or is_private(tag))
        kept = tag in self._rules.kept and (everywhere or not steps)
        return kept or any(path.matches(steps, tag) for path in self._rules.kept_paths)

    def _is_removed(self, tag: int, *, inside: bool) -> bool:
        if tag in self._rules.removed or (is_private(tag) and self._rules.remove_private):
            return True
        if not inside:
            return False
        if tag in self._profile.removed_in_items:
            return tag in self._rules.cleared
        is_curve = tag >> 24 == 0x50 or (tag >> 24 == 0x60 and tag & 0xFFFF == 0x4000)
        return is_curve and self._profile.removes_curves_in_items

    def _changed(self, tag: int, element: Element, steps: tuple[Step, ...]) -> Element:
        if tag in self._rules.cleared:
            entry = self._names.find(tag)
            vr = element.vr if entry is None else entry.vr
            return Element(vr, [] if vr == "SQ" else b"")
        if isinstance(element.value, list):
            items = enumerate(element.value)
            return Element(element.vr, [self.item(item, (*steps, Step(tag, index))) for index, item in items])
        if tag in self._rules.uids:
            return _new_uids(element, _level_of_reference(tag, steps), self._uids)
        if steps and tag in IDENTIFIERS:
            if tag != PATIENT_ID:
                return _new_uids(element, IDENTIFIERS[tag], self._uids)
            if tag not in self._rules.replaced:
                return _new_patient_id(element, self._uids)
        return element


def _level_of_reference(tag: int, steps: tuple[Step, ...]) -> Level:
    """Return what a UID refers to; Orthanc knows one place where it is no instance."""
    is_of_a_study = tag == REFERENCED_SOP_INSTANCE_UID and tuple(step.tag for step in steps) == _REFERENCED_STUDY
    return Level.STUDY if is_of_a_study else Level.INSTANCE


def _put(data_set: DataSet, tag: int, value: Any, values: JsonValues) -> None:
    if tag in (PIXEL_DATA, ENCAPSULATED_DOCUMENT) and content.is_data_uri(value):
        data_set.pop(tag, None)
        content.embed(data_set, value)
        return
    if tag in (SOP_CLASS_UID, SOP_INSTANCE_UID) and not isinstance(value, str):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    element = values.element(tag, value)
    if is_written(tag):
        data_set[tag] = element


def _own_items(data_set: DataSet, steps: tuple[Step, ...], owned: set[int]) -> None:
    """Copy the items on the way to a tag, so that they can be changed without touching the source.

    Parameters
    ----------
    owned
        The lists of items that were copied already, by `id`: they live in the data set.
    """
    current = [data_set]
    for step in steps:
        following: list[DataSet] = []
        for parent in current:
            element = parent.get(step.tag)
            if element is None or not isinstance(element.value, list):
                continue
            items = element.value
            if id(items) not in owned:
                items = [dict(item) for item in items]
                parent[step.tag] = Element(element.vr, items)
                owned.add(id(items))
            following += items if step.item is None else items[step.item : step.item + 1]
        current = following


def _uid_of(element: Element) -> str:
    return element.value.rstrip(b"\0 ").decode("latin-1") if isinstance(element.value, bytes) else ""


def _new_uids(element: Element, level: Level, uids: UidMap) -> Element:
    if not isinstance(element.value, bytes):
        return element
    new = uids.uid(level, _uid_of(element))
    return Element(element.vr, padded(new.encode("ascii"), b"\0" if element.vr == "UI" else b" "))


def _new_patient_id(element: Element, uids: UidMap) -> Element:
    if not isinstance(element.value, bytes):
        return element
    old = text_bytes(element.value).decode("latin-1")
    return Element(element.vr, padded(uids.patient_id(old.strip()).encode("ascii"), b" "))
