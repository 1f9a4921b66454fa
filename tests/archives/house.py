"""A storage, a jobs engine and the REST API of archives on a port of their own."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from orthanc_lab.dicom.dictionary.dictionary import STANDARD
from orthanc_lab.dimse.kept_queries import KeptQueries
from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.ports import JobView
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.rest.application import make_application
from orthanc_lab.rest.jobs import jobs
from orthanc_lab.rest.making import archives
from orthanc_lab.rest.services import Services
from orthanc_lab.server.http.server import HttpServer
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage import open_storage
from orthanc_lab.storage.records import Origin, Stored
from orthanc_lab.transfers.originator import Originator
from tests.archives.files import dicom, names_of
from tests.job_tools import job_tools
from tests.waiting import until

DEADLINE = 20.0  # seconds


class Quiet:
    """No metrics, and the errors that no client must see."""

    enabled = False

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    def record(self, name: str, value: float) -> None: ...

    def report(self, error: BaseException) -> None:
        self.errors.append(error)


class Answer:
    """What a call answered."""

    def __init__(self, response: requests.Response) -> None:
        self.status_code = response.status_code
        self.content = response.content
        self.headers = response.headers

    @cached_property
    def json(self) -> Any:
        return json.loads(self.content)


class House:
    """Everything that an archive needs; options of the configuration in `settings`."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.quiet = Quiet()
        self.outputs = folder / "outputs"
        self.storage = open_storage(folder / "storage")
        tools = job_tools(self.storage, outputs=self.outputs, options=settings)
        self.engine = JobsEngine(
            SqliteJobStore(None),
            tools.outputs,
            tools.clock,
            tools.identifiers,
            tools.executor,
            history_size=(settings or {}).get("JobsHistorySize", 10),
            media_archive_size=10,
            on_error=self.quiet.report,
        )
        self.services = Services(
            settings=CheckedSettings(settings or {}),
            dictionary=STANDARD,
            storage=self.storage,
            engine=self.engine,
            job_tools=tools,
            modalities=tools.modalities,
            dicom=tools.dicom,
            queries=KeptQueries(1, tools.identifiers),
            metrics=self.quiet,  # type: ignore[arg-type] # records nothing
            clock=tools.clock,
            identifiers=tools.identifiers,
            executor=tools.executor,
            control=self.quiet,  # type: ignore[arg-type] # only reports are needed
            pushes=None,  # type: ignore[arg-type] # no transfers
            originator=Originator(tools.identifiers),
        )
        self.server = HttpServer(make_application(self.services, (*archives.ROUTES, *jobs.ROUTES)))
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self._session = requests.Session()

    def close(self) -> None:
        self._session.close()
        self.engine.stop()
        self.server.stop()
        self.storage.close()
        assert self.quiet.errors == []

    def upload(self, *args: Any, **kwargs: Any) -> Stored:
        """Store the image that `dicom` makes of the arguments."""
        return self.storage.store(dicom(*args, **kwargs), Origin())

    def get(self, uri: str) -> Answer:
        return Answer(self._session.get(self.url + uri, timeout=DEADLINE))

    def post(self, uri: str, body: Any = None, *, raw: str | None = None) -> Answer:
        data = json.dumps(body) if raw is None else raw
        return Answer(self._session.post(self.url + uri, data=data.encode(), timeout=DEADLINE))

    def names(self, uri: str) -> list[str]:
        """Return the names in the ZIP that a GET answers."""
        return names_of(self.get(uri).content)

    def wait(self, id: str) -> JobView:
        """Wait for the end of a job."""

        def ended() -> JobView | None:
            view = self.engine.get(id)
            assert view is not None
            return view if view.state.is_final else None

        view = until(ended, seconds=DEADLINE, what=lambda: f"job {id} does not end: {self.engine.get(id)}")
        assert view is not None
        return view
