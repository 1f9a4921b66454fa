"""The DICOM nodes that a server knows: ``client.modalities["PACS"].echo()``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from orthanc_lab.client import display, known_fields
from orthanc_lab.client.arguments import checked_fields, level_of, segment
from orthanc_lab.client.content import dicom_tags
from orthanc_lab.client.errors import ClientError, NotFoundError, reading
from orthanc_lab.client.jobs import Job, submit
from orthanc_lab.client.queries import Answer, Query
from orthanc_lab.client.selection import Selection, identifiers_of
from orthanc_lab.client.storage_commitment import StorageCommitment
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.visible import visible

__all__ = ["Modalities", "Modality"]


class Modality:
    """A DICOM node that the server knows under a name; the server talks to it.

    Attributes
    ----------
    name
        The name under which the server knows it.

    Examples
    --------
    >>> from orthanc_lab.testing.dicom_node import DicomNode
    >>> with DicomNode(samples.path("mr"), aet="ARCHIVE") as node:
    ...     archive = client.modalities.add("archive", **node.modality())
    ...     archive.echo()
    ...     archive.store(client.studies.find()[0]).wait().content["InstancesCount"]
    ...     len(node.instances)
    ...     [answer.StudyDescription for answer in archive.find("Study", StudyDescription="")]
    20
    20
    ['MR shells']
    """

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport = transport
        self.name = name

    @property
    def path(self) -> str:
        """Path on the server, ``/modalities/…``."""
        return f"/modalities/{segment(self.name, 'The name of a modality')}"

    @property
    def configuration(self) -> dict[str, Any]:
        """Its configuration: ``AET``, ``Host``, ``Port``, ``Timeout``, ``AllowMove`` …."""
        return self._transport.object(f"{self.path}/configuration")

    def configure(self, **options: Any) -> None:
        """Change options: ``modality.configure(Timeout=60, AllowMove=False)``.

        Raises
        ------
        TypeError
            For an option that Orthanc does not know.
        ResponseError
            If the server refuses one.
        """
        given = checked_fields("configure", options, known_fields.MODALITY)
        self._transport.send("PUT", self.path, json={**self.configuration, **given})

    def remove(self) -> None:
        """Have the server forget the node."""
        self._transport.send("DELETE", self.path)

    def echo(self, *, timeout: int | None = None, check_find: bool = False) -> None:
        """Check with a C-ECHO that the node answers.

        Parameters
        ----------
        timeout
            Seconds that the server waits for the node; None for the option ``Timeout`` of the node.
        check_find
            Also check that it answers a C-FIND.

        Raises
        ------
        ResponseError
            If it does not; the message says what to do.
        """
        body = {"CheckFind": check_find} | _given(Timeout=timeout)
        self._transport.send("POST", f"{self.path}/echo", json=body, again=True)

    def store(self, resources: Selection, *, priority: int = 0, **fields: Any) -> Job:
        """Send resources to the node by C-STORE, in a job.

        Parameters
        ----------
        resources
            A resource or its identifier, or several, of any levels.
        priority
            Priority of the job.
        fields
            Other fields described in the Orthanc Book (``Permissive``, ``StorageCommitment``, ``MoveOriginatorAet`` …).

        Raises
        ------
        TypeError
            For a field that Orthanc does not know, and for what is no resource.
        """
        given = checked_fields("store", fields, known_fields.SEND, ("priority", "resources"))
        body = {"Resources": identifiers_of(resources), **given}
        return submit(self._transport, f"{self.path}/store", body, priority)

    def store_straight(self, file: str | Path | bytes) -> None:
        """Send a DICOM file to the node without storing it on the server."""
        content = file if isinstance(file, bytes) else Path(file).read_bytes()
        self._transport.send("POST", f"{self.path}/store-straight", data=content)

    def query(
        self, level: Level | str, query: Mapping[str, Any] | None = None, *, normalize: bool = True, **tags: Any
    ) -> Query:
        """Send a C-FIND to the node, and keep the answers on the server, where they can be retrieved.

        Parameters
        ----------
        level
            ``"Patient"``, ``"Study"``, ``"Series"`` or ``"Instance"``.
        query, **tags
            Patterns by keyword, as the node understands them; "" matches everything and asks for the value.
        normalize
            Leave out tags that do not belong to the level, as most nodes expect.

        Examples
        --------
        >>> from orthanc_lab.testing.dicom_node import DicomNode
        >>> with DicomNode(samples.path("mr")) as node:
        ...     query = client.modalities.add("node", **node.modality()).query("Study", PatientID="PHANTOM*")
        ...     job = query.retrieve(method="C-GET").wait()
        ...     job.type, len(client.studies)
        ('DicomGetScu', 2)
        """
        body = {
            "Level": level_of(level).value,
            "Query": dicom_tags(query or {}) | dicom_tags(tags),
            "Normalize": normalize,
        }
        answer = self._transport.json("POST", f"{self.path}/query", json=body, again=True)
        return Query(self._transport, answer["ID"])

    def find(self, level: Level | str, query: Mapping[str, Any] | None = None, **tags: Any) -> list[Answer]:
        """Send a C-FIND to the node, and return its answers; see `query`."""
        return self.query(level, query, **tags).answers

    def worklist(self, query: Mapping[str, Any] | None = None, **tags: Any) -> list[dict[str, Any]]:
        """Query the modality worklist of the node, and return its items."""
        body = {"Query": dicom_tags(query or {}) | dicom_tags(tags)}
        return list(self._transport.json("POST", f"{self.path}/find-worklist", json=body, again=True))

    def move(
        self,
        level: Level | str,
        resources: Mapping[str, str] | Iterable[Mapping[str, str]],
        *,
        target: str | None = None,
        priority: int = 0,
        **fields: Any,
    ) -> Job:
        """Have the node send resources by C-MOVE, in a job.

        Parameters
        ----------
        level
            ``"Patient"``, ``"Study"``, ``"Series"`` or ``"Instance"``.
        resources
            The identifying tags, ``{"StudyInstanceUID": "1.2…"}``, of one resource or several.
        target
            AE title that the node sends to; None for this server. The node must know its address.
        priority, fields
            As in `store`.
        """
        given = checked_fields("move", fields, known_fields.RETRIEVE_BY_TAGS, ("priority", "target"))
        body = {**_retrieval(level, resources), **_given(TargetAet=target), **given}
        return submit(self._transport, f"{self.path}/move", body, priority)

    def get(
        self,
        level: Level | str,
        resources: Mapping[str, str] | Iterable[Mapping[str, str]],
        *,
        priority: int = 0,
        **fields: Any,
    ) -> Job:
        """Fetch resources from the node by C-GET, in a job; see `move`."""
        given = checked_fields("get", fields, known_fields.RETRIEVE_BY_TAGS, ("priority",))
        return submit(self._transport, f"{self.path}/get", {**_retrieval(level, resources), **given}, priority)

    def storage_commitment(self, resources: Selection, *, timeout: int | None = None) -> StorageCommitment:
        """Ask the node to take responsibility for resources that it was sent.

        Parameters
        ----------
        resources
            As in `store`.
        timeout
            Seconds that the server waits for the node's first response.
        """
        body = {"Resources": identifiers_of(resources)} | _given(Timeout=timeout)
        answer = self._transport.json("POST", f"{self.path}/storage-commitment", json=body)
        return StorageCommitment(self._transport, answer["ID"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Modality) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        try:
            aet, host, port = _address(self.configuration)
            return visible(f"<Modality {self.name}: {aet} at {host}:{port}>")
        except ClientError as error:
            return f"<Modality {self.name} ({type(error).__name__})>"

    def _repr_html_(self) -> str:
        return display.guarded(lambda: display.card(f"Modality {self.name}", self.configuration))


class Modalities(Mapping[str, Modality]):
    """The DICOM nodes that a server knows, by name.

    Examples
    --------
    >>> _ = client.modalities.add("pacs", AET="ARCHIVE", Host="192.0.2.5", Port=104, Timeout=20)
    >>> client.modalities["pacs"]
    <Modality pacs: ARCHIVE at 192.0.2.5:104>
    >>> client.modalities["pacs"].configuration["Timeout"]
    20
    >>> client.modalities["pacs"].remove()
    >>> "pacs" in client.modalities
    False
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def add(self, name: str, **options: Any) -> Modality:
        """Tell the server of a node, or replace the node of that name.

        Parameters
        ----------
        name
            Letters, digits, ``-`` and ``_``.
        options
            As in the option `DicomModalities`: ``AET``, ``Host``, ``Port``, and others as needed.

        Raises
        ------
        TypeError
            For an option that Orthanc does not know.
        ResponseError
            If the server refuses the name or an option.
        """
        modality = Modality(self._transport, name)
        given = checked_fields("add", options, known_fields.MODALITY, ("name",))
        self._transport.send("PUT", modality.path, json=given)
        return modality

    def configurations(self) -> dict[str, dict[str, Any]]:
        """Return the configuration of each node by name, in one request."""
        return self._transport.object("/modalities", {"expand": ""})

    def __getitem__(self, name: str) -> Modality:
        if isinstance(name, str) and name:
            modality = Modality(self._transport, name)
            with suppress(NotFoundError):
                self._transport.get(modality.path)
                return modality
        raise KeyError(f"The server knows no modality {name!r}; its names are in list(client.modalities)")

    def __iter__(self) -> Iterator[str]:
        return iter(self._transport.array("/modalities"))

    def __len__(self) -> int:
        return len(self._transport.array("/modalities"))

    def __repr__(self) -> str:
        try:
            return visible(f"<Modalities of {self._transport.url}: {', '.join(map(str, self)) or 'none'}>")
        except ClientError as error:
            return f"<Modalities of {self._transport.url}: {type(error).__name__}>"

    def _repr_html_(self) -> str:
        return display.guarded(self._table)

    def _table(self) -> str:
        with reading(self._transport.url, "modalities"):
            rows = [(name, *_address(options)) for name, options in self.configurations().items()]
        return display.table(("Name", "AE title", "Host", "Port"), rows)


def _address(options: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return options.get("AET"), options.get("Host"), options.get("Port")


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _retrieval(level: Level | str, resources: Mapping[str, str] | Iterable[Mapping[str, str]]) -> dict[str, Any]:
    chosen = [resources] if isinstance(resources, Mapping) else list(resources)
    return {"Level": level_of(level).value, "Resources": [dict(resource) for resource in chosen]}
