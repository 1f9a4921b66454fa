"""The change that a user wants to make to studies, and what speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydicom.datadict import tag_for_keyword

from orthanc_lab.client import Client, Job, Patient, Resource, Series, Study
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.dicomize.keywords import find
from orthanc_lab.widgets.modify.module_tags import MODULE_TAGS, STUDY_UID, tag_number

__all__ = ["MOST", "Action", "ChangeRequest", "still_there", "tag_names"]

Action = Literal["anonymize", "modify", "split", "merge"]

MOST = 50  # resources at once: each is a job of its own

_IDENTIFIERS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_OF_UIDS = {"StudyInstanceUID": Level.STUDY, "SeriesInstanceUID": Level.SERIES, "SOPInstanceUID": Level.INSTANCE}
_WORDS = re.compile(r"\(?[0-9A-Fa-f]{4}[,-]?[0-9A-Fa-f]{4}\)?(?![^\s,;])|[^\s,;]+")
_NUMBER = re.compile(r"\(?([0-9a-f]{4})[,-]?([0-9a-f]{4})\)?", re.IGNORECASE)


def tag_names(text: str) -> tuple[str, ...]:
    """Return the keywords and numbers in a list of tags that a user typed.

    Raises
    ------
    ValueError
        If a word is neither.

    Examples
    --------
    >>> tag_names("PatientBirthDate, 0019-1001 patientsex")
    ('PatientBirthDate', '0019,1001', 'PatientSex')
    """
    return tuple(dict.fromkeys(map(_tag_name, _WORDS.findall(text))))


def _tag_name(word: str) -> str:
    if number := _NUMBER.fullmatch(word):
        return f"{number[1]},{number[2]}".lower()
    return word if tag_for_keyword(word) is not None else find(word).key


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """Anonymize, modify, split or merge, with its settings.

    Examples
    --------
    >>> request = ChangeRequest("modify", replace={"StudyDescription": "Checked"})
    >>> request.fields
    {'Replace': {'StudyDescription': 'Checked'}, 'KeepSource': True}
    >>> request.problem(client.studies.find())
    ''
    """

    action: Action
    replace: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    private: bool = False  # anonymize: keep private tags; modify: remove them
    keep_source: bool = True
    force: bool = False
    target: str = ""  # merge: id of the study that takes in the others

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the request to the server, without those that change nothing."""
        found: dict[str, Any] = {}
        if self.action != "merge":
            found = {"Replace": dict(self.replace), "Remove": list(self.remove)}
        if self.action in ("anonymize", "modify"):
            private = "KeepPrivateTags" if self.action == "anonymize" else "RemovePrivateTags"
            found |= {"Keep": list(self.keep), private: self.private, "Force": self.force}
        return {name: value for name, value in found.items() if value} | {"KeepSource": self.keep_source}

    def spread(self, resources: Sequence[Resource]) -> list[Resource]:
        """Return the resources to change: the studies of a patient, where a patient cannot be changed as a whole.

        Orthanc modifies a patient only into another one, with another PatientID; and it merges studies and series.
        """
        whole = self.action == "anonymize" or (self.action == "modify" and "PatientID" in self.replace)
        if whole or self.action == "split":
            return list(resources)
        return [one for each in resources for one in (each.studies if isinstance(each, Patient) else [each])]

    def problem(self, resources: Sequence[Resource]) -> str:
        """Return why this cannot be done with these resources, "" if nothing is known against it."""
        if not resources:
            return "Check something in the tree first."
        if len(resources) > MOST:
            return f"Each resource is a job of its own; {MOST} at most are started at once. Check fewer."
        check = {"split": self._of_split, "merge": self._of_merge}.get(self.action, self._of_copies)
        return check(resources)

    def _of_copies(self, resources: Sequence[Resource]) -> str:
        own = [name for name in _IDENTIFIERS if name in self.replace or name in self.keep]
        if own and not self.force:
            return f"{' and '.join(own)}: Orthanc makes up a new value by itself; check Force to set or keep it."
        if self.action == "modify" and not (self.replace or self.remove or self.private):
            return "Nothing would change: add a tag to replace or remove."
        return ""

    def _of_split(self, resources: Sequence[Resource]) -> str:
        if not all(isinstance(one, Series) for one in resources):
            return "Check the series that become a study of their own; their study keeps the others."
        if len({_study_of(one) for one in resources}) > 1:
            return "Check series of one study only."
        for name in (*self.replace, *self.remove):
            if tag_number(name) not in MODULE_TAGS - {STUDY_UID}:
                return f"{name}: a split changes tags of the patient and the study only, and not StudyInstanceUID."
        return ""

    def _of_merge(self, resources: Sequence[Resource]) -> str:
        if not self.target:
            return "Choose the study that takes in the others."
        return "" if any(one.id != self.target for one in resources) else "Check at least two studies."

    def submit(self, client: Client, resources: Sequence[Resource]) -> Iterator[Job]:
        """Start the jobs, one after the other: those before an error have started.

        Raises
        ------
        ValueError
            If it cannot be done.
        ClientError
            If the server refuses.
        """
        if words := self.problem(resources):
            raise ValueError(words)
        if self.action == "merge":
            others = [one.id for one in resources if one.id != self.target]
            yield still_there(client.studies, self.target).merge(others, **self.fields)
        elif self.action == "split":
            study = still_there(client.studies, _study_of(resources[0]))
            yield study.split([one.id for one in resources], **self.fields)
        else:
            for one in resources:
                yield self._copy(still_there(getattr(client, one.level.plural), one.id))

    def _copy(self, resource: Any) -> Job:
        fields = self.fields
        if self.action == "anonymize":
            return resource.anonymize(**fields)  # type: ignore[no-any-return]
        return resource.modify(fields.pop("Replace", {}), **fields)  # type: ignore[no-any-return]

    def gets_new_uid(self, keyword: str, level: Level) -> bool:
        """Whether the server makes up a UID when it changes resources of this level."""
        if keyword not in _OF_UIDS or keyword in self.keep or keyword in self.replace:
            return False
        if self.action in ("split", "merge"):
            return self.action == "split" or keyword != "StudyInstanceUID"
        return self.action == "anonymize" or _OF_UIDS[keyword].depth >= level.depth


def still_there(collection: Any, id: str) -> Any:
    """Return the resource of a collection with this identifier.

    Raises
    ------
    ValueError
        If it has been deleted.
    """
    try:
        return collection[id]
    except KeyError:
        raise ValueError("what is checked has since been deleted on the server.") from None


def _study_of(resource: Resource) -> str:
    return resource.id if isinstance(resource, Study) else str(resource.document["ParentStudy"])
