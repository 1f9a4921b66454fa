"""/split and /merge of studies."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

SPLIT = """
POST /studies/{study}/split {}
POST /studies/{study}/split
POST /studies/{study}/split []
POST /studies/{study}/split null
POST /studies/{study}/split 1
POST /studies/{study}/split "x"
POST /studies/{study}/split {
POST /studies/nope/split {"Series": ["{series}"]}
POST /studies/{study}/split {"Series": ["{series3}"]}
POST /studies/{study}/split {"Series": ["nope"]}
POST /studies/{study}/split {"Series": "x"}
POST /studies/{study}/split {"Series": []}
POST /studies/{study}/split {"Instances": ["nope"]}
POST /studies/{study}/split {"Series": ["{series}"], "Replace": {"SeriesDescription": "x"}}
POST /studies/{study}/split {"Series": ["{series}"], "Replace": {"StudyInstanceUID": "1.2"}}
POST /studies/{study}/split {"Series": ["{series}"], "Remove": ["Modality"]}
POST /studies/{study}/split {"Series": ["{series}"], "Replace": {"Foo": "x"}}
POST /studies/{study}/split {"Series": ["{series}"], "Replace": []}
POST /studies/{study}/split {"Series": ["{series}"], "KeepSource": 1}
PUT /studies/{study}/labels/mine
job = POST /studies/{study}/split {"Series": ["{series2}"], "Replace": {"PatientName": "Split"}, "KeepSource": true,
+ "KeepLabels": true, "Remove": ["StudyDate"], "Asynchronous": true}
WAIT {job}
target:Content.TargetStudy = GET /jobs/{job}
GET /studies/{target}
GET /studies/{target}/metadata?expand
one:0 = POST /tools/find {"Level": "Instance", "ParentStudy": "{target}", "Query": {"InstanceNumber": "1"}}
GET /instances/{one}/file
target2:TargetStudy = POST /studies/{study}/split {"Instances": ["{a1}", "{a2}"]}
GET /studies/{target2}
GET /studies/{target2}/series
GET /studies/{study}
GET /statistics
GET /changes
"""

MERGE = """
POST /studies/nope/merge {"Resources": ["{study}"]}
POST /studies/{study}/merge {}
POST /studies/{study}/merge
POST /studies/{study}/merge []
POST /studies/{study}/merge {
POST /studies/{study}/merge {"Resources": []}
POST /studies/{study}/merge {"Resources": ["nope"]}
POST /studies/{study}/merge {"Resources": ["{study}"]}
POST /studies/{study}/merge {"Resources": ["{series}"]}
POST /studies/{study}/merge {"Resources": ["{patient2}"]}
POST /studies/{study}/merge {"Resources": [12]}
POST /studies/{study}/merge {"Resources": ["{study2}"], "KeepSource": 1}
GET /statistics
POST /studies/{study}/merge {"Resources": ["{study3}"], "KeepSource": true}
GET /studies/{study}
GET /studies/{study}/series
one:0 = POST /tools/find {"Level": "Instance", "ParentStudy": "{study}", "Query": {"Modality": "PT"}}
GET /instances/{one}/file
job = POST /studies/{study}/merge {"Resources": ["{series3}"], "Asynchronous": true}
WAIT {job}
GET /jobs/{job}
GET /studies/{study2}
POST /studies/{study}/merge {"Resources": ["{d1}"]}
GET /statistics
GET /studies/{study}
"""

TWICE = """
target:TargetStudy = POST /studies/{study}/split {"Series": ["{series}", "{series}"], "KeepSource": true}
GET /studies/{target}/statistics
POST /studies/{study2}/merge {"Resources": ["{series}", "{study}"], "KeepSource": true}
GET /studies/{study2}/statistics
"""

SCENARIOS = [
    Scenario("split", SPLIT, TREE),
    Scenario("merge", MERGE, TREE),
    Scenario("split-merge-twice", TWICE, TREE),
]
