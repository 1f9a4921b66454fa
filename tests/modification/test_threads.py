"""``JobsEngineThreadsCount``: several instances at a time give what one after the other gives."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab import Client, ManualClock, samples


def outcome(threads: int, body: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Return the content of a job, and the digests of the files that it made."""
    options = {"JobsEngineThreadsCount": {"ResourceModification": threads}}
    with orthanc_lab.in_process(options, seed=1, clock=ManualClock()) as server:
        client = Client.from_server(server)
        for file in samples.dicom_files("ct"):
            server.session.post(f"{server.url}/instances", data=file.read_bytes())
        study = client.studies.find()[0]
        before = {instance.id for instance in client.instances}
        job = client.jobs.submit(f"/studies/{study.id}/anonymize", body).wait(60)
        made = [instance.file() for instance in client.instances if instance.id not in before]
        assert server.errors == []
        return job.content, {hashlib.sha256(file).hexdigest() for file in made}


@pytest.mark.parametrize("body", [{}, {"Transcode": "1.2.840.10008.1.2.4.70"}, {"KeepSource": False}])
def test_the_same_files_are_made(body: dict[str, Any]) -> None:
    alone = outcome(1, body)
    assert len(alone[1]) == len(samples.dicom_files("ct"))
    for threads in (0, 3):
        assert outcome(threads, body) == alone
