"""A client for any Orthanc, 1.12 or later: the real one, or the server of this package."""

from orthanc_lab.client.client import Client
from orthanc_lab.client.errors import (
    CanceledError,
    ClientError,
    JobFailedError,
    JobPausedError,
    JobTimeoutError,
    NotFoundError,
    ResponseError,
    UnauthorizedError,
    UnreachableError,
)
from orthanc_lab.client.jobs import Job
from orthanc_lab.client.resources import Instance, Patient, Series, Study

__all__ = [
    "CanceledError",
    "Client",
    "ClientError",
    "Instance",
    "Job",
    "JobFailedError",
    "JobPausedError",
    "JobTimeoutError",
    "NotFoundError",
    "Patient",
    "ResponseError",
    "Series",
    "Study",
    "UnauthorizedError",
    "UnreachableError",
]
