"""A storage, a jobs engine and the REST API in one process, without a socket."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import falcon.testing

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.ports import JobView
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.rest import archives, jobs
from orthanc_lab.rest.application import make_application
from orthanc_lab.rest.services import Services
from orthanc_lab.server.settings import CheckedSettings
from orthanc_lab.storage import open_storage
from orthanc_lab.storage.records import Origin, Stored
from tests.archives.files import dicom, names_of

DEADLINE = 20.0  # seconds


class Quiet:
    """No metrics, and the errors that no client must see."""

    enabled = False

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    def record(self, name: str, value: float) -> None: ...

    def report(self, error: BaseException) -> None:
        self.errors.append(error)


class House:
    """Everything that an archive needs; options of the configuration in `settings`."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.quiet = Quiet()
        self.outputs = folder / "outputs"
        self.storage = open_storage(folder / "storage")
        self.engine = JobsEngine(
            None, self.outputs, SystemClock(), SystemIdentifiers(), media_archive_size=10, on_error=self.quiet.report
        )
        self.services = Services(
            settings=CheckedSettings(settings or {}),
            storage=self.storage,
            engine=self.engine,
            metrics=self.quiet,  # type: ignore[arg-type] # records nothing
            clock=SystemClock(),
            identifiers=SystemIdentifiers(),
            control=self.quiet,  # type: ignore[arg-type] # only reports are needed
        )
        self.application = make_application(self.services, (*archives.ROUTES, *jobs.ROUTES))
        self.client = falcon.testing.TestClient(self.application)  # type: ignore[arg-type] # any WSGI application

    def close(self) -> None:
        self.engine.stop()
        self.storage.close()

    def upload(self, *args: Any, **kwargs: Any) -> Stored:
        """Store the image that `dicom` makes of the arguments."""
        return self.storage.store(dicom(*args, **kwargs), Origin())

    def get(self, uri: str) -> falcon.testing.Result:
        path, _, query = uri.partition("?")
        return self.client.simulate_get(path, query_string=query)

    def post(self, uri: str, body: Any = None, *, raw: str | bytes | None = None) -> falcon.testing.Result:
        if raw is not None:
            return self.client.simulate_post(uri, body=raw)
        return self.client.simulate_post(uri, json=body)

    def names(self, uri: str) -> list[str]:
        """Return the names in the ZIP that a GET answers."""
        return names_of(self.get(uri).content)

    def wait(self, id: str) -> JobView:
        """Wait for the end of a job."""
        limit = time.monotonic() + DEADLINE
        while time.monotonic() < limit:
            view = self.engine.get(id)
            assert view is not None
            if view.state.is_final:
                return view
            time.sleep(0.002)
        raise TimeoutError(f"job {id} does not end: {view}")
