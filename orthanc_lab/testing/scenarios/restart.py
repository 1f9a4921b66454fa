"""What outlives a stop and a new start."""

import json

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

# Main DICOM tags that are kept later, or no longer.
_TAGS = {
    "Instance": ["Rows"],
    "Series": ["WindowCenter"],
    "Study": ["BitsAllocated"],
    "Patient": ["SamplesPerPixel"],
}
_EACH = [tag for tags in _TAGS.values() for tag in tags]
_REQUESTED = "\n".join(
    f"GET /instances/{{a1}}?requestedTags={tags}" for tags in (*_EACH, ";".join([*_EACH, "Columns"]))
)


def _found(*contents: str) -> str:
    bodies = (
        {"Level": level, "Query": {}, "ResponseContent": content.split(), "RequestedTags": _EACH}
        for level in _TAGS
        for content in contents
    )
    return "\n".join(f"POST /tools/find {json.dumps(body)}" for body in bodies)


MORE_TAGS = f"""
RESTART {json.dumps({"ExtraMainDicomTags": _TAGS})}
{_REQUESTED}
{_found("RequestedTags", "RequestedTags Metadata", "RequestedTags MainDicomTags")}
POST /instances @c1-other-series
POST /instances @a3
{_REQUESTED}
GET /instances/{{a1}}
POST /instances/{{a1}}/reconstruct
{_REQUESTED}
GET /instances/{{a1}}
GET /instances/{{a2}}?requestedTags=Rows
"""
FEWER_TAGS = f"""
GET /instances/{{a1}}
RESTART {{"ExtraMainDicomTags": {{}}}}
GET /instances/{{a1}}
GET /instances/{{a1}}?full
GET /instances?expand
{_REQUESTED}
{_found("MainDicomTags", "MainDicomTags Metadata")}
"""

# Limits that are new.
PATIENTS = """
d1, protected:ParentPatient = POST /instances @d1
PUT /patients/{protected}/protected 1
POST /instances @nested
POST /instances @a1
"""
LIMITS = """
RESTART {options}
GET /patients
GET /changes
GET /statistics
POST /instances @a2
POST /instances @ct
GET /patients
"""

SCENARIOS = [
    Scenario("restart-more-main-tags", MORE_TAGS, TREE),
    Scenario("restart-fewer-main-tags", FEWER_TAGS, TREE, {"ExtraMainDicomTags": _TAGS}),
    Scenario("restart-fewer-patients", LIMITS.replace("{options}", '{"MaximumPatientCount": 2}'), PATIENTS),
    Scenario(
        "restart-fewer-patients-rejected",
        """
        RESTART {"MaximumPatientCount": 2, "MaximumStorageMode": "Reject"}
        GET /patients
        """,
        PATIENTS,
    ),
    Scenario(
        "restart-less-storage",
        LIMITS.replace("{options}", '{"MaximumStorageSize": 1}'),
        "\n".join(f"POST /instances @large-{number}" for number in range(5)),
    ),
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
