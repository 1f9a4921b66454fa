"""The entry point: one object for one server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol

import requests

from orthanc_lab.client import display, known_fields
from orthanc_lab.client.archives import archive_job, save_archive
from orthanc_lab.client.arguments import checked_fields
from orthanc_lab.client.changes import Changes
from orthanc_lab.client.cluster import Cluster, cluster_of
from orthanc_lab.client.collection import Collection
from orthanc_lab.client.content import data_uri, dicom_tags
from orthanc_lab.client.errors import ClientError, reading
from orthanc_lab.client.hierarchy import Instance, Patient, Series, Study, made_by, resource_at
from orthanc_lab.client.job_list import Jobs
from orthanc_lab.client.jobs import Job
from orthanc_lab.client.modalities import Modalities
from orthanc_lab.client.progress import Follow
from orthanc_lab.client.queries import Queries
from orthanc_lab.client.resource import Resource
from orthanc_lab.client.selection import Selection, identifiers_of
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.upload import upload
from orthanc_lab.client.upload_report import UploadReport
from orthanc_lab.client.upload_source import Source
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.visible import visible

__all__ = ["Client"]


class _Server(Protocol):
    @property
    def url(self) -> str: ...

    @property
    def session(self) -> requests.Session: ...


class Client:
    """A client for one Orthanc; threads may share it.

    Parameters
    ----------
    url
        Address of the server; in full, ``https://user:password@host:8042/``.
    auth
        User name and password.
    timeout
        Seconds to wait for a response to begin, and between two parts of it.
    verify
        False accepts any certificate from an HTTPS server; a path names the CA that signed it.
    retries
        Number of retries after a lost connection or "503 Service Unavailable".

    Attributes
    ----------
    patients, studies, series, instances
        `Collection` of each level.
    changes
        `Changes`: what has arrived, become stable or been deleted.
    jobs
        `Jobs` of the server.
    modalities
        `Modalities`: the DICOM nodes that the server knows.
    queries
        `Queries` of DICOM nodes, which the server keeps.
    transport
        `Transport`, for requests that have no method of their own: ``client.transport.get("/tools")``.

    Raises
    ------
    TypeError, ValueError
        If the address is not a valid URL, `auth` not a user name and a password, or `timeout` not a number.

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
        self.changes = Changes(transport)
        self.jobs = Jobs(transport)
        self.modalities = Modalities(transport)
        self.queries = Queries(transport)

    @classmethod
    def from_server(cls, server: _Server, *, timeout: float = 30.0, retries: int = 4) -> Client:
        """Return a client for a server started by this program (`orthanc_lab.serve`, `orthanc_lab.in_process`).

        It takes its credentials and certificate from the server's own session.

        Raises
        ------
        TypeError
            If it is no server, but an address, say.

        Examples
        --------
        >>> with orthanc_lab.in_process() as server:
        ...     len(Client.from_server(server).studies)
        0
        """
        if not hasattr(server, "session"):
            raise TypeError(f"{server!r} is not a server that this program started; of an address: Client(url)")
        client = cls.__new__(cls)
        session = server.session
        if any(server.url.startswith(prefix) for prefix in session.adapters if len(prefix) > len("https://")):
            client._bind(Transport(server.url, session=session))  # no socket: the server is reachable only this way
            return client
        auth = (str(session.auth[0]), str(session.auth[1])) if isinstance(session.auth, tuple) else None
        verify = True if session.verify is None else session.verify
        client._bind(Transport(server.url, auth, timeout=timeout, verify=verify, retries=retries))
        return client

    def without_retries(self, timeout: float | None = None) -> Client:
        """Return a client for the same server, sharing its connections, that sends each request only once.

        Parameters
        ----------
        timeout
            Seconds to wait for a response; None keeps the timeout of this client.

        Examples
        --------
        >>> client.without_retries().url == client.url
        True
        """
        return self._on(self.transport.variant(timeout=timeout, retries=0))

    def observed(self, observer: Callable[[requests.Response], None]) -> Client:
        """Return a client for the same server, sharing its connections, that reports what it sends.

        Parameters
        ----------
        observer
            Called with each response, also of requests that fail, in the thread of the request; the body may be unread.

        Examples
        --------
        >>> client.observed(lambda response: print(response.request.path_url)).system["Version"]
        /system
        '1.12.7'
        """
        return self._on(self.transport.variant(observer=observer))

    def _on(self, transport: Transport) -> Client:
        client = type(self).__new__(type(self))
        client._bind(transport)
        return client

    @property
    def url(self) -> str:
        """Address of the server."""
        return self.transport.url

    @property
    def system(self) -> dict[str, Any]:
        """What the server reports about itself: version, name, settings."""
        return self.transport.object("/system")

    @property
    def statistics(self) -> dict[str, Any]:
        """Counts and sizes of what is stored."""
        return self.transport.object("/statistics")

    def upload(
        self,
        sources: Source | Iterable[Source],
        *,
        progress: Callable[[int, int], None] | Literal[False] | None = None,
        parallel: int = 4,
        resume: UploadReport | None = None,
        skip_stored: bool = False,
        verify: bool = False,
    ) -> UploadReport:
        """Upload files, folders, ZIP archives, bytes or data sets; small files share requests.

        Parameters
        ----------
        sources
            One or many. Files that are not DICOM are listed in the report, and the upload continues.
        progress
            Called with the number of files processed so far, and the total, in place of a progress bar; False for
            neither. A bar is shown in a notebook and in a terminal if the upload takes longer than a moment.
        parallel
            Number of connections.
        resume
            The report of an interrupted upload: files that it lists as done, or that the server
            already has, are not sent again.
        skip_stored
            Ask the server what it has before sending anything (one request per 100 files): useful
            after an interruption by hand, or in a new program.
        verify
            Ask the server at the end whether it has all that it accepted (one request per 100 files); what it lacks is
            listed as refused.

        Raises
        ------
        FileNotFoundError
            If a path does not exist.
        TypeError
            If one of the sources cannot be uploaded.
        UnauthorizedError, ResponseError
            If the server does not allow uploads.
        UploadInterruptedError
            If the server stopped responding, or its storage is full; the error carries the report to resume with.

        Examples
        --------
        >>> client.upload([samples.path("ct/soft_tissue"), samples.path("chart.png")])
        <Upload: 0 stored, 20 already there, 1 refused>
          ...chart.png: Bad file format: ...
        """
        return upload(
            self.transport,
            sources,
            progress=progress,
            parallel=parallel,
            resume=resume,
            skip_stored=skip_stored,
            verify=verify,
        )

    def create_dicom(
        self,
        content: Any = None,
        tags: Mapping[str, Any] | None = None,
        *,
        parent: Resource | str | None = None,
        private_creator: str | None = None,
        **fields: Any,
    ) -> Instance | Series:
        """Make a DICOM instance from an image or document, or a series from a list of them.

        Parameters
        ----------
        content
            PNG, JPEG or PDF as path or bytes, a PIL image, a matplotlib figure, an array of shape
            (rows, columns) or (rows, columns, 3); a list of these makes a series, in which an item
            ``{"Content": …, "Tags": {…}}`` has its own tags; None makes an instance from tags alone.
        tags
            DICOM tags by keyword: text, numbers, dates, times, bytes, lists; a list of dictionaries is a sequence.
        parent
            Patient, study or series to attach it to.
        private_creator
            Creator under which private tags are looked up in the server's ``Dictionary``.
        fields
            Other fields described in the Orthanc Book (``Force``, ``Encapsulate`` …).

        Raises
        ------
        TypeError
            For a field that Orthanc does not know, and for a value that no tag can have.
        ValueError
            If the content is none of these.
        ResponseError
            If the server refuses it.

        Examples
        --------
        >>> made = client.create_dicom(samples.path("report.pdf"), {"PatientName": "Phantom^Paul"})
        >>> made.pdf()[:5]
        b'%PDF-'
        """
        given = checked_fields("create_dicom", fields, known_fields.CREATE, ("tags", "parent", "private_creator"))
        body: dict[str, Any] = {"Tags": dicom_tags(tags or {}), **given}
        if isinstance(content, (list, tuple)):
            if not content:
                raise ValueError("An empty list cannot become a series")
            body["Content"] = [_series_item(item) for item in content]
        elif content is not None:
            body["Content"] = data_uri(content)
        if parent is not None:
            (body["Parent"],) = identifiers_of(parent)
        if private_creator is not None:
            body["PrivateCreator"] = private_creator
        answer = self.transport.json("POST", "/tools/create-dicom", json=body)
        with reading(self.transport.url, "what it has made"):
            kind = Series if answer["Path"].startswith("/series/") else Instance
            return kind(self.transport, answer["ID"])

    def archive(
        self,
        resources: Selection,
        path: str | Path,
        *,
        transcode: str | None = None,
        progress: Follow = None,
        timeout: float | None = None,
        verify: bool = False,
    ) -> Path:
        """Stream a ZIP of any mixture of resources to a file, which appears under its name only once it is complete.

        Parameters
        ----------
        resources
            A resource or its identifier, or several, of any levels.
        path
            A file, which is replaced if it exists; or a folder, where no file is replaced.
        transcode
            UID of a transfer syntax to transcode to.
        progress
            Called with the bytes received so far and the total, in place of a progress bar; False for neither.
        timeout
            Seconds to wait for the next part of it; None for five minutes, since it may queue behind other jobs.
        verify
            Compare the MD5 of each file with the one that the server has kept since the upload.

        Raises
        ------
        ConnectionLostError
            If the connection was lost before the end, again and again.
        DamagedDownloadError
            With `verify`, if a file is not what was uploaded.

        Examples
        --------
        >>> study = client.studies.find()[0]
        >>> client.archive([study, *study.series[0].instances], folder).name
        'Archive.zip'
        """
        return save_archive(
            self.transport,
            "archive",
            resources,
            path,
            transcode=transcode,
            progress=progress,
            timeout=timeout,
            verify=verify,
        )

    def media(
        self,
        resources: Selection,
        path: str | Path,
        *,
        transcode: str | None = None,
        extended: bool = False,
        progress: Follow = None,
        timeout: float | None = None,
        verify: bool = False,
    ) -> Path:
        """Stream a ZIP with a DICOMDIR to a file, like `archive`; `extended` adds SeriesDescription to the DICOMDIR."""
        return save_archive(
            self.transport,
            "media",
            resources,
            path,
            transcode=transcode,
            extended=extended,
            progress=progress,
            timeout=timeout,
            verify=verify,
        )

    def archive_job(self, resources: Selection, *, transcode: str | None = None, priority: int = 0) -> Job:
        """Make a ZIP of any mixture of resources in an asynchronous job: ``job.wait().download("x.zip")``."""
        return archive_job(self.transport, "archive", resources, transcode=transcode, priority=priority)

    def media_job(
        self, resources: Selection, *, transcode: str | None = None, extended: bool = False, priority: int = 0
    ) -> Job:
        """Make a ZIP with a DICOMDIR in an asynchronous job."""
        return archive_job(
            self.transport, "media", resources, transcode=transcode, extended=extended, priority=priority
        )

    def made_by(self, job: Job) -> list[Resource]:
        """Return the resources that a finished modification, anonymization, split or merge has created.

        Raises
        ------
        ClientError
            If it has created none, or has not succeeded yet.
        """
        return made_by(self.transport, job)

    def lookup(self, identifier: str) -> list[Resource]:
        """Return the resources that have this PatientID or DICOM UID.

        Raises
        ------
        TypeError
            If it is not text.
        """
        if not isinstance(identifier, str):
            raise TypeError(f"A PatientID or DICOM UID is a text, not {identifier!r}")
        answers = self.transport.json("POST", "/tools/lookup", data=identifier.encode(), again=True)
        with reading(self.transport.url, "what has an identifier"):
            return [resource_at(self.transport, Level(item["Type"]), item["ID"]) for item in answers]

    def metrics_text(self) -> str:
        """Return the metrics in the Prometheus text format."""
        return str(self.transport.send("GET", "/tools/metrics-prometheus").text)

    def cluster(self) -> Cluster:
        """Return the servers that share the list of jobs, what each runs, and which jobs one took over from another.

        A server on SQLite is the only one.

        Raises
        ------
        NoClusterError
            If the server cannot tell: only the one of this package can.

        Examples
        --------
        >>> client.cluster()
        <Cluster: ... runs 0 jobs; 0 jobs wait for a worker>
        """
        return cluster_of(self.transport)

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
        try:
            counts, system = self.statistics, self.system
            with reading(self.url, "statistics"):
                studies = display.counted(counts["CountStudies"], "study", "studies")
                instances = display.counted(counts["CountInstances"], "instance", "instances")
                return visible(f"<Orthanc {system['Version']} at {self.url}: {studies}, {instances}>")
        except ClientError as error:
            return f"<Orthanc at {self.url} ({type(error).__name__})>"

    def _repr_html_(self) -> str:
        return display.guarded(self._card)

    def _card(self) -> str:
        system, counts = self.system, self.statistics
        with reading(self.url, "statistics"):
            return self._card_of(system, counts)

    def _card_of(self, system: Mapping[str, Any], counts: Mapping[str, Any]) -> str:
        rows = {
            "Address": display.Address(self.url),
            "Name": system.get("Name"),
            "Version": system.get("Version"),
            **{level: f"{counts[f'Count{level}']:,}" for level in ("Patients", "Studies", "Series", "Instances")},
            "On disk": display.amount(int(counts["TotalDiskSize"])),
        }
        return display.card("Orthanc", rows)


def _series_item(item: Any) -> Any:
    if isinstance(item, Mapping):
        return {"Content": data_uri(item.get("Content")), "Tags": dicom_tags(item.get("Tags", {}))}
    return data_uri(item)
