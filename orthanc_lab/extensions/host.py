"""The extensions of one server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from wsgiref.types import WSGIApplication

from orthanc_lab.extensions.calls import LocalCalls, Orthanc
from orthanc_lab.extensions.extension import Extension
from orthanc_lab.extensions.extension_job import ExtensionJob, ExtensionTools
from orthanc_lab.extensions.job import Job
from orthanc_lab.extensions.job_run import prepared
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Restore
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.ports import Clock

__all__ = ["ExtensionHost"]


class ExtensionHost:
    """Makes the jobs of extensions, and lets them call the server.

    Attributes
    ----------
    extensions
        All of them.
    """

    def __init__(
        self, extensions: Sequence[Extension], *, executor: Executor, outputs: OutputStore, clock: Clock
    ) -> None:
        self.extensions = extensions
        self._calls = LocalCalls()
        self._tools = ExtensionTools(self._calls, executor, outputs, clock)

    @property
    def orthanc(self) -> Orthanc:
        """What extensions call the server by."""
        return self._calls

    def connect(self, application: WSGIApplication) -> None:
        """Take the application that the calls of extensions go to; before the first of them runs."""
        self._calls.connect(application)

    def kinds(self) -> list[type[Job]]:
        """Return the kinds of job."""
        return [kind for extension in self.extensions for kind in extension.jobs]

    def restores(self) -> Mapping[str, Restore]:
        """Return how jobs are made again, by their type."""
        return {kind.type: partial(ExtensionJob, kind, self._tools) for kind in self.kinds()}

    def new_job(self, kind: type[Job], parameters: dict[str, Any]) -> ExtensionJob:
        """Make a job.

        Raises
        ------
        OrthancError
            What `Job.prepare` raises, 1 for anything that is not in Orthanc's table.
        """
        return ExtensionJob(kind, self._tools, prepared(kind, self._calls, parameters))
