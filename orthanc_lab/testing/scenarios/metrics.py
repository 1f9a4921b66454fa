"""Metrics."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

# The real server may note the duration of a request after the next one has come, so several come before they are shown.
ROUTES = """
GET /system
GET /system
GET /tools/metrics
GET /tools/metrics-prometheus
PUT /tools/metrics 0
GET /tools/metrics
GET /tools/metrics-prometheus
PUT /tools/metrics true
GET /tools/metrics
PUT /tools/metrics false
PUT /tools/metrics 1
PUT /tools/metrics  1
PUT /tools/metrics x
PUT /tools/metrics 2
PUT /tools/metrics "1"
PUT /tools/metrics True
PUT /tools/metrics
POST /tools/metrics 1
DELETE /tools/metrics
POST /tools/metrics-prometheus
PUT /tools/metrics-prometheus
GET /tools/metrics-prometheus
"""

USED = """
GET /tools/metrics-prometheus
GET /instances/{a1}/file
GET /instances/{a1}/tags
GET /instances/{a1}/attachments/dicom/data
GET /tools/metrics-prometheus
DELETE /instances/{a1}
GET /tools/metrics-prometheus
POST /studies/{study}/modify {"Replace": {"StudyDescription": "x"}}
GET /tools/metrics-prometheus
"""

SCENARIOS = [
    Scenario("metrics-first", "GET /tools/metrics-prometheus\nGET /patients\nGET /tools/metrics-prometheus"),
    Scenario("metrics-routes", ROUTES),
    Scenario("metrics-used", USED, TREE),
    Scenario(
        "metrics-off",
        "GET /tools/metrics\nGET /tools/metrics-prometheus\nPUT /tools/metrics 1\nGET /tools/metrics-prometheus",
        TREE,
        options={"MetricsEnabled": False},
    ),
]
