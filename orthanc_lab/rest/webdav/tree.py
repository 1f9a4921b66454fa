"""The folders of WebDAV: the same studies by patient, by study, by date and by UID."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.resources.resource_json import ResourceJson
from orthanc_lab.rest.webdav.nodes import File, Folder, Node
from orthanc_lab.storage.ports import Readable
from orthanc_lab.storage.records import AttachmentType, Resource

__all__ = ["Tree"]

_REMOVED = re.compile(r"[/\\]|[^\x20-\x7e]")
_DATE = re.compile(r"[0-9]{8}")
_MONTHS = range(1, 13)

_PATIENT = ("0010,0020", "0010,0010")  # PatientID, PatientName
_STUDY = (*_PATIENT, "0008,1030")  # … StudyDescription
_STUDY_OF_PATIENT = ("0008,0020", "0008,1030")  # StudyDate
_SERIES = ("0008,0060", "0008,103e")  # Modality, SeriesDescription
_UIDS = {Level.STUDY: "0020,000d", Level.SERIES: "0020,000e", Level.INSTANCE: "0008,0018"}


class Tree:
    """What is stored, as folders.

    Parameters
    ----------
    json
        Writes ``study.json`` and ``series.json``.
    """

    def __init__(self, storage: Readable, json: ResourceJson) -> None:
        self._storage = storage
        self._json = json

    def views(self) -> list[Folder]:
        """Return the folders at the top; they cannot be deleted: a slip would delete all that is stored."""
        return [
            Folder("by-dates", self._years),
            Folder("by-patients", self._patients),
            Folder("by-studies", lambda: self._studies(self._all(Level.STUDY), _STUDY)),
            Folder("by-uids", self._by_uids),
        ]

    def _all(self, level: Level) -> list[Resource]:
        return self._storage.list_resources(level)

    def _children(self, parent: Resource) -> list[Resource]:
        return self._storage.get_many(parent.children)

    # -- by what people know --------------------------------------------------------

    def _patients(self) -> Sequence[Node]:
        def folder(patient: Resource, name: str) -> Folder:
            return _folder(patient, name, lambda: self._studies(self._children(patient), _STUDY_OF_PATIENT))

        return _named(self._all(Level.PATIENT), _PATIENT, folder)

    def _studies(self, studies: Iterable[Resource], tags: Sequence[str]) -> Sequence[Node]:
        def folder(study: Resource, name: str) -> Folder:
            return _folder(study, name, partial(self._series, study))

        return _named(studies, tags, folder)

    def _series(self, study: Resource) -> Sequence[Node]:
        def folder(series: Resource, name: str) -> Folder:
            return _folder(series, name, partial(self._instances, series, lambda instance: instance.id))

        return _named(self._children(study), _SERIES, folder)

    def _instances(self, series: Resource, name: Callable[[Resource], str]) -> list[Node]:
        return [self._file(instance, f"{name(instance)}.dcm") for instance in self._children(series)]

    # -- by date ----------------------------------------------------------------------

    def _dated(self, prefix: str) -> list[Resource]:
        return [study for study in self._all(Level.STUDY) if _date(study).startswith(prefix) and _date(study)]

    def _years(self) -> list[Node]:
        years = sorted({_date(study)[:4] for study in self._dated("")})
        return [Folder(year, partial(self._months, year), resources=partial(self._ids_of, year)) for year in years]

    def _months(self, year: str) -> list[Node]:
        months = {_date(study)[4:6] for study in self._dated(year)} & {f"{month:02}" for month in _MONTHS}
        return [
            Folder(
                f"{year}-{month}",
                lambda month=month: self._studies(self._dated(year + month), _STUDY),  # type: ignore[misc]
                resources=partial(self._ids_of, year + month),
            )
            for month in sorted(months)
        ]

    def _ids_of(self, prefix: str) -> list[str]:
        return [study.id for study in self._dated(prefix)]

    # -- by UID -----------------------------------------------------------------------

    def _by_uids(self) -> Sequence[Node]:
        return [_folder(study, _uid(study), partial(self._study_by_uid, study)) for study in self._all(Level.STUDY)]

    def _study_by_uid(self, study: Resource) -> list[Node]:
        series = [_folder(one, _uid(one), partial(self._series_by_uid, one)) for one in self._children(study)]
        return [self._description(study), *series]

    def _series_by_uid(self, series: Resource) -> list[Node]:
        return [self._description(series), *self._instances(series, _uid)]

    # -- files ------------------------------------------------------------------------

    def _description(self, resource: Resource) -> File:
        text = house_json.dumps(self._json.of([resource])[0], indent="\t") + "\n"
        content = text.replace("\n", "\r\n").encode("ascii")  # for the editors of Windows, as in Orthanc
        return File(f"{resource.level.value.lower()}.json", len(content), "application/json", "", lambda: content)

    def _file(self, instance: Resource, name: str) -> File:
        attachment = instance.attachments.get(AttachmentType.DICOM)
        size = 0 if attachment is None else attachment.uncompressed_size
        read = partial(self._storage.read_dicom, instance.id)
        modified = instance.metadata.get("ReceptionDate", "")
        return File(name, size, "application/dicom", modified, read, (instance.id,))


def _named(
    resources: Iterable[Resource], tags: Sequence[str], folder: Callable[[Resource, str], Folder]
) -> Sequence[Node]:
    """Return folders named after tags, sorted; a name in use already gets a number, as in Orthanc."""
    found: dict[str, Folder] = {}
    uses: dict[str, int] = {}
    for resource in resources:
        wanted = name = _REMOVED.sub("", " - ".join(resource.tags.get(tag, "") for tag in tags)).strip()
        while name in found:
            uses[wanted] = uses.get(wanted, 0) + 1
            name = f"{wanted} ({uses[wanted]})"
        found[name] = folder(resource, name)
    return [found[name] for name in sorted(found)]


def _folder(resource: Resource, name: str, entries: Callable[[], Sequence[Node]]) -> Folder:
    return Folder(name, entries, resource.metadata.get("LastUpdate", ""), lambda: [resource.id])


def _uid(resource: Resource) -> str:
    return _REMOVED.sub("", resource.tags.get(_UIDS[resource.level], "")) or resource.id


def _date(study: Resource) -> str:
    date = study.tags.get("0008,0020", "")
    return date if _DATE.fullmatch(date) else ""
