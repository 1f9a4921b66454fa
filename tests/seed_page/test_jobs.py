"""Monitoring jobs, interacting with them, asynchronous archives and media."""

from __future__ import annotations

import zipfile

import pytest
import requests

from orthanc_lab import samples
from tests.seed_page.conftest import Page
from tests.waiting import until

PRINTED_JOB = "82cc02d1-03fe-41f9-be46-a308d16ea94a"

FIELDS_OF_A_JOB = {
    "CompletionTime",
    "Content",
    "CreationTime",
    "EffectiveRuntime",
    "ErrorCode",
    "ErrorDescription",
    "ID",
    "Priority",
    "Progress",
    "State",
    "Timestamp",
    "Type",
}


def wait_for_the_end(page: Page, job: str) -> None:
    """Poll the job as the page says one has to: until its state is Success or Failure."""
    until(lambda: requests.get(f"{page.url}/jobs/{job}", timeout=10).json()["State"] in {"Success", "Failure"})


@pytest.fixture
def job(page: Page, study: str) -> str:
    """An asynchronous archive, started by the page's command and waited for."""
    answer = page.json(
        """curl http://localhost:8042/studies/27f7126f-4f66fb14-03f4081b-f9341db2-53925988/archive -d '{"Asynchronous":true}'"""  # noqa: E501 - as printed
    )
    assert answer == {"ID": answer["ID"], "Path": f"/jobs/{answer['ID']}"}
    page.replaced[PRINTED_JOB] = answer["ID"]
    wait_for_the_end(page, answer["ID"])
    return answer["ID"]


def test_list_of_jobs(page: Page, job: str) -> None:
    assert page.json("curl http://localhost:8042/jobs") == [job]


def test_details_of_a_job(page: Page, job: str) -> None:
    details = page.json("curl http://localhost:8042/jobs/82cc02d1-03fe-41f9-be46-a308d16ea94a")
    assert set(details) >= FIELDS_OF_A_JOB
    assert details["Content"]["Description"] == "REST API"
    assert details["Content"]["InstancesCount"] == len(samples.dicom_files("ct"))
    assert details["Content"]["UncompressedSizeMB"] >= 0
    assert (details["ErrorCode"], details["ErrorDescription"]) == (0, "Success")
    assert (details["ID"], details["Type"], details["State"]) == (job, "Archive", "Success")
    assert (details["Priority"], details["Progress"]) == (0, 100)


def test_expanded_list_of_jobs(page: Page, job: str) -> None:
    (only,) = page.json("curl 'http://localhost:8042/jobs?expand'")
    details = page.json("curl http://localhost:8042/jobs/82cc02d1-03fe-41f9-be46-a308d16ea94a")
    assert {**only, "Timestamp": None} == {**details, "Timestamp": None}


def test_download_of_the_archive(page: Page, job: str) -> None:
    page.bash("curl http://localhost:8042/jobs/82cc02d1-03fe-41f9-be46-a308d16ea94a/archive > test.zip")
    with zipfile.ZipFile(page.folder / "test.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(samples.dicom_files("ct"))


def test_media(page: Page, study: str) -> None:
    answer = page.json(
        """curl http://localhost:8042/studies/27f7126f-4f66fb14-03f4081b-f9341db2-53925988/media -d '{"Asynchronous":true}'"""  # noqa: E501 - as printed
    )
    page.replaced["6332be8a-0052-44fb-8cc2-ac959aeccad9"] = answer["ID"]
    wait_for_the_end(page, answer["ID"])
    page.bash("curl http://localhost:8042/jobs/6332be8a-0052-44fb-8cc2-ac959aeccad9/archive > test.zip")
    with zipfile.ZipFile(page.folder / "test.zip") as media:
        assert media.namelist()[-1] == "DICOMDIR"


def test_synchronous_call_waits_for_the_end(page: Page, study: str) -> None:
    page.bash(
        """curl http://localhost:8042/studies/27f7126f-4f66fb14-03f4081b-f9341db2-53925988/archive -d '{"Synchronous":true, "Priority":-3}' > test.zip"""  # noqa: E501 - as printed
    )
    assert zipfile.is_zipfile(page.folder / "test.zip")
    (job,) = page.json("curl 'http://localhost:8042/jobs?expand'")
    assert (job["State"], job["Priority"]) == ("Success", -3)


def test_interaction_with_a_job(page: Page, job: str) -> None:
    status = (
        "curl -X POST -o /dev/null -w '%{http_code}' http://localhost:8042/jobs/82cc02d1-03fe-41f9-be46-a308d16ea94a"
    )
    # A job at its end: cancel and pause have no effect, there is nothing to resume.
    assert page.bash(f"{status}/cancel") == b"200"
    assert page.bash(f"{status}/pause") == b"200"
    assert page.bash(f"{status}/resume") == b"400"
    assert page.bash(f"{status}/resubmit") == b"400"
    assert page.json("curl http://localhost:8042/jobs/82cc02d1-03fe-41f9-be46-a308d16ea94a")["State"] == "Success"


def test_resubmission_of_a_failed_job(page: Page, study: str) -> None:
    answer = page.json(
        """curl http://localhost:8042/studies/27f7126f-4f66fb14-03f4081b-f9341db2-53925988/modify -d '{"Asynchronous":true,"Replace":{"Rows":"many"}}'"""  # noqa: E501 - as printed
    )
    page.replaced[PRINTED_JOB] = answer["ID"]
    wait_for_the_end(page, answer["ID"])
    failed = page.json("curl http://localhost:8042/jobs/82cc02d1-03fe-41f9-be46-a308d16ea94a")
    assert failed["State"] == "Failure"
    assert failed["ErrorCode"] != 0
    assert page.bash("curl -X POST http://localhost:8042/jobs/82cc02d1-03fe-41f9-be46-a308d16ea94a/resubmit") == b"{}"
    wait_for_the_end(page, answer["ID"])
    again = page.json("curl http://localhost:8042/jobs/82cc02d1-03fe-41f9-be46-a308d16ea94a")
    assert (again["State"], again["CreationTime"]) == ("Failure", failed["CreationTime"])
    assert again["CompletionTime"] > failed["CompletionTime"]
