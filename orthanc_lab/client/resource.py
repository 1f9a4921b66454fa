"""The common part of patients, studies, series and instances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from orthanc_lab.client import display, known_fields
from orthanc_lab.client.arguments import checked_fields, segment
from orthanc_lab.client.errors import ClientError, NotFoundError, reading
from orthanc_lab.client.jobs import Job, submit
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.visible import visible

__all__ = ["Resource", "number_of"]


class Resource:
    """One resource on the server. Its main DICOM tags are attributes: ``study.StudyDescription``.

    Attributes
    ----------
    id
        Orthanc identifier: five groups of eight hexadecimal digits.
    level
        `Level` of the resource.

    Examples
    --------
    >>> study = client.studies.find()[0]
    >>> study.add_label("teaching")
    >>> study.labels, study.StudyDescription
    (['teaching'], 'CT quality phantom')
    """

    level: ClassVar[Level]

    def __init__(self, transport: Transport, id: str, document: dict[str, Any] | None = None) -> None:
        self._transport = transport
        self.id = id
        self._known = document

    @property
    def path(self) -> str:
        """Path on the server, ``/studies/…``."""
        return f"/{self.level.plural}/{segment(self.id, 'An identifier')}"

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object from the server; it is fetched once and kept."""
        if self._known is None:
            self._known = self._fetched()
        return self._known

    def _fetched(self) -> dict[str, Any]:
        document = self._transport.get(self.path)
        with reading(self._transport.url, f"a {self.level.value.lower()}"):
            return self._checked(document)

    @classmethod
    def listed(cls, transport: Transport, documents: Any) -> list[Self]:
        """Return the resources of a list that the server has sent.

        Raises
        ------
        ClientError
            If it cannot be read.
        """
        with reading(transport.url, f"a list of {cls.level.plural}"):
            return [cls(transport, item["ID"], cls._checked(item)) for item in documents]

    @classmethod
    def _checked(cls, document: Any) -> dict[str, Any]:
        """Return what the server says about a resource, if its tags are texts and its relatives are identifiers."""
        tags = {**document.get("PatientMainDicomTags", {}), **document["MainDicomTags"]}
        texts = [value for value in tags.values() if not _is_sequence(value)]
        children = document[cls.level.child.plural.capitalize()] if cls.level.child else []
        parents = [document[f"Parent{cls.level.parent.value}"]] if cls.level.parent else []
        if not isinstance(children, list):
            raise TypeError(f"{children!r:.80} is no list")
        for text in (document["ID"], *texts, *children, *parents):
            if not isinstance(text, str):
                raise TypeError(f"{text!r:.80} is no text")
        if cls.level.child is None and not isinstance(document["FileSize"], int):
            raise TypeError(f"{document['FileSize']!r:.80} is no number of bytes")
        return dict(document)

    def refresh(self) -> Self:
        """Drop the kept JSON, so that the next access fetches it again."""
        self._known = None
        return self

    @property
    def tags(self) -> dict[str, str]:
        """Main DICOM tags by keyword; a study includes those of its patient."""
        document = self.document
        return {**document.get("PatientMainDicomTags", {}), **document["MainDicomTags"]}

    def __getattr__(self, name: str) -> str:
        if name[:1].isupper():
            try:
                return self.tags[name]
            except KeyError:
                raise AttributeError(
                    f"This {self.level.value.lower()} has no main DICOM tag {name}; available: {', '.join(self.tags)}"
                ) from None
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def labels(self) -> list[str]:
        """Labels, sorted."""
        return self._transport.array(f"{self.path}/labels")

    def add_label(self, label: str) -> None:
        """Add a label; it may consist of letters, digits, ``_`` and ``-``.

        Raises
        ------
        TypeError, ValueError
            If it is not text, or empty.
        ResponseError
            If the server refuses it.
        """
        self._transport.send("PUT", f"{self.path}/labels/{segment(label, 'A label')}")

    def remove_label(self, label: str) -> None:
        """Remove a label, if present."""
        self._transport.send("DELETE", f"{self.path}/labels/{segment(label, 'A label')}")

    @property
    def metadata(self) -> dict[str, str]:
        """A copy of the metadata, by name.

        To write one: ``client.transport.send("PUT", f"{study.path}/metadata/1024", data="text")``.
        """
        return self._transport.object(f"{self.path}/metadata", {"expand": ""})

    @property
    def statistics(self) -> dict[str, Any]:
        """Sizes in bytes (as text, as in Orthanc's JSON) and counts of the resources it contains."""
        return self._transport.object(f"{self.path}/statistics")

    def exists(self) -> bool:
        """Ask the server whether the resource still exists."""
        try:
            self._known = self._fetched()
        except NotFoundError:
            return False
        return True

    def send(self, modality: str, *, priority: int = 0, **fields: Any) -> Job:
        """Send the resource to a DICOM node by C-STORE, in a job: ``study.send("PACS").wait()``.

        Parameters
        ----------
        modality
            Name of the node in the server's list, ``client.modalities``.
        priority
            Priority of the job.
        fields
            Other fields described in the Orthanc Book (``Permissive``, ``StorageCommitment`` …).

        Raises
        ------
        NotFoundError
            If the server knows no such node.
        TypeError
            For a field that Orthanc does not know.
        """
        given = checked_fields("send", fields, known_fields.SEND, ("priority",))
        return self._send(f"/modalities/{segment(modality, 'The name of a modality')}", priority, given)

    def send_to_peer(self, peer: str, *, priority: int = 0, **fields: Any) -> Job:
        """Send the resource to another Orthanc by HTTP, in a job; `fields` are ``Compress``, ``Transcode`` …."""
        given = checked_fields("send_to_peer", fields, known_fields.SEND_TO_PEER, ("priority",))
        return self._send(f"/peers/{segment(peer, 'The name of a peer')}", priority, given)

    def _send(self, path: str, priority: int, fields: Mapping[str, Any]) -> Job:
        return submit(self._transport, f"{path}/store", {"Resources": [self.id], **fields}, priority)

    def delete(self) -> None:
        """Delete the resource and everything in it. This cannot be undone."""
        self._transport.send("DELETE", self.path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resource) and (self.level, self.id) == (other.level, other.id)

    def __hash__(self) -> int:
        return hash(self.id)

    def __dir__(self) -> Iterable[str]:
        names = [name for name in super().__dir__() if not name.startswith("_")]
        try:
            return names + list(self.tags)
        except ClientError:  # tab completion is no place for an error
            return names

    def _job(self, action: str, body: Mapping[str, Any], priority: int) -> Job:
        return submit(self._transport, f"{self.path}/{action}", dict(body), priority)

    @property
    def summary(self) -> dict[str, str]:
        """What identifies it at a glance, by heading: one row of a table."""
        raise NotImplementedError

    def __repr__(self) -> str:
        try:
            words = ", ".join(f"{name} {value}" for name, value in self.summary.items() if value)
            return visible(f"<{self.level.value} {self.id[:8]}: {words}>")
        except ClientError as error:
            return f"<{self.level.value} {self.id[:8]} ({type(error).__name__})>"

    def _repr_html_(self) -> str:
        return display.guarded(self._card)

    def _card(self) -> str:
        return display.card(self.level.value, {"Identifier": self.id, **self.tags})


def _is_sequence(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def number_of(text: str | None) -> int:
    """Return a value of VR IS as a number, 0 if it is not one."""
    try:
        return int(text or 0)
    except (TypeError, ValueError):
        return 0
