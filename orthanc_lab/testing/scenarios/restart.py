"""What outlives a stop and a new start."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

STORAGE = """
PUT /studies/{study}/metadata/1024 hello
PUT /studies/{study}/attachments/1025 attached
PUT /studies/{study}/labels/mine
PUT /patients/{patient2}/protected 1
PUT /peers/one ["http://127.0.0.1:1"]
PUT /tools/metrics 0
PUT /tools/log-level verbose
anonymous = POST /studies/{study2}/anonymize {}
DELETE /series/{series2}
RESTART
GET /patients
GET /studies/{study}
GET /studies/{study}/metadata?expand
GET /studies/{study}/attachments/1025/data
GET /studies/{study}/labels
GET /patients/{patient2}/protected
GET /instances/{a1}/file
GET /studies/{anonymous}/patient
GET /peers
GET /tools/metrics
GET /tools/log-level
PUT /tools/log-level default
GET /statistics
GET /changes?since=20
POST /studies/{study2}/anonymize {"Keep": ["SOPInstanceUID"], "Force": true}
POST /instances @b1
GET /changes?since=26
"""

JOBS = """
failed = POST /studies/{study}/modify {"Asynchronous": true, "Replace": {"Rows": "abc"}, "Priority": 2}
WAIT {failed}
done = POST /studies/{study2}/modify {"Asynchronous": true, "Replace": {"StudyDescription": "x"}}
WAIT {done}
HOLD
busy = POST /peers/held/store {"Resources": ["{a1}"], "Asynchronous": true}
WAIT {busy} Running
paused = POST /peers/held/store {"Resources": ["{a2}", "{a3}"], "Asynchronous": true, "Priority": -3}
POST /jobs/{paused}/pause
canceled = POST /peers/held/store {"Resources": ["{d1}"], "Asynchronous": true}
POST /jobs/{canceled}/cancel
LET GO
WAIT {busy}
RESTART
GET /jobs?expand
GET /jobs/{failed}
GET /jobs/{paused}
SEEN
POST /jobs/{paused}/resume
WAIT {paused}
GET /jobs/{paused}
SEEN
POST /jobs/{failed}/resubmit
WAIT {failed}
GET /jobs/{failed}
POST /jobs/{canceled}/resubmit
WAIT {canceled}
GET /jobs/{canceled}
GET /tools/metrics-prometheus
"""

ARCHIVES = """
archive = POST /studies/{study}/archive {"Asynchronous": true}
WAIT {archive}
RESTART
GET /jobs
GET /jobs/{archive}
GET /jobs/{archive}/archive
"""

SCENARIOS = [
    Scenario("restart-storage", STORAGE, TREE),
    Scenario("restart-jobs", JOBS, TREE, {"OrthancPeers": {"held": ["{peer}/"]}, "ConcurrentJobs": 1}, peer=True),
    Scenario(
        "restart-jobs-not-saved",
        JOBS.split("GET /jobs/{failed}", maxsplit=1)[0],
        TREE,
        {"OrthancPeers": {"held": ["{peer}/"]}, "ConcurrentJobs": 1, "SaveJobs": False},
        peer=True,
    ),
    Scenario("restart-archives", ARCHIVES, TREE),
]
