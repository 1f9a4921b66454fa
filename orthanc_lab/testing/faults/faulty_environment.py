"""An environment with faults: each is in one of its ports, or around the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from orthanc_lab.jobs.ports import JobsService
from orthanc_lab.server.environment import Environment
from orthanc_lab.testing.faults.behind import OwnServer
from orthanc_lab.testing.faults.clock import FaultyClock
from orthanc_lab.testing.faults.disk import FaultyArea, FaultyOutputs, FaultyStorage, connecting
from orthanc_lab.testing.faults.jobs import FaultyJobs, JobFaults
from orthanc_lab.testing.faults.part import FaultyPart
from orthanc_lab.testing.faults.requests import faulty_application
from orthanc_lab.testing.faults.switches import FaultSwitches

if TYPE_CHECKING:
    from orthanc_lab.network.dispatch import Dispatch
    from orthanc_lab.network.services import NetworkServices

__all__ = ["faulty_environment"]

_Part = TypeVar("_Part")


def faulty_environment(environment: Environment, faults: FaultSwitches) -> Environment:
    """Return an environment in which the faults happen that are in force."""
    of_jobs = JobFaults(faults)

    def put_into(kind: Callable[[_Part, FaultSwitches], FaultyPart], part: _Part) -> _Part:
        faults.tell(part, kind(part, faults))
        return part

    def jobs(engine: JobsService) -> JobsService:
        of_jobs.jobs = environment.jobs(engine)
        faults.tell(of_jobs.jobs, FaultyJobs(of_jobs.jobs, of_jobs))
        return of_jobs.jobs

    put_into(FaultyClock, environment.clock)
    return replace(
        environment,
        file_area=lambda area: put_into(FaultyArea, environment.file_area(area)),
        connect_index=connecting(environment.connect_index, "index", faults),
        connect_jobs=connecting(environment.connect_jobs, "jobs", faults),
        storage=lambda storage: put_into(FaultyStorage, environment.storage(storage)),
        outputs=lambda outputs: put_into(FaultyOutputs, environment.outputs(outputs)),
        jobs=jobs,
        restore=lambda restore: of_jobs.restored(environment.restore(restore)),
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
