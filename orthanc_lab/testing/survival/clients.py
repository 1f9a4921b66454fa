"""The clients, each used as its documentation shows, with the time-outs that it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["CLIENTS", "DISTRIBUTIONS", "Patience", "UsedClient"]

_POLL_S = 0.1
_PAGE = 100
_ARRIVED = "NewInstance"


@dataclass(frozen=True, slots=True)
class Patience:
    """The time-outs that clients are given, where they take one: parts of the limit of a cell."""

    limit: float  # seconds

    @property
    def answer(self) -> float:
        """Seconds for an answer, and between two parts of it."""
        return self.limit / 8

    @property
    def job(self) -> float:
        """Seconds for the end of a job."""
        return self.limit * 3 / 8


class UsedClient(Protocol):
    """A client, as the tasks use it. What it does not do is an exception."""

    def upload(self, folder: Path) -> None:
        """Upload all files of a folder."""
        ...

    def archive_by_a_job(self, study: str, target: Path) -> None:
        """Have an archive made by a job, wait for its end, and save the output."""
        ...

    def download(self, study: str, target: Path) -> None:
        """Save the archive of a study."""
        ...

    def arrived(self, since: int) -> set[str]:
        """Return the instances that have arrived, by the changes after one that is known."""
        ...

    def send(self, study: str, modality: str) -> None:
        """Have a study sent to a DICOM node by a job, and wait for its end."""
        ...


class _Ours:
    """`orthanc_lab.Client`, which is told to verify what it transfers."""

    def __init__(self, url: str, patience: Patience) -> None:
        from orthanc_lab import Client  # noqa: PLC0415

        self._patience = patience
        self._client = Client(url, timeout=patience.answer)

    def upload(self, folder: Path) -> None:
        report = self._client.upload(folder, progress=False, verify=True)
        if report.refused:
            raise ValueError("; ".join(f"{Path(name).name}: {why}" for name, why in report.refused.items()))

    def archive_by_a_job(self, study: str, target: Path) -> None:
        job = self._client.archive_job(study)
        job.wait(self._patience.job, progress=False).download(
            target, progress=False, timeout=self._patience.answer, verify=True
        )

    def download(self, study: str, target: Path) -> None:
        self._client.archive(study, target, progress=False, timeout=self._patience.answer, verify=True)

    def arrived(self, since: int) -> set[str]:
        return {change.id for change in self._client.changes.after(since) if change.type == _ARRIVED}

    def send(self, study: str, modality: str) -> None:
        self._client.modalities[modality].store(study).wait(self._patience.job, progress=False)


class _Pyorthanc:
    """pyorthanc, whose requests have a time-out, and whose wait has none."""

    def __init__(self, url: str, patience: Patience) -> None:
        import pyorthanc  # noqa: PLC0415

        self._library = pyorthanc
        self._client = pyorthanc.Orthanc(url, timeout=patience.answer)

    def upload(self, folder: Path) -> None:
        self._library.upload(self._client, folder)

    def archive_by_a_job(self, study: str, target: Path) -> None:
        answer: Any = self._client.post_studies_id_archive(study, json={"Asynchronous": True})
        job = self._library.Job(answer["ID"], self._client)
        job.wait_until_completion(_POLL_S)
        if job.state.value == "Failure":
            raise RuntimeError(f"The job failed: {job.error_details}")
        output: Any = self._client.get_jobs_id_key(job.id_, "archive")
        target.write_bytes(output)

    def download(self, study: str, target: Path) -> None:
        target.write_bytes(self._library.Study(study, self._client).get_zip())

    def arrived(self, since: int) -> set[str]:
        found: set[str] = set()
        done = False
        while not done:
            page: Any = self._client.get_changes(params={"since": since, "limit": _PAGE})
            found |= {change["ID"] for change in page["Changes"] if change["ChangeType"] == _ARRIVED}
            since, done = page["Last"], page["Done"]
        return found

    def send(self, study: str, modality: str) -> None:
        order = {"Resources": [study], "Asynchronous": True}
        answer: Any = self._client.post_modalities_id_store(modality, json=order)
        job = self._library.Job(answer["ID"], self._client)
        job.wait_until_completion(_POLL_S)
        if job.state.value == "Failure":
            raise RuntimeError(f"The job failed: {job.error_details}")


class _ApiClient:
    """orthanc-api-client, whose wait has a time-out, and whose requests have none."""

    def __init__(self, url: str, patience: Patience) -> None:
        from orthanc_api_client import OrthancApiClient  # noqa: PLC0415
        from orthanc_api_client.job import Job  # noqa: PLC0415

        self._patience = patience
        self._client = OrthancApiClient(url)
        self._job = Job

    def upload(self, folder: Path) -> None:
        self._client.upload_folder(str(folder))

    def archive_by_a_job(self, study: str, target: Path) -> None:
        answer = self._client.post(f"studies/{study}/archive", json={"Asynchronous": True}).json()
        job = self._job(self._client, answer["ID"])
        if not job.wait_completed(timeout=self._patience.job, polling_interval=_POLL_S):
            raise TimeoutError(f"The job is still {job.info.status}")
        if job.info.status == "Failure":
            raise RuntimeError("The job failed")
        target.write_bytes(self._client.get_binary(f"jobs/{job.orthanc_id}/archive"))

    def download(self, study: str, target: Path) -> None:
        self._client.studies.download_archive(study, str(target))

    def arrived(self, since: int) -> set[str]:
        found: set[str] = set()
        done = False
        while not done:
            changes, since, done = self._client.get_changes(since=since, limit=_PAGE)
            found |= {change.resource_id for change in changes if change.change_type == _ARRIVED}
        return found

    def send(self, study: str, modality: str) -> None:
        job = self._client.modalities.send_async(modality, study)
        if not job.wait_completed(timeout=self._patience.job, polling_interval=_POLL_S):
            raise TimeoutError(f"The job is still {job.info.status}")
        if job.info.status == "Failure":
            raise RuntimeError("The job failed")


class _BareRequests:
    """A script of a dozen lines, with `requests` as it comes: no time-out, no second attempt."""

    def __init__(self, url: str, patience: Patience) -> None:
        self._url = url

    def upload(self, folder: Path) -> None:
        for file in sorted(folder.iterdir()):
            self._call("POST", "/instances", data=file.read_bytes())

    def archive_by_a_job(self, study: str, target: Path) -> None:
        job = self._call("POST", f"/studies/{study}/archive", json={"Asynchronous": True}).json()["ID"]
        while (state := self._call("GET", f"/jobs/{job}").json()["State"]) != "Success":
            if state == "Failure":
                raise RuntimeError("The job failed")
            time.sleep(_POLL_S)
        target.write_bytes(self._call("GET", f"/jobs/{job}/archive").content)

    def download(self, study: str, target: Path) -> None:
        target.write_bytes(self._call("GET", f"/studies/{study}/archive").content)

    def arrived(self, since: int) -> set[str]:
        found: set[str] = set()
        done = False
        while not done:
            page = self._call("GET", f"/changes?since={since}&limit={_PAGE}").json()
            found |= {change["ID"] for change in page["Changes"] if change["ChangeType"] == _ARRIVED}
            since, done = page["Last"], page["Done"]
        return found

    def send(self, study: str, modality: str) -> None:
        order = {"Resources": [study], "Asynchronous": True}
        job = self._call("POST", f"/modalities/{modality}/store", json=order).json()["ID"]
        while (state := self._call("GET", f"/jobs/{job}").json()["State"]) != "Success":
            if state == "Failure":
                raise RuntimeError("The job failed")
            time.sleep(_POLL_S)

    def _call(self, verb: str, path: str, **options: Any) -> Any:
        import requests  # noqa: PLC0415

        answer = requests.request(verb, self._url + path, **options)  # noqa: S113 - as many scripts do
        answer.raise_for_status()
        return answer


CLIENTS: Mapping[str, Callable[[str, Patience], UsedClient]] = {
    "orthanc-lab": _Ours,
    "pyorthanc": _Pyorthanc,
    "orthanc-api-client": _ApiClient,
    "bare requests": _BareRequests,
}

DISTRIBUTIONS = {"bare requests": "requests"}
"""The names of distributions, where they are not those of the clients."""
