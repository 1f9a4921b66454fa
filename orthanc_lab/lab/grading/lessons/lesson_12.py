"""12 · Schedules. The first two exercises are judged by running them, which the check of the lesson does."""

from __future__ import annotations

from orthanc_lab import samples
from orthanc_lab.client.client import Client
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, require
from orthanc_lab.protocol.seeded import seeded
from orthanc_lab.server.embedding.serve import in_process

SERVERS = ()
_MOST_STEPS = 1000


def _third_is_faster(evidence: Evidence) -> None:
    """Run the three jobs of the lesson under the student's seed, on a server of our own."""
    seed = evidence.values["seed"]
    require(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0, "it is not a seed")
    with in_process(executor=seeded(int(seed)), ConcurrentJobs=2) as server:
        client = Client.from_server(server)
        client.upload(samples.path("ct"))
        study = client.studies.find()[0]
        _, second, third = [study.anonymize() for _ in range(3)]
        for _ in range(_MOST_STEPS):
            if not server.step() or third.refresh().progress:
                break
        require(third.progress > 0 and second.refresh().progress == 0, "the second job is faster under this seed")


CRITERIA = {3: Criterion({"seed": "seed"}, _third_is_faster)}
