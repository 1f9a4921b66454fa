"""An environment with faults: each is a wrapper around one of its ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Jobs
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.server.environment import Environment
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.ports import Storage
from orthanc_lab.testing.faults.behind import OwnServer
from orthanc_lab.testing.faults.clock import FaultyClock
from orthanc_lab.testing.faults.disk import FaultyArea, FaultyOutputs, FaultyStorage, connecting
from orthanc_lab.testing.faults.jobs import FaultyJobs, JobFaults
from orthanc_lab.testing.faults.requests import faulty_application
from orthanc_lab.testing.faults.switches import FaultSwitches

if TYPE_CHECKING:
    from orthanc_lab.network.dispatch import Dispatch
    from orthanc_lab.network.services import NetworkServices

__all__ = ["wrapped"]


def wrapped(environment: Environment, faults: FaultSwitches) -> Environment:
    """Return an environment in which the faults happen that are in force."""
    around = JobFaults(faults)

    def jobs(engine: Jobs) -> Jobs:
        around.jobs = environment.jobs(engine)
        return cast(Jobs, FaultyJobs(around.jobs, around))

    return replace(
        environment,
        clock=cast(Clock, FaultyClock(environment.clock, faults)),
        file_area=lambda area: cast(FileArea, FaultyArea(environment.file_area(area), faults)),
        connect_index=connecting(environment.connect_index, "index", faults),
        connect_jobs=connecting(environment.connect_jobs, "jobs", faults),
        storage=lambda storage: cast(Storage, FaultyStorage(environment.storage(storage), faults)),
        outputs=lambda outputs: cast(OutputStore, FaultyOutputs(environment.outputs(outputs), faults)),
        jobs=jobs,
        restore=lambda restore: around.restored(environment.restore(restore)),
        application=lambda application, services: faulty_application(
            environment.application(application, services), OwnServer(services), faults
        ),
        dispatch=_dispatch(environment.dispatch, faults),
    )


def _dispatch(
    make: Callable[[NetworkServices], Dispatch] | None, faults: FaultSwitches
) -> Callable[[NetworkServices], Dispatch]:
    def dispatch(services: NetworkServices) -> Dispatch:
        from orthanc_lab.network.dispatch import Dispatch  # noqa: PLC0415 - not on every platform
        from orthanc_lab.testing.faults.dicom import with_faults  # noqa: PLC0415

        return with_faults((make or Dispatch)(services), faults)

    return dispatch
