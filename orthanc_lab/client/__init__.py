"""A client for any Orthanc, 1.12 or later: the real one, or the server of this package."""

from orthanc_lab.client.changes import Change, Changes
from orthanc_lab.client.client import Client
from orthanc_lab.client.cluster import Cluster
from orthanc_lab.client.collection import Collection, Found
from orthanc_lab.client.errors import (
    CanceledError,
    ClientError,
    ConnectionLostError,
    DamagedDownloadError,
    JobFailedError,
    JobForgottenError,
    JobPausedError,
    JobRetryError,
    JobTimeoutError,
    NoClusterError,
    NoEventLogError,
    NotFoundError,
    NotOrthancError,
    ResponseError,
    UnauthorizedError,
    UnreachableError,
)
from orthanc_lab.client.hierarchy import Instance, Patient, Series, Study
from orthanc_lab.client.job_list import Jobs
from orthanc_lab.client.job_story import Story
from orthanc_lab.client.jobs import Job
from orthanc_lab.client.modalities import Modalities, Modality
from orthanc_lab.client.queries import Answer, Queries, Query
from orthanc_lab.client.resource import Resource
from orthanc_lab.client.storage_commitment import StorageCommitment
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.upload_report import UploadInterruptedError, UploadReport
from orthanc_lab.client.volumes.errors import VolumeError

__all__ = [
    "Answer",
    "CanceledError",
    "Change",
    "Changes",
    "Client",
    "ClientError",
    "Cluster",
    "Collection",
    "ConnectionLostError",
    "DamagedDownloadError",
    "Found",
    "Instance",
    "Job",
    "JobFailedError",
    "JobForgottenError",
    "JobPausedError",
    "JobRetryError",
    "JobTimeoutError",
    "Jobs",
    "Modalities",
    "Modality",
    "NoClusterError",
    "NoEventLogError",
    "NotFoundError",
    "NotOrthancError",
    "Patient",
    "Queries",
    "Query",
    "Resource",
    "ResponseError",
    "Series",
    "StorageCommitment",
    "Story",
    "Study",
    "Transport",
    "UnauthorizedError",
    "UnreachableError",
    "UploadInterruptedError",
    "UploadReport",
    "VolumeError",
]


def __dir__() -> list[str]:
    return sorted(__all__)
