"""The entrance: one object for one server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import requests

from orthanc_lab.client.content import data_uri
from orthanc_lab.client.jobs import Jobs
from orthanc_lab.client.resources import Collection, Instance, Patient, Resource, Series, Study, resource_at
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.upload import Source, UploadReport, upload
from orthanc_lab.protocol.levels import Level

__all__ = ["Client"]


class _Server(Protocol):
    @property
    def url(self) -> str: ...

    @property
    def session(self) -> requests.Session: ...


class Client:
    """A client for one Orthanc.

    Parameters
    ----------
    url
        Address of the server.
    auth
        User name and password.
    timeout
        Seconds to wait for an answer to begin, and between two parts of it.
    verify
        False accepts any certificate of an HTTPS server; a path names its CA.
    retries
        Further tries after a lost connection or "503 Service Unavailable".

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import samples
    >>> with orthanc_lab.serve() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     client.upload(samples.path("ct/soft_tissue")).stored
    ...     client.studies.find(PatientName="Phantom*")[0].StudyDescription
    20
    'CT quality phantom'
    """

    def __init__(
        self,
        url: str = "http://localhost:8042",
        auth: tuple[str, str] | None = None,
        *,
        timeout: float = 30.0,
        verify: bool | str | Path = True,
        retries: int = 4,
    ) -> None:
        self._bind(Transport(url, auth, timeout=timeout, verify=verify, retries=retries))

    def _bind(self, transport: Transport) -> None:
        self.transport = transport
        self.patients = Collection(transport, Patient)
        self.studies = Collection(transport, Study)
        self.series = Collection(transport, Series)
        self.instances = Collection(transport, Instance)
        self.jobs = Jobs(transport)

    @classmethod
    def from_server(cls, server: _Server) -> Client:
        """Return a client of an embedded server (`orthanc_lab.serve`, `orthanc_lab.in_process`)."""
        client = cls.__new__(cls)
        session = server.session
        if server.url.startswith(("http://127.", "http://localhost", "https://")) and isinstance(session.auth, tuple):
            auth: tuple[str, str] | None = (str(session.auth[0]), str(session.auth[1]))
            client._bind(Transport(server.url, auth, verify=session.verify if session.verify is not None else True))
        else:
            client._bind(Transport(server.url, session=session))
        return client

    @property
    def url(self) -> str:
        """Address of the server."""
        return self.transport.url

    @property
    def system(self) -> dict[str, Any]:
        """What the server says of itself: version, name, settings."""
        return dict(self.transport.get("/system"))

    @property
    def statistics(self) -> dict[str, Any]:
        """Numbers and sizes of what is stored."""
        return dict(self.transport.get("/statistics"))

    def upload(
        self,
        sources: Source | Iterable[Source],
        *,
        progress: Callable[[int, int], None] | None = None,
        parallel: int = 4,
        resume: UploadReport | None = None,
    ) -> UploadReport:
        """Upload files, folders, ZIP archives, bytes or data sets.

        Parameters
        ----------
        sources
            One of them, or many. Files that are no DICOM are noted in the report, and the rest goes on.
        progress
            Called with the number of files dealt with, and of all.
        parallel
            Number of connections.
        resume
            The report of an interrupted upload: what it lists as done is not sent again.

        Raises
        ------
        FileNotFoundError
            If a path does not exist.
        UploadInterruptedError
            If the server went away; it carries the report to resume with.
        """
        return upload(self.transport, sources, progress=progress, parallel=parallel, resume=resume)

    def create_dicom(
        self,
        content: Any = None,
        tags: Mapping[str, Any] | None = None,
        *,
        parent: Resource | str | None = None,
        private_creator: str | None = None,
        **fields: Any,
    ) -> Instance | Series:
        """Make a DICOM instance of a picture or document, or a series of a list of them.

        Parameters
        ----------
        content
            PNG, JPEG or PDF as path or bytes, a PIL image, a matplotlib figure, an array; a list
            of these makes a series; None makes an instance of tags alone.
        tags
            DICOM tags by keyword.
        parent
            Patient, study or series to attach it to.
        private_creator
            Creator under which private tags are looked up in the server's ``Dictionary``.
        fields
            Further fields of the Orthanc Book (``Force``, ``Encapsulate`` …).
        """
        body: dict[str, Any] = {"Tags": dict(tags or {}), **fields}
        if isinstance(content, (list, tuple)):
            body["Content"] = [data_uri(item) for item in content]
        elif content is not None:
            body["Content"] = data_uri(content)
        if parent is not None:
            body["Parent"] = parent if isinstance(parent, str) else parent.id
        if private_creator is not None:
            body["PrivateCreator"] = private_creator
        answer = self.transport.json("POST", "/tools/create-dicom", json=body)
        kind = Series if answer["Path"].startswith("/series/") else Instance
        return kind(self.transport, answer["ID"])

    def lookup(self, identifier: str) -> list[Resource]:
        """Return the resources that have this PatientID or DICOM UID."""
        answers = self.transport.json("POST", "/tools/lookup", data=identifier.encode(), again=True)
        return [resource_at(self.transport, Level.parse(item["Type"]), item["ID"]) for item in answers]

    def metrics_text(self) -> str:
        """Return the metrics as Prometheus scrapes them."""
        return str(self.transport.send("GET", "/tools/metrics-prometheus").text)

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        counts = self.statistics
        held = f"{counts['CountStudies']} studies, {counts['CountInstances']} instances"
        return f"<Orthanc {self.system['Version']} at {self.url}: {held}>"
