"""Every fact is asked of every server."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

from orthanc_lab.testing.cluster import OrthancCluster
from tests.cluster.files import check_files
from tests.crash.audit import check_changes, check_instances, check_jobs, get
from tests.crash.facts import Facts
from tests.waiting import until

__all__ = ["Audit"]


class Audit:
    """What was seen of a cluster so far, and must stay true.

    Parameters
    ----------
    database
        URI of the database, if the files are in the folder of the cluster.
    """

    def __init__(self, cluster: OrthancCluster, facts: Facts, database: str = "") -> None:
        self.cluster = cluster
        self._database = database
        self.facts = facts
        self.checked: dict[str, set[str]] = defaultdict(set)  # URL -> instances whose files were compared there
        self._ended: dict[str, dict[str, Any]] = {}  # jobs that were seen to have ended

    def check(self) -> None:
        """Compare all facts with what each server answers, and the servers with each other."""
        changes: list[dict[str, Any]] = []
        for server in self.cluster.servers:
            present = check_instances(server, self.facts, self.checked[server.url])
            check_changes(server, self.facts, present)
            unobeyed = partial(self._unobeyed, server)
            until(lambda unobeyed=unobeyed: not unobeyed(), what=lambda unobeyed=unobeyed: f"not obeyed: {unobeyed()}")
            check_jobs(server, self.facts)
            later = get(server, "/changes?limit=1000000").json()["Changes"]
            assert later[: len(changes)] == changes, f"{server.url} shows other changes"
            changes = later
        assert len({get(server, "/jobs").text for server in self.cluster.servers}) == 1
        self.check_ended()
        if self._database:
            check_files(self._database, self.cluster.folder / "files")

    def _unobeyed(self, server: Any) -> list[dict[str, Any]]:
        """Return what runs and was to be paused or canceled: the job of a killed server, until its lease ends."""
        commanded = {id for id, known in self.facts.jobs.items() if known["did"] in ("pause", "cancel")}
        jobs = get(server, "/jobs?expand").json()
        return [job for job in jobs if job["ID"] in commanded and job["State"] == "Running"]

    def check_ended(self) -> None:
        """No job that has succeeded is run again: its end and its outputs stay as they were."""
        for server in self.cluster.servers:
            for job in get(server, "/jobs?expand").json():
                if job["State"] == "Success":
                    del job["Timestamp"]
                    assert self._ended.setdefault(job["ID"], job) == job, "a job ended twice"
