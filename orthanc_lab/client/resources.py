"""Patients, studies, series and instances as light objects with the field's names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from orthanc_lab.client.download import save_stream
from orthanc_lab.client.errors import NotFoundError
from orthanc_lab.client.jobs import Job
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.levels import Level

if TYPE_CHECKING:
    import pydicom

__all__ = ["Collection", "Instance", "Patient", "Resource", "Series", "Study", "resource_at"]

Bytes = Callable[[int, "int | None"], None]
"""Progress of a download: bytes so far, and in all (None if unknown)."""


class Resource:
    """One resource of the server. Its main DICOM tags are attributes: ``study.StudyDescription``."""

    level: ClassVar[Level]

    def __init__(self, transport: Transport, id: str, document: dict[str, Any] | None = None) -> None:
        self._transport = transport
        self.id = id
        self._known = document

    @property
    def path(self) -> str:
        """Path at the server, ``/studies/…``."""
        return f"/{self.level.plural}/{self.id}"

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object of the server, asked for once."""
        if self._known is None:
            self._known = self._transport.get(self.path)
        return self._known

    def refresh(self) -> Resource:
        """Forget what is known, so that the next look asks the server."""
        self._known = None
        return self

    @property
    def tags(self) -> dict[str, str]:
        """Main DICOM tags by keyword, with those of the patient for a study."""
        document = self.document
        return {**document.get("PatientMainDicomTags", {}), **document["MainDicomTags"]}

    def __getattr__(self, name: str) -> str:
        if name[:1].isupper():
            try:
                return self.tags[name]
            except KeyError:
                raise AttributeError(
                    f"This {self.level.value.lower()} has no main DICOM tag {name}; it has: {', '.join(self.tags)}"
                ) from None
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def labels(self) -> list[str]:
        """Labels, sorted."""
        return list(self._transport.get(f"{self.path}/labels"))

    def add_label(self, label: str) -> None:
        """Add a label (letters, digits, ``_`` and ``-``)."""
        self._transport.send("PUT", f"{self.path}/labels/{label}")

    def remove_label(self, label: str) -> None:
        """Remove a label; nothing happens if it is not there."""
        self._transport.send("DELETE", f"{self.path}/labels/{label}")

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata by name."""
        return dict(self._transport.get(f"{self.path}/metadata", {"expand": ""}))

    @property
    def statistics(self) -> dict[str, Any]:
        """Sizes in bytes (as text, as Orthanc gives them) and numbers of the resources below."""
        return dict(self._transport.get(f"{self.path}/statistics"))

    def exists(self) -> bool:
        """Ask the server whether the resource is still there."""
        try:
            self.refresh().document  # noqa: B018 - asking is the purpose
        except NotFoundError:
            return False
        return True

    def delete(self) -> None:
        """Delete the resource with all below it. This cannot be undone."""
        self._transport.send("DELETE", self.path)

    def modify(self, replace: Mapping[str, Any] | None = None, *, priority: int = 0, **fields: Any) -> Job:
        """Make a modified copy in a job; `fields` are those of the Orthanc Book (``Remove``, ``Force`` …)."""
        return self._job("modify", {"Replace": dict(replace or {}), **fields}, priority)

    def anonymize(self, *, priority: int = 0, **fields: Any) -> Job:
        """Make an anonymized copy in a job; `fields` are those of the Orthanc Book (``Keep``, ``Replace`` …)."""
        return self._job("anonymize", fields, priority)

    def _job(self, action: str, body: dict[str, Any], priority: int) -> Job:
        body = {**body, "Synchronous": False, "Priority": priority}
        answer = self._transport.json("POST", f"{self.path}/{action}", json=body)
        return Job(self._transport, {"ID": answer["ID"]}).refresh()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Resource) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_")] + list(self.tags)

    def _title(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self.level.value} {self.id[:8]} {self._title()}>"


class _Container(Resource):
    """What patients, studies and series have in common: instances below, and archives."""

    @property
    def instances(self) -> list[Instance]:
        """Instances below, by InstanceNumber."""
        found = [Instance(self._transport, item["ID"], item) for item in self._transport.get(f"{self.path}/instances")]
        return sorted(found, key=lambda instance: instance.number)

    def archive(self, path: str | Path, *, transcode: str | None = None, progress: Bytes | None = None) -> Path:
        """Stream a ZIP archive to a file; it gets its name only when it is whole.

        Parameters
        ----------
        path
            The file, or a folder.
        transcode
            UID of a transfer syntax.
        progress
            Called with the bytes so far and in all.
        """
        return self._stream("archive", path, transcode, progress)

    def media(self, path: str | Path, *, transcode: str | None = None, progress: Bytes | None = None) -> Path:
        """Stream a ZIP with a DICOMDIR to a file, as `archive` does."""
        return self._stream("media", path, transcode, progress)

    def _stream(self, kind: str, path: str | Path, transcode: str | None, progress: Bytes | None) -> Path:
        params = {"transcode": transcode} if transcode else None
        target = Path(path)
        return save_stream(self._transport, "GET", f"{self.path}/{kind}", target, progress=progress, params=params)

    def archive_job(self, *, transcode: str | None = None, priority: int = 0) -> Job:
        """Make a ZIP archive in an asynchronous job: ``job.wait().download('x.zip')``."""
        return self._job("archive", {"Transcode": transcode} if transcode else {}, priority)

    def media_job(self, *, transcode: str | None = None, extended: bool = False, priority: int = 0) -> Job:
        """Make a ZIP with a DICOMDIR in an asynchronous job."""
        body: dict[str, Any] = {"Extended": extended}
        return self._job("media", body | ({"Transcode": transcode} if transcode else {}), priority)


class Patient(_Container):
    """A patient."""

    level = Level.PATIENT

    @property
    def studies(self) -> list[Study]:
        """Studies of the patient."""
        return [Study(self._transport, item["ID"], item) for item in self._transport.get(f"{self.path}/studies")]

    @property
    def protected(self) -> bool:
        """Whether the patient is kept when the storage is recycled."""
        return self._transport.send("GET", f"{self.path}/protected").text == "1"

    @protected.setter
    def protected(self, value: bool) -> None:
        self._transport.send("PUT", f"{self.path}/protected", data="1" if value else "0")

    def _title(self) -> str:
        tags = self.tags
        return f"{tags.get('PatientName', '')} ({tags.get('PatientID', '')}), {len(self.document['Studies'])} studies"


class Study(_Container):
    """A study."""

    level = Level.STUDY

    @property
    def series(self) -> list[Series]:
        """Series of the study, by SeriesNumber."""
        found = [Series(self._transport, item["ID"], item) for item in self._transport.get(f"{self.path}/series")]
        return sorted(found, key=lambda series: _number(series.tags.get("SeriesNumber")))

    @property
    def patient(self) -> Patient:
        """Patient of the study."""
        return Patient(self._transport, self.document["ParentPatient"])

    def _title(self) -> str:
        tags = self.tags
        text = f"{tags.get('PatientName', '')}: {tags.get('StudyDescription', '')} {tags.get('StudyDate', '')}"
        return f"{text.strip()}, {len(self.document['Series'])} series"


class Series(_Container):
    """A series."""

    level = Level.SERIES

    @property
    def study(self) -> Study:
        """Study of the series."""
        return Study(self._transport, self.document["ParentStudy"])

    def _title(self) -> str:
        tags = self.tags
        text = f"{tags.get('Modality', '')} {tags.get('SeriesDescription', '')}".strip()
        return f"{text}, {len(self.document['Instances'])} instances"


class Instance(Resource):
    """An instance: one DICOM file."""

    level = Level.INSTANCE

    @property
    def series(self) -> Series:
        """Series of the instance."""
        return Series(self._transport, self.document["ParentSeries"])

    @property
    def number(self) -> int:
        """InstanceNumber, 0 if there is none."""
        return _number(self.tags.get("InstanceNumber"))

    @property
    def all_tags(self) -> dict[str, Any]:
        """All tags of the file by keyword, sequences as lists."""
        return dict(self._transport.get(f"{self.path}/simplified-tags"))

    def file(self) -> bytes:
        """Return the DICOM file."""
        return bytes(self._transport.send("GET", f"{self.path}/file").content)

    def save(self, path: str | Path) -> Path:
        """Save the DICOM file."""
        return save_stream(self._transport, "GET", f"{self.path}/file", Path(path))

    def dataset(self) -> pydicom.Dataset:
        """Return the DICOM file as a `pydicom.Dataset`."""
        import io  # noqa: PLC0415

        import pydicom  # noqa: PLC0415 - slow to import

        return pydicom.dcmread(io.BytesIO(self.file()))

    def preview(self, frame: int = 0) -> bytes:
        """Return a frame as PNG, stretched to its full range."""
        return self._picture("preview", frame)

    def rendered(self, frame: int = 0, **parameters: Any) -> bytes:
        """Return a frame as PNG by its window; `parameters`: ``window_center``, ``window_width``, ``width`` …."""
        named = {name.replace("_", "-"): value for name, value in parameters.items()}
        return self._picture("rendered", frame, named)

    def _picture(self, kind: str, frame: int, params: Mapping[str, Any] | None = None) -> bytes:
        path = f"{self.path}/frames/{frame}/{kind}"
        return bytes(self._transport.send("GET", path, params=params, headers={"Accept": "image/png"}).content)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self._transport.get(f"{self.path}/frames"))

    def pdf(self) -> bytes:
        """Return the PDF document inside the instance."""
        return bytes(self._transport.send("GET", f"{self.path}/pdf").content)

    def _title(self) -> str:
        return f"number {self.tags.get('InstanceNumber', '?')}, {int(self.document['FileSize']):,} bytes"


R = TypeVar("R", bound=Resource)


class Collection(Generic[R]):
    """All resources of a level: iterate, count, look up by id, find."""

    def __init__(self, transport: Transport, kind: type[R]) -> None:
        self._transport = transport
        self._kind = kind

    def __iter__(self) -> Iterator[R]:
        documents = self._transport.get(f"/{self._kind.level.plural}", {"expand": ""})
        return iter([self._kind(self._transport, item["ID"], item) for item in documents])

    def __len__(self) -> int:
        counts = self._transport.get("/statistics")
        return int(counts[f"Count{self._kind.level.plural.capitalize()}"])

    def __getitem__(self, id: str) -> R:
        resource = self._kind(self._transport, id)
        if not resource.exists():
            raise KeyError(id)
        return resource

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._kind(self._transport, id).exists()

    def find(self, limit: int = 0, labels: list[str] | None = None, **tags: str) -> list[R]:
        """Return the resources whose tags match: ``client.studies.find(PatientName='Phantom*')``.

        Parameters
        ----------
        limit
            At most so many; 0 for all.
        labels
            Only resources that have all of these labels.
        tags
            Patterns with ``*`` and ``?``, ranges of dates, lists joined by a backslash.
        """
        body: dict[str, Any] = {"Level": self._kind.level.value, "Query": tags, "Expand": True}
        if limit:
            body["Limit"] = limit
        if labels:
            body["Labels"] = labels
        documents = self._transport.json("POST", "/tools/find", json=body, again=True)
        return [self._kind(self._transport, item["ID"], item) for item in documents]

    def __repr__(self) -> str:
        return f"<{len(self)} {self._kind.level.plural} at {self._transport.url}>"


_KINDS: dict[Level, type[Resource]] = {kind.level: kind for kind in (Patient, Study, Series, Instance)}


def resource_at(transport: Transport, level: Level, id: str) -> Resource:
    """Return the resource object of a level."""
    return _KINDS[level](transport, id)


def _number(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
