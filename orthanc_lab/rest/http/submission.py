"""How a call that creates a job answers: at once with its id, or at its end with its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orthanc_lab.jobs.ports import Job
from orthanc_lab.rest.http.answers import answer_json
from orthanc_lab.rest.http.bodies import JobFields
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["answer_submitted", "submit_job"]


def submit_job(req: falcon.Request, resp: falcon.Response, services: Services, fields: JobFields, job: Job) -> None:
    """Hand a job to the engine and answer as the fields of the body ask for.

    Asynchronous: ``{"ID": …, "Path": "/jobs/…"}``. Synchronous: the final ``Content`` of the job.

    Raises
    ------
    OrthancError
        The code and details of a synchronous job that failed or was canceled; 7 if no history
        is kept.
    """
    if fields.synchronous:
        answer_json(req, resp, services.engine.run(job, fields.priority).content)
    else:
        answer_submitted(req, resp, services.engine.submit(job, fields.priority))


def answer_submitted(req: falcon.Request, resp: falcon.Response, id: str) -> None:
    """Answer where the new job is found."""
    answer_json(req, resp, {"ID": id, "Path": f"/jobs/{id}"})
