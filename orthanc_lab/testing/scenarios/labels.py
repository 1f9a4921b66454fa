"""Labels."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

LABELS = """
PUT /studies/{study}/labels/one
PUT /studies/{study}/labels/one
PUT /studies/{study}/labels/Two-2_x some body
PUT /patients/{patient}/labels/three
PUT /series/{series}/labels/three
PUT /instances/{a1}/labels/four
GET /studies/{study}/labels
GET /studies/{study}/labels/one
GET /studies/{study}/labels/nope
GET /studies/{study}
GET /tools/labels
PUT /studies/{study}/labels/a%20b
PUT /studies/{study}/labels/%C3%A9
PUT /studies/{study}/labels/a.b
PUT /studies/{study}/labels/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
PUT /studies/{study}/labels/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
GET /studies/{study}/labels/a.b
DELETE /studies/{study}/labels/a.b
PUT /studies/nope/labels/x
GET /studies/nope/labels/x
DELETE /studies/nope/labels/x
PUT /studies/{series}/labels/x
DELETE /studies/{study}/labels/one
DELETE /studies/{study}/labels/one
GET /studies/{study}/labels
GET /tools/labels
GET /changes
"""

SEARCH = """
PUT /studies/{study}/labels/one
PUT /studies/{study}/labels/two
PUT /studies/{study2}/labels/two
PUT /instances/{a1}/labels/one
POST /tools/find {"Level": "Study", "Query": {}, "Labels": ["one"]}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": ["one", "two"]}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": ["one", "two"], "LabelsConstraint": "Any"}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": ["one", "two"], "LabelsConstraint": "None"}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": ["one", "two"], "LabelsConstraint": "All"}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": ["one"], "LabelsConstraint": "Some"}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": []}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": [], "LabelsConstraint": "None"}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": ["nope"]}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": "one"}
POST /tools/find {"Level": "Study", "Query": {}, "Labels": [1]}
POST /tools/find {"Level": "Instance", "Query": {}, "Labels": ["one"], "Expand": true}
POST /tools/count-resources {"Level": "Study", "Query": {}, "Labels": ["two"]}
"""

PATHS = """
PUT /studies/{study}/labels/%C3%A9
PUT /studies/{study}/labels/%C3%A9/
DELETE /studies/nope/labels/%E6%97%A5//
GET /studies/nope/metadata/%C3%A9/
GET /%C3%A9/
GET /%FF/
"""

LETTERS = """
PUT /studies/{study}/labels/é
GET /studies/{study}/labels/é
DELETE /studies/{study}/labels/é
PUT /instances/{a1}/labels/日本
PUT /studies/{study}/labels/%E9
PUT /studies/{study}/labels/%F0%9F%98%80
PUT /studies/{study}/labels/a%00b
PUT /studies/{study}/labels/a%2Fb
PUT /studies/{study}/labels/%zz
PUT /studies/{study}/labels/
GET /studies/{study}/labels
"""

SCENARIOS = [
    Scenario("labels-paths", PATHS, TREE),
    Scenario("labels-routes", LABELS, TREE),
    Scenario("labels-search", SEARCH, TREE),
    Scenario("labels-letters", LETTERS, TREE),
]
