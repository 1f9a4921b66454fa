"""/storage-commitment: the bodies, and what is not there; tests/network has the conversations with nodes."""

from __future__ import annotations

import json
from typing import Any

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

_CT = "1.2.840.10008.5.1.4.1.1.2"
_BODIES: tuple[Any, ...] = (
    {},
    {"Resources": []},
    {"Resources": ["nope"]},
    {"Resources": ["66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"]},
    {"Resources": "66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"},
    {"Resources": [1]},
    {"Resources": ["{study}"]},
    {"Resources": ["{a1}", "{a1}"], "DicomInstances": [[_CT, "1.2.3"]]},
    ["{a1}"],
    "{a1}",
    None,
    {"DicomInstances": []},
    {"DicomInstances": ["x"]},
    {"DicomInstances": [{}]},
    {"DicomInstances": [{"SOPClassUID": _CT}]},
    {"DicomInstances": [{"SOPClassUID": 1, "SOPInstanceUID": "1"}]},
    {"DicomInstances": {}},
    {"DicomInstances": "x"},
    {"DicomInstances": [{"SOPClassUID": _CT, "SOPInstanceUID": "1.2.3"}]},
    {"DicomInstances": [[_CT, "1.2.3"]]},
    {"DicomInstances": [["a"]]},
    {"Resources": ["{a1}"], "Timeout": "x"},
    {"Resources": ["{a1}"], "Timeout": -1},
    {"Resources": ["{a1}"], "Timeout": 3},
)
_OTHERS = """
POST /modalities/dead/storage-commitment
POST /modalities/zz/storage-commitment {"Resources": ["{a1}"]}
GET /modalities/dead/storage-commitment
GET /storage-commitment
GET /storage-commitment/zz
GET /storage-commitment/zz/remove
GET /storage-commitment/zz/other
POST /storage-commitment/zz
POST /storage-commitment/zz/remove
DELETE /storage-commitment/zz
"""

SCENARIOS = [
    Scenario(
        "storage-commitment",
        "\n".join(f"POST /modalities/dead/storage-commitment {json.dumps(body)}" for body in _BODIES) + _OTHERS,
        TREE,
        {"DicomModalities": {"dead": ["DEAD", "127.0.0.1", 9]}},
    ),
]
