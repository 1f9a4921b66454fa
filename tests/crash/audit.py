"""What is asked of a server after a crash: every fact, and that nothing is half."""

import requests

from tests.crash.facts import md5
from tests.crash.load import members_of
from tests.waiting import until


def get(server, path):
    answer = requests.get(server.url + path, timeout=30)
    assert answer.status_code == 200, (path, answer.text)
    return answer


def check_instances(server, facts, checked):
    present = set(get(server, "/instances").json())
    expected = facts.expected()
    assert not expected - present, f"lost: {sorted(expected - present)[:5]}"
    assert not present - expected - facts.possible() - unanswered(server, present - expected), "came from nowhere"
    assert not present & facts.deleted, "deleted, and back again"
    for members in facts.maybe_zips:
        found = set(members) & present
        assert not found or found == set(members), "an upload ZIP was stored by half"
    facts.settle(present)
    for key in sorted(present & set(facts.stored) - checked):
        assert md5(get(server, f"/instances/{key}/file").content) == facts.stored[key], f"{key} has other bytes"
        assert get(server, f"/instances/{key}/attachments/dicom/md5").text == facts.stored[key]
        checked.add(key)
    statistics = get(server, "/statistics").json()
    assert statistics["CountInstances"] == len(present)
    for level in ("patients", "studies", "series"):
        assert statistics[f"Count{level.capitalize()}"] == len(get(server, f"/{level}").json())
    return present


def unanswered(server, keys):
    """Instances of /tools/create-dicom whose answer did not come: their identifiers are known to nobody."""
    return {key for key in keys if get(server, f"/instances/{key}/simplified-tags").json().get("PatientID") == "CRASH"}


def check_changes(server, facts, present):
    changes, since = [], 0
    while True:
        page = get(server, f"/changes?since={since}&limit=5000").json()
        changes += page["Changes"]
        since = page["Last"]
        if page["Done"]:
            break
    numbers = [change["Seq"] for change in changes]
    assert numbers == sorted(set(numbers)), "numbers of changes are not rising"
    new = [change["ID"] for change in changes if change["ChangeType"] == "NewInstance"]
    assert sorted(new) == sorted(present), "an instance without its one NewInstance, or one without its instance"
    assert since >= facts.last_change, "the number of the last change went back"
    facts.last_change = since


def check_jobs(server, facts):
    states = {job["ID"]: job for job in get(server, "/jobs?expand").json()}
    for key, known in facts.jobs.items():
        assert key in states, f"job {key} is lost"
        job = states[key]
        assert job["Priority"] == known["Priority"]
        if known["did"] == "pause":
            assert job["State"] in ("Paused", "Success"), job
        elif known["did"] == "cancel":
            assert job["State"] == "Success" or (job["State"], job["ErrorCode"]) == ("Failure", 37), job
        elif known["did"] is None:
            assert job["State"] in ("Pending", "Running", "Success"), job


def unfinished(server):
    return [job for job in get(server, "/jobs?expand").json() if job["State"] not in ("Success", "Failure")]


def resume_all(server):
    """Resume what is paused; return what has not ended."""
    jobs = unfinished(server)
    for job in jobs:
        if job["State"] == "Paused":
            requests.post(f"{server.url}/jobs/{job['ID']}/resume", timeout=30)
    return jobs


def finish_jobs(server, facts, most_archives):
    """Resume what is paused, or was to be, and wait for the end of all; the newest outputs must be whole."""
    until(lambda: not resume_all(server), seconds=60, what=lambda: f"jobs do not end: {unfinished(server)}")
    jobs = get(server, "/jobs?expand").json()
    assert all(job["ErrorCode"] in (0, 37) for job in jobs), [job for job in jobs if job["ErrorCode"] not in (0, 37)]
    outputs = 0
    for job in jobs:
        answer = requests.get(f"{server.url}/jobs/{job['ID']}/archive", timeout=30)
        if answer.status_code == 200:
            members = members_of(answer.content)
            assert len(members) <= job["Content"]["InstancesCount"] + (job["Type"] == "Media")
            outputs += 1
    assert outputs <= most_archives
    for known in facts.jobs.values():
        known["did"] = "ended"


def holds_dicom(path):
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
