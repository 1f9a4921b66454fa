"""The body of a call to modify or anonymize, and the rules it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.changing.anonymization import DEFAULT_VERSION, profile_of
from orthanc_lab.dicom.changing.modification import IDENTIFIERS, PATIENT_NAME, Modification
from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.tags import DEIDENTIFICATION_METHOD, PATIENT_IDENTITY_REMOVED
from orthanc_lab.dicom.files.tag_path import TagPath, parse_path
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level

__all__ = ["SOFTWARE", "ModificationRequest", "boolean_member", "string_member"]

SOFTWARE = "Orthanc 1.12.7"
"""What signs an anonymization, in DeidentificationMethod (0012,0063)."""


@dataclass(frozen=True, slots=True)
class ModificationRequest:
    """What a client asked for; checked when the rules are made."""

    body: Mapping[str, Any]
    anonymization: bool = False
    level: Level | None = None  # of the resource in the URI; None: the identifiers that are replaced tell
    patient_name: str = ""  # of the anonymized, unless the body gives one

    @property
    def private_creator(self) -> str | None:
        """The creator of private tags; None for the one of the configuration."""
        return string_member(self.body, "PrivateCreator")

    def rules(self, names: Dictionary) -> Modification:
        """Return the rules of the request.

        Raises
        ------
        OrthancError
            8 for a wrong type or a missing ``Force``, 15 for a wrong boolean, 3 for a wrong version
            or path, 27 for an unknown tag.
        """
        boolean_member(self.body, "Force")  # it is looked at first
        if self.anonymization:
            return self._anonymization(names)
        rules = Modification(self.level or Level.INSTANCE)
        rules.remove_private = boolean_member(self.body, "RemovePrivateTags")
        self._apply_fields(rules, names)
        if self.level is None:
            rules.level = _deduced_level(rules)
        return rules

    def _anonymization(self, names: Dictionary) -> Modification:
        version = self.body.get("DicomVersion", DEFAULT_VERSION)
        if not isinstance(version, str):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
        profile = profile_of(version)
        rules = Modification.of_profile(profile)
        rules.replace(TagPath((), PATIENT_NAME), self.patient_name)
        rules.replace(TagPath((), PATIENT_IDENTITY_REMOVED), "YES")
        own_method = SOFTWARE + profile.method
        rules.replace(TagPath((), DEIDENTIFICATION_METHOD), own_method)
        if boolean_member(self.body, "KeepPrivateTags"):
            rules.remove_private = False
        deviates = self._apply_fields(rules, names) or not rules.remove_private
        if deviates and rules.replaced.get(DEIDENTIFICATION_METHOD) == own_method:
            rules.replaced[DEIDENTIFICATION_METHOD] = SOFTWARE
        return rules

    def _apply_fields(self, rules: Modification, names: Dictionary) -> bool:
        """Add ``Remove``, ``Replace`` and ``Keep``, a later one before an earlier; tell whether there are any."""
        force = boolean_member(self.body, "Force")
        boolean_member(self.body, "KeepLabels")
        deviates = False

        def path_of(text: str, what: str) -> TagPath:
            nonlocal deviates
            deviates = True
            path = parse_path(text, names)
            _check(path, text, what, force)
            return path

        for text in _texts(self.body, "Remove"):
            rules.remove(path_of(text, "removed"))
        for text, value in _object(self.body, "Replace"):
            rules.replace(path_of(text, "replaced"), value)
        for text in _texts(self.body, "Keep"):
            rules.keep(path_of(text, "kept"))
        string_member(self.body, "PrivateCreator")
        return deviates

    def encode(self) -> dict[str, Any]:
        """Return the request as JSON values."""
        return {
            "body": dict(self.body),
            "anonymization": self.anonymization,
            "level": self.level.value if self.level else None,
            "patient_name": self.patient_name,
        }

    @classmethod
    def decode(cls, saved: Mapping[str, Any]) -> ModificationRequest:
        """Read back what `encode` returned."""
        level = Level(saved["level"]) if saved["level"] else None
        return cls(saved["body"], saved["anonymization"], level, saved["patient_name"])


def boolean_member(body: Mapping[str, Any], name: str) -> bool:
    """Return a boolean of the body, False if it is absent.

    Raises
    ------
    OrthancError
        15 ``Member "X" should be a Boolean value``.
    """
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f'Member "{name}" should be a Boolean value')
    return value


def string_member(body: Mapping[str, Any], name: str) -> str | None:
    """Return a text of the body, None if it is absent.

    Raises
    ------
    OrthancError
        15 ``String value expected in field: X``.
    """
    value = body.get(name)
    if name in body and not isinstance(value, str):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"String value expected in field: {name}")
    return value


def _check(path: TagPath, text: str, what: str, force: bool) -> None:
    if not path.steps and path.tag in IDENTIFIERS and not force:
        message = f'Marking tag "{text}" as to be {what} requires the "Force" option to be set to true'
        raise OrthancError(ErrorCode.BAD_REQUEST, message)


def _texts(body: Mapping[str, Any], name: str) -> Iterator[str]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise OrthancError(ErrorCode.BAD_REQUEST)
    for item in value:  # what comes before a wrong one is looked at first
        if not isinstance(item, str):
            raise OrthancError(ErrorCode.BAD_REQUEST)
        yield item


def _object(body: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    value = body.get(name, {})
    if not isinstance(value, dict):
        raise OrthancError(ErrorCode.BAD_REQUEST)
    return sorted(value.items())


def _deduced_level(rules: Modification) -> Level:
    levels = [level for tag, level in IDENTIFIERS.items() if tag in rules.replaced]
    return min(levels, key=lambda level: level.depth, default=Level.INSTANCE)
