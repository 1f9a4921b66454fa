"""Many connections together unpack no more than the server allows, and are told when it is too much."""

from __future__ import annotations

import gzip
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import orthanc_lab
from orthanc_lab.testing.contracts.dicom_files import dicom
from tests.hostile.asking import refusal
from tests.memory.test_memory import forget_peak, memory

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"), pytest.mark.timeout(300)]
MB = 1 << 20
CLIENTS = 12


def test_many_bombs_at_once() -> None:
    content = gzip.compress(dicom(pixels=bytes(40 * MB)), compresslevel=1)
    with orthanc_lab.serve(process=True, MaximumUnpackedSize=64, MaximumStorageCacheSize=0) as server:
        server.session.get(f"{server.url}/system")
        forget_peak(server)
        before = memory(server)

        def upload(_: int) -> int:
            answer = server.session.post(
                f"{server.url}/instances", data=content, headers={"Content-Encoding": "gzip"}, timeout=120
            )
            if answer.status_code == 503:
                assert refusal(answer) == (503, 4)
                assert "MaximumUnpackedSize" in answer.json()["Details"]
            return answer.status_code

        with ThreadPoolExecutor(CLIENTS) as pool:
            statuses = set(pool.map(upload, range(CLIENTS)))
        growth = memory(server, "VmHWM") - before
        print(f"{CLIENTS} clients: {statuses}, grown by {growth:.0f} MiB")
        assert 200 in statuses
        assert statuses <= {200, 503}
        assert growth <= 200
        assert server.errors == []
