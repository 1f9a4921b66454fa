"""/changes and /exports."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

CHANGES = """
GET /changes
GET /changes?since=0&limit=3
GET /changes?since=3&limit=3
GET /changes?since=3
GET /changes?limit=2
GET /changes?since=10000
GET /changes?limit=0
GET /changes?since=x
GET /changes?limit=x
GET /changes?since=-1
GET /changes?limit=-1
GET /changes?last
GET /changes?last=true
GET /changes?to=4
GET /changes?to=4&limit=2
GET /changes?since=2&to=4
GET /changes?since=4&to=2
GET /changes?to=x
GET /changes?type=NewSeries
GET /changes?type=NewSeries;NewStudy
GET /changes?type=NewInstance&limit=2
GET /changes?type=NewInstance&since=4&limit=1
GET /changes?type=NewInstance&to=9
GET /changes?type=Nope
GET /changes?type=Deleted
GET /changes?type=
GET /changes?last&type=NewPatient
GET /changes?last&type=Nope
GET /changes?last&since=x
PUT /studies/{study}/metadata/1024 hello
PUT /studies/{study}/metadata/1024 hello
PUT /studies/{study}/attachments/1024 hello
DELETE /studies/{study}/metadata/1024
DELETE /studies/{study}/attachments/1024
GET /changes?since=15
GET /changes?type=UpdatedMetadata
GET /changes?type=UpdatedAttachment
DELETE /instances/{d1}
GET /changes
GET /changes?last
DELETE /changes
GET /changes
GET /changes?last
GET /statistics
POST /instances @d1
GET /changes
GET /exports
GET /exports?last
GET /exports?since=0&limit=3
DELETE /exports
GET /exports
"""

ARGUMENTS = """
GET /changes?type=All
GET /changes?type=all
GET /changes?type=ALL
GET /changes?type=All&limit=2
GET /changes?type=All;
GET /changes?type=All;NewStudy
GET /changes?type=NewStudy;All
GET /changes?type=NewStudy;
GET /changes?type=;NewStudy
GET /changes?type=NewStudy;;
GET /changes?type=;
GET /changes?type=Foo;Bar
GET /changes?type=newstudy
GET /changes?type=All&last
GET /changes?to=0
GET /changes?to=-1
GET /changes?to=-2
GET /changes?to=-5
GET /changes?to=-5&since=3
GET /changes?to=-5&type=NewStudy
GET /changes?to=-5&last
GET /changes?to=-5&limit=x
GET /changes?to=-1&since=3
"""

_NUMBERS = (
    *("0", "1", "2", "99", "2147483647", "-1", "-5", "a", "", "%2B1", "%201", "0x1", "1.0", "18446744073709551615"),
    *("9223372036854775808", "-9223372036854775809"),
)
_LARGE = ("4294967294", "4294967295", "4294967296", "99999999999", "-4294967295", "-4294967296")


def _numbers(resource: str, *, larger_since: tuple[str, ...] = ()) -> str:
    since = [f"since={number}" for number in (*_NUMBERS, *larger_since)]
    limits = [f"limit={number}" for number in (*_NUMBERS, *_LARGE)]
    arguments = [*since, *limits, *(f"since=1&{limit}" for limit in limits), *(f"{one}&limit=2" for one in since)]
    return "\n".join(f"GET /{resource}?{one}" for one in arguments)


SCENARIOS = [
    Scenario(
        "changes-numbers",
        _numbers("changes", larger_since=(*_LARGE, "9223372036854775807"))
        + "\nGET /changes?to=9223372036854775807&limit=2\nGET /changes?to=9223372036854775808&limit=2",
        TREE,
    ),
    Scenario(
        "changes-exports-numbers",
        _numbers("exports") + "\nGET /exports?since=1&last\nDELETE /exports\n" + _numbers("exports"),
        TREE + "\n".join(f"POST /peers/peer/store {{{name}}}" for name in ("a1", "d1", "a1")),
        {"OrthancPeers": {"peer": ["{peer}/"]}, "LogExportedResources": True},
        peer=True,
    ),
    Scenario("changes", CHANGES, TREE),
    Scenario("changes-arguments", ARGUMENTS, TREE),
    Scenario("changes-empty", "GET /changes\nGET /changes?last\nGET /changes?since=3\nDELETE /changes\nGET /changes"),
]
