"""An S3 server that is killed while files are written: what was acknowledged is there afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab import EmbeddedServer
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.seaweed import SeaweedServer
from tests.storage.objects.test_server import keys_in
from tests.waiting import until

_WRITERS = 4


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_bucket_that_is_killed(orthanc_factory: Callable[..., EmbeddedServer], tmp_path: Path) -> None:
    with SeaweedServer() as seaweed:
        bucket = seaweed.bucket()
        section = bucket.options(RequestTimeout=20)
        server = orthanc_factory(folder=tmp_path, AwsS3Storage=section, MaximumStorageCacheSize=0)
        acknowledged: dict[str, bytes] = {}
        refused = 0
        over = threading.Event()

        def write(writer: int) -> None:
            nonlocal refused
            number = 0
            while not over.is_set():
                number += 1
                file = dicom(patient=f"{writer}", study=f"1.{writer}", series=f"1.{writer}.{number}", pixels=LARGE)
                answer = server.session.post(f"{server.url}/instances", data=file)
                if answer.status_code == 200:
                    acknowledged[answer.json()["ID"]] = file
                else:
                    assert (answer.status_code, answer.json()["OrthancStatus"]) == (503, 36)
                    assert "Retry-After" in answer.headers
                    refused += 1

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(_WRITERS)]
        for writer in writers:
            writer.start()
        until(lambda: len(acknowledged) >= 100, seconds=60)
        seaweed.kill()
        until(lambda: refused > 0, seconds=60)
        seaweed.start()
        before = len(acknowledged)
        until(lambda: len(acknowledged) >= before + 20, seconds=60)
        over.set()
        for thread in writers:
            thread.join()

        for id, file in acknowledged.items():
            assert server.session.get(f"{server.url}/instances/{id}/file").content == file
        known = server.session.get(f"{server.url}/instances").json()
        assert sorted(known) == sorted(acknowledged)  # nothing of what was refused
        server.stop()
        # What was written and not acknowledged is removed at the next start, at the latest.
        with orthanc_lab.serve(folder=tmp_path, AwsS3Storage=section):
            assert len(keys_in(bucket)) == len(acknowledged)
