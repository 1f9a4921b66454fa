"""The REST API of jobs and peers on a port of its own, without the rest of the server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests

from orthanc_lab.dicom.dictionary.dictionary import STANDARD
from orthanc_lab.dimse.kept_queries import KeptQueries
from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.rest.application import Route, make_application
from orthanc_lab.rest.services import Services
from orthanc_lab.server.http.server import HttpServer
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.transfers.originator import Originator
from tests.job_tools import job_tools


class NoBoard:
    enabled = False

    def record(self, name: str, value: float) -> None: ...


class Reports:
    """Errors that no client must see: a test looks at them."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    def report(self, error: BaseException) -> None:
        self.errors.append(error)


class Client:
    """Calls the server; to be used in a ``with`` statement."""

    def __init__(
        self,
        engine: JobsEngine,
        routes: Iterable[Route],
        *,
        storage: Any = None,
        outputs: Path = Path(),
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.reports = Reports()
        tools = job_tools(storage, outputs=outputs, options=settings)
        self.services = Services(
            settings=CheckedSettings(settings or {}),
            dictionary=STANDARD,
            storage=storage,
            engine=engine,
            job_tools=tools,
            modalities=tools.modalities,
            dicom=tools.dicom,
            queries=KeptQueries(1, tools.identifiers),
            metrics=NoBoard(),  # type: ignore[arg-type] # records nothing
            clock=tools.clock,
            identifiers=tools.identifiers,
            executor=tools.executor,
            control=self.reports,  # type: ignore[arg-type] # only reports are needed
            pushes=None,  # type: ignore[arg-type] # no transfers
            originator=Originator(tools.identifiers),
        )
        self._server = HttpServer(make_application(self.services, routes))
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._session = requests.Session()

    def __enter__(self) -> Client:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        self._server.stop()
        assert self.reports.errors == []

    def request(self, verb: str, path: str, **options: Any) -> requests.Response:
        return self._session.request(verb, self.url + path, timeout=30, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, data: str | bytes = b"", **options: Any) -> requests.Response:
        return self.request("POST", path, data=data, **options)

    def put(self, path: str, data: str | bytes = b"", **options: Any) -> requests.Response:
        return self.request("PUT", path, data=data, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.request("DELETE", path, **options)


def failure(answer: requests.Response) -> tuple[int, int, str]:
    """Return HTTP status, code and details of an answer that is an error object."""
    document = answer.json()
    return answer.status_code, document["OrthancStatus"], document.get("Details", "")


def is_bare(answer: requests.Response, status: int) -> bool:
    """Tell whether an answer is a status alone."""
    return (answer.status_code, answer.content, answer.headers.get("content-type")) == (status, b"", None)
