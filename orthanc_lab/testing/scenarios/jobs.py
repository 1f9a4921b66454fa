"""The jobs engine: routes, states and commands, bodies, errors, outputs."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

PEER = {"OrthancPeers": {"held": ["{peer}/"]}, "ConcurrentJobs": 1}

# One worker, kept busy by an upload that the peer does not answer.
BUSY = (
    TREE
    + """
HOLD
busy = POST /peers/held/store {"Resources": ["{a1}"], "Asynchronous": true}
WAIT {busy} Running
"""
)

UNKNOWN = """
GET /jobs
GET /jobs?expand
GET /jobs/nope
DELETE /jobs/nope
GET /jobs/nope/archive
DELETE /jobs/nope/archive
POST /jobs/nope/cancel
POST /jobs/nope/pause
POST /jobs/nope/resume
POST /jobs/nope/resubmit
POST /jobs/nope/nope
GET /jobs/nope/cancel
PUT /jobs/nope/cancel
DELETE /jobs/nope/cancel
DELETE /jobs
"""

EXPAND = """
job = POST /studies/{study}/archive {"Asynchronous": true}
WAIT {job}
job2 = POST /studies/{study2}/media {"Asynchronous": true, "Priority": -7}
WAIT {job2}
GET /jobs
GET /jobs?expand
GET /jobs?expand=
GET /jobs?expand=1
GET /jobs?expand=true
GET /jobs?expand=false
GET /jobs?expand=0
GET /jobs?expand=no
GET /jobs?expand&since=0&limit=1
GET /jobs?since=0&limit=1
GET /jobs?short
GET /jobs [Accept: application/xml]
GET /jobs/{job} [Accept: application/xml]
GET /jobs/{job}?expand
"""

COMMANDS = """
GET /jobs/{job}
POST /jobs/{job}/resume
GET /jobs/{job}
POST /jobs/{job}/resubmit
DELETE /jobs/{job}
GET /jobs/{job}/archive
DELETE /jobs/{job}/archive
POST /jobs/{job}/pause some body
POST /jobs/{job}/cancel {"x": 1}
"""

PENDING = """
GET /jobs/{busy}
job = POST /studies/{study}/modify {"Asynchronous": true, "Replace": {"StudyDescription": "x"}, "Priority": 3}
GET /jobs/{job}
GET /jobs?expand
GET /tools/metrics-prometheus
POST /jobs/{job}/resume
POST /jobs/{job}/resubmit
DELETE /jobs/{job}
GET /jobs/{job}/archive
POST /jobs/{job}/pause
GET /jobs/{job}
GET /tools/metrics-prometheus
POST /jobs/{job}/pause
POST /jobs/{job}/resubmit
DELETE /jobs/{job}
POST /jobs/{job}/resume
GET /jobs/{job}
POST /jobs/{job}/resume
POST /jobs/{job}/cancel
GET /jobs/{job}
POST /jobs/{job}/cancel
POST /jobs/{job}/pause
GET /jobs/{job}
POST /jobs/{job}/resume
POST /jobs/{job}/resubmit
GET /jobs/{job}
POST /jobs/{job}/pause
POST /jobs/{job}/cancel
GET /jobs/{job}
GET /tools/metrics-prometheus
DELETE /jobs/{job}
GET /jobs/{job}
DELETE /jobs/{job}
archive = POST /studies/{study}/archive {"Asynchronous": true}
GET /jobs/{archive}
GET /jobs/{archive}/archive
POST /jobs/{archive}/pause
GET /jobs/{archive}
POST /jobs/{archive}/resume
POST /jobs/{archive}/cancel
GET /jobs/{archive}
POST /jobs/{archive}/resubmit
GET /jobs/{archive}
GET /jobs/{archive}/archive
POST /jobs/{archive}/archive
DELETE /jobs/{archive}
LET GO
WAIT {busy}
GET /jobs/{busy}
SEEN
"""

RUNNING = """
more = POST /peers/held/store {"Resources": ["{a1}", "{a2}", "{d1}"], "Asynchronous": true, "Priority": -1}
POST /jobs/{busy}/resume
POST /jobs/{busy}/resubmit
DELETE /jobs/{busy}
GET /jobs/{busy}/archive
POST /jobs/{busy}/pause
GET /jobs/{busy}
LET GO
WAIT {busy}
WAIT {more}
GET /jobs?expand
GET /tools/metrics-prometheus
"""

RUNNING_TWO_STEPS = """
busy = POST /peers/held/store {"Resources": ["{a1}", "{a2}"], "Asynchronous": true}
WAIT {busy} Running
POST /jobs/{busy}/{command}
GET /jobs/{busy}
LET GO
WAIT {busy} {state}
GET /jobs/{busy}
GET /tools/metrics-prometheus
POST /jobs/{busy}/resume
WAIT {busy}
GET /jobs/{busy}
POST /jobs/{busy}/resubmit
WAIT {busy}
GET /jobs/{busy}
SEEN
"""

PRIORITIES = """
low = POST /peers/held/store {"Resources": ["{a1}"], "Asynchronous": true, "Priority": -5}
high = POST /peers/held/store {"Resources": ["{a2}", "{a3}"], "Asynchronous": true, "Priority": 5}
normal = POST /peers/held/store {"Resources": ["{a1}", "{a2}", "{a3}"], "Asynchronous": true}
largest = POST /peers/held/store {"Resources": ["{series}"], "Asynchronous": true, "Priority": 2147483647}
smallest = POST /peers/held/store {"Resources": ["{study}"], "Asynchronous": true, "Priority": -2147483648}
GET /jobs?expand
LET GO
WAIT {smallest}
SEEN
GET /jobs?expand
"""

FIELDS = """
POST /studies/{study}/archive {"Asynchronous": "true"}
POST /studies/{study}/archive {"Asynchronous": 1}
POST /studies/{study}/archive {"Asynchronous": 0}
POST /studies/{study}/archive {"Asynchronous": null}
POST /studies/{study}/archive {"Synchronous": "x"}
POST /studies/{study}/archive {"Synchronous": true}
POST /studies/{study}/archive {"Synchronous": true, "Asynchronous": true}
POST /studies/{study}/archive {"Synchronous": true, "Asynchronous": 1}
POST /studies/{study}/archive {"asynchronous": true}
POST /studies/{study}/archive {"Priority": "1"}
POST /studies/{study}/archive {"Priority": 1.5}
POST /studies/{study}/archive {"Priority": 1.0}
POST /studies/{study}/archive {"Priority": null}
POST /studies/{study}/archive {"Priority": true}
POST /studies/{study}/archive {"Priority": 2147483648}
POST /studies/{study}/archive {"Priority": -2147483649}
POST /studies/{study}/archive {"Priority": 100000000000000000000}
POST /studies/{study}/archive {"Permissive": 1}
POST /studies/{study}/modify {"Permissive": 1}
POST /studies/{study}/modify {"Priority": "x"}
POST /studies/{study}/modify {"Asynchronous": "x"}
POST /studies/{study}/anonymize {"Asynchronous": 1}
POST /studies/{study}/split {"Asynchronous": 1, "Series": ["{series}"]}
POST /studies/{study}/merge {"Asynchronous": 1, "Resources": ["{study2}"]}
POST /tools/bulk-modify {"Asynchronous": 1, "Resources": ["{study2}"]}
POST /tools/create-archive {"Asynchronous": 1, "Resources": ["{study2}"]}
POST /tools/create-media {"Priority": "x", "Resources": ["{study2}"]}
GET /jobs?expand
job = POST /studies/{study2}/archive {"Synchronous": false, "Asynchronous": false, "UserData": {"a": 1}, "Foo": 2}
WAIT {job}
GET /jobs/{job}
"""

SYNCHRONOUS = """
POST /studies/{study}/modify {"Replace": {"StudyDescription": "x"}, "Priority": 4}
POST /series/{series2}/anonymize {}
POST /studies/{study}/archive {"Priority": 2}
GET /series/{series}/archive
POST /studies/{study2}/modify {"Replace": {"Rows": "abc"}}
GET /jobs
"""

OUTPUTS = """
one = POST /studies/{study}/archive {"Asynchronous": true, "Filename": "mine.zip"}
WAIT {one}
GET /jobs/{one}/archive
GET /jobs/{one}/archive
GET /jobs/{one}/archive [Range: bytes=0-3]
HEAD /jobs/{one}/archive
GET /jobs/{one}/nope
GET /jobs/{one}/archive/nope
two = POST /tools/create-media {"Asynchronous": true, "Resources": ["{a1}", "{series3}"]}
WAIT {two}
GET /jobs/{one}/archive
GET /jobs/{one}
GET /jobs/{two}/archive
DELETE /jobs/{two}/archive
DELETE /jobs/{two}/archive
GET /jobs/{two}/archive
GET /jobs/{two}
DELETE /jobs/{two}
GET /jobs/{two}
GET /jobs/{two}/archive
DELETE /jobs/{one}
GET /jobs
"""

SCENARIOS = [
    Scenario("jobs-unknown", UNKNOWN),
    Scenario("jobs-expand", EXPAND, TREE),
    Scenario(
        "jobs-success",
        'job = POST /studies/{study}/archive {"Asynchronous": true}\nWAIT {job}\n' + COMMANDS + "DELETE /jobs/{job}",
        TREE,
    ),
    Scenario(
        "jobs-failure",
        'job = POST /studies/{study}/modify {"Asynchronous": true, "Replace": {"Rows": "abc"}}\n'
        "WAIT {job}\nGET /jobs/{job}\nPOST /jobs/{job}/resume\nPOST /jobs/{job}/cancel\nPOST /jobs/{job}/pause\n"
        "POST /jobs/{job}/resubmit\nWAIT {job}\nGET /jobs/{job}\nGET /tools/metrics-prometheus\n"
        "DELETE /jobs/{job}\nGET /jobs",
        TREE,
    ),
    Scenario("jobs-pending", PENDING, BUSY, PEER, peer=True),
    Scenario("jobs-running", RUNNING, BUSY, PEER, peer=True),
    Scenario(
        "jobs-running-paused",
        RUNNING_TWO_STEPS.replace("{command}", "pause").replace("{state}", "Paused"),
        TREE + "HOLD",
        PEER,
        peer=True,
    ),
    Scenario(
        "jobs-running-canceled",
        RUNNING_TWO_STEPS.replace("{command}", "cancel").replace("{state}", "Failure"),
        TREE + "HOLD",
        PEER,
        peer=True,
    ),
    Scenario("jobs-priorities", PRIORITIES, BUSY, PEER, peer=True),
    Scenario("jobs-fields", FIELDS, TREE),
    Scenario("jobs-synchronous", SYNCHRONOUS, TREE),
    Scenario("jobs-outputs", OUTPUTS, TREE),
]
