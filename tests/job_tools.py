"""What jobs work with, for tests that make jobs without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import STANDARD
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.protocol.ports import Clock, SystemClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.ports import Storage


def job_tools(
    storage: Storage, *, outputs: Path = Path(), clock: Clock | None = None, options: dict[str, Any] | None = None
) -> JobTools:
    """Return the tools of a server with these options; `outputs` is the folder of outputs."""
    clock = clock or SystemClock()
    return JobTools.of(
        CheckedSettings(options or {}),
        storage,
        clock=clock,
        identifiers=SystemIdentifiers(),
        executor=ThreadExecutor(clock),
        outputs=FileOutputs(outputs, SystemIdentifiers()),
        dictionary=STANDARD,
    )
