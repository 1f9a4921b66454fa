"""What is kept of jobs: JobsHistorySize, MediaArchiveSize, deleted instances."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

NO_HISTORY = """
GET /system
POST /studies/{study}/modify {"Replace": {"StudyDescription": "x"}}
POST /studies/{study}/archive
POST /studies/{study}/archive {}
GET /studies/{study}/media
job = POST /studies/{study}/archive {"Asynchronous": true}
WAIT {job}
GET /jobs/{job}
GET /jobs/{job}/archive
GET /jobs
GET /tools/metrics-prometheus
"""

SHORT_HISTORY = """
one = POST /studies/{study}/archive {"Asynchronous": true}
WAIT {one}
two = POST /studies/{study2}/archive {"Asynchronous": true}
WAIT {two}
three = POST /studies/{study3}/archive {"Asynchronous": true}
WAIT {three}
four = POST /studies/{study}/modify {"Replace": {"Rows": "abc"}, "Asynchronous": true}
WAIT {four}
GET /jobs
GET /jobs/{one}
GET /jobs/{one}/archive
GET /jobs/{two}
POST /studies/{study}/modify {"Replace": {"StudyDescription": "x"}}
GET /jobs/{two}
GET /jobs/{three}
GET /jobs/{three}/archive
POST /jobs/{four}/resubmit
WAIT {four}
GET /jobs/{four}
GET /orthanc-lab/events
GET /orthanc-lab/jobs/{four}/waiting
GET /tools/metrics-prometheus
"""

KEPT_ARCHIVES = """
one = POST /studies/{study}/archive {"Asynchronous": true}
WAIT {one}
two = POST /studies/{study2}/media {"Asynchronous": true}
WAIT {two}
GET /jobs/{one}/archive
three = POST /studies/{study3}/archive {"Asynchronous": true}
WAIT {three}
GET /jobs/{one}/archive
GET /jobs/{two}/archive
GET /jobs/{three}/archive
DELETE /jobs/{one}/archive
four = POST /studies/{study}/archive {"Asynchronous": true}
WAIT {four}
GET /jobs/{three}/archive
GET /jobs/{four}/archive
GET /jobs/{two}
"""

VANISHED = """
archive = POST /studies/{study}/archive {"Asynchronous": true}
modify = POST /studies/{study}/modify {"Asynchronous": true, "Replace": {"StudyDescription": "x"}}
lenient = POST /studies/{study}/anonymize {"Asynchronous": true, "Permissive": true}
merge = POST /studies/{study2}/merge {"Asynchronous": true, "Resources": ["{study}"], "KeepSource": true}
split = POST /studies/{study}/split {"Asynchronous": true, "Series": ["{series}"], "KeepSource": true}
GET /jobs/{merge}
GET /jobs/{split}
GET /jobs/{lenient}
DELETE /instances/{a2}
LET GO
WAIT {split}
WAIT {archive}
WAIT {modify}
WAIT {lenient}
WAIT {merge}
GET /jobs/{archive}
GET /jobs/{archive}/archive
GET /jobs/{modify}
GET /jobs/{lenient}
GET /jobs/{merge}
GET /jobs/{split}
"""

SCENARIOS = [
    Scenario("jobs-no-history", NO_HISTORY, TREE, options={"JobsHistorySize": 0}),
    Scenario("jobs-short-history", SHORT_HISTORY, TREE, options={"JobsHistorySize": 3, "MediaArchiveSize": 10}),
    Scenario("jobs-kept-archives", KEPT_ARCHIVES, TREE, options={"MediaArchiveSize": 2}),
    Scenario(
        "jobs-vanished-instances",
        VANISHED,
        TREE
        + """
        HOLD
        busy = POST /peers/held/store {"Resources": ["{d1}"], "Asynchronous": true, "Priority": 10}
        WAIT {busy} Running
        """,
        options={
            "OrthancPeers": {"held": ["{peer}/"]},
            "ConcurrentJobs": 1,
            "JobsEngineThreadsCount": {"ResourceModification": 1},
        },
        peer=True,
    ),
]
