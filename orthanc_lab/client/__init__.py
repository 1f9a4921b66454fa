"""A client for any Orthanc, 1.12 or later: the real one, or the server of this package."""

from orthanc_lab.client.client import Client
from orthanc_lab.client.collection import Collection
from orthanc_lab.client.errors import (
    CanceledError,
    ClientError,
    ConnectionLostError,
    JobFailedError,
    JobForgottenError,
    JobPausedError,
    JobRetryError,
    JobTimeoutError,
    NotFoundError,
    NotOrthancError,
    ResponseError,
    UnauthorizedError,
    UnreachableError,
)
from orthanc_lab.client.hierarchy import Instance, Patient, Series, Study
from orthanc_lab.client.jobs import Job, Jobs
from orthanc_lab.client.resource import Resource
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.upload_report import UploadInterruptedError, UploadReport

__all__ = [
    "CanceledError",
    "Client",
    "ClientError",
    "Collection",
    "ConnectionLostError",
    "Instance",
    "Job",
    "JobFailedError",
    "JobForgottenError",
    "JobPausedError",
    "JobRetryError",
    "JobTimeoutError",
    "Jobs",
    "NotFoundError",
    "NotOrthancError",
    "Patient",
    "Resource",
    "ResponseError",
    "Series",
    "Study",
    "Transport",
    "UnauthorizedError",
    "UnreachableError",
    "UploadInterruptedError",
    "UploadReport",
]
