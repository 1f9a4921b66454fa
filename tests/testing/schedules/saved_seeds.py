"""What a thousand seeds decide, as it was saved: after a change of the engine or of its events, run this module.

``python -m tests.testing.schedules.saved_seeds`` writes the file anew; with a number it prints as many digests.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orthanc_lab.protocol.seeded import RandomChoices
from orthanc_lab.testing import Simulation
from orthanc_lab.testing.schedules.counting_job import CountingJob

FILE = Path(__file__).with_suffix(".txt")
SEEDS = 1000


def digest(seed: int) -> str:
    """Run five jobs of ten steps under a seed, with commands and crashes; return the hash of their events."""
    with Simulation(RandomChoices(seed)) as simulation:
        jobs = simulation.jobs_engine()
        ids: list[str] = []
        for number in range(5):
            simulation.will(
                f"submit {number}",
                lambda number=number: ids.append(jobs.submit(CountingJob(10, str(number)), number % 3)),
            )
        simulation.will("cancel", lambda: ids and jobs.engine.cancel(ids[0]))
        simulation.will("pause", lambda: ids and jobs.engine.pause(ids[-1]))
        simulation.may("resume", lambda: [jobs.engine.resume(id) for id in ids], times=2)
        simulation.may("crash", jobs.crash, times=2)
        simulation.run()
        simulation.raise_errors()
        return jobs.digest()[:12]


def digests(seeds: int) -> list[str]:
    """Return what the first seeds decide."""
    return [digest(seed) for seed in range(seeds)]


def saved(seeds: int) -> list[str]:
    """Return what was saved of the first seeds."""
    return FILE.read_text(encoding="ascii").split()[:seeds]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(" ".join(digests(int(sys.argv[1]))))
    else:
        FILE.write_text("\n".join(digests(SEEDS)) + "\n", encoding="ascii")
