"""What this server refuses to unpack or to compare, and the real one takes its time for, or the other way round."""

from orthanc_lab.testing.scenario import Scenario

__all__ = ["SCENARIOS"]

_PATTERNS = ("*a*a*a*a*a*b", "*a*a*b", "*a*b", "*a?a*", "a?a*a", "*", "**", "?" * 112, "?" * 111, "*" + "a" * 113)


_JSON_NUMBERS = (
    *("2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615"),
    *("18446744073709551616", "-2147483649", "-9223372036854775808", "-9223372036854775809", "1e400", "-1e400", "-0.5"),
)

_NUMBERS_IN = """
PUT /modalities/x {"AET": "A", "Host": "h", "Port": NUMBER}
PUT /modalities/x {"AET": "A", "Host": "h", "Port": "NUMBER"}
PUT /modalities/x ["A", "h", NUMBER]
PUT /modalities/x {"AET": "A", "Host": "h", "Port": 104, "Timeout": NUMBER}
PUT /peers/x {"Url": "http://127.0.0.1:9/", "Timeout": NUMBER}
PUT /peers/x {"Url": "http://127.0.0.1:9/", "Property": NUMBER}
POST /modalities/known/echo {"Timeout": NUMBER}
POST /modalities/known/query {"Level": "Study", "Query": {}, "Timeout": NUMBER}
POST /modalities/known/move {"Level": "Study", "Resources": [{}], "TargetAet": "A", "Timeout": NUMBER}
POST /modalities/known/store {"Resources": ["{a1}"], "Timeout": NUMBER}
POST /modalities/known/store {"Resources": ["{a1}"], "Port": NUMBER}
POST /modalities/known/store {"Resources": ["{a1}"], "MoveOriginatorID": NUMBER}
POST /modalities/known/store {"Resources": ["{a1}"], "Priority": NUMBER}
POST /modalities/known/storage-commitment {"Resources": [], "Timeout": NUMBER}
POST /tools/dicom-echo {"AET": "A", "Host": "127.0.0.1", "Port": NUMBER}
POST /peers/known/store {"Resources": ["{a1}"], "Priority": NUMBER}
POST /tools/create-archive {"Resources": ["{a1}"], "Priority": NUMBER}
POST /tools/bulk-modify {"Resources": ["{a1}"], "Priority": NUMBER}
POST /tools/find {"Level": "Study", "Query": {}, "RequestedTags": [NUMBER]}
POST /tools/find {"Level": "Study", "Query": {}, "Limit": NUMBER}
POST /tools/find {"Level": "Study", "Query": {}, "Since": NUMBER}
POST /tools/create-archive {"Resources": ["nope"], "Transcode": NUMBER, "LossyQuality": NUMBER}
"""


def _nested(depth: int) -> str:
    return '{"ReferencedImageSequence": [' * depth + "{}" + "]}" * depth


def _finds(tag: str) -> str:
    body = '{{"Level": "Instance", "Query": {{"{tag}": "{pattern}"}}}}'
    return "\n".join("POST /tools/find " + body.format(tag=tag, pattern=pattern) for pattern in _PATTERNS)


SCENARIOS = [
    Scenario(
        "limits-wildcards",
        'POST /tools/create-dicom {"DerivationDescription": "'
        + "a" * 112
        + '"}\n'
        + _finds("DerivationDescription")
        + "\n"
        + _finds("PatientComments"),
    ),
    Scenario(
        "limits-patterns",
        """
        POST /tools/create-dicom {"PatientName": "a", "DerivationDescription": "a"}
        POST /tools/find @find-long-pattern-Study
        POST /tools/find @find-long-pattern-Instance
        """,
    ),
    Scenario(
        "limits-common-tags",
        """
        POST /tools/create-dicom @create-common-tags
        """,
    ),
    Scenario(
        "limits-numbers",
        "\n".join(
            f'POST /tools/create-dicom {{"Tags": {{"{tag}": "{value}"}}}}'
            for tag in (
                "DiffusionBValue",
                "RecommendedDisplayFrameRateInFloat",
                "Rows",
                "WindowCenter",
                "InstanceNumber",
            )
            for value in (
                "0" * 50 + "1.5",
                "0" * 90 + "1.5",
                "1" * 500,
                "1" * 500 + "x",
                "1e" + "9" * 100,
                "0" * 90 + "7",
            )
        ),
    ),
    Scenario(
        "limits-json-numbers",
        "\n".join(_NUMBERS_IN.replace("NUMBER", number) for number in _JSON_NUMBERS),
        "a1 = POST /instances @a1",
        options={
            "DicomModalities": {"known": ["A", "127.0.0.1", 9]},
            "OrthancPeers": {"known": ["http://127.0.0.1:9/"]},
        },
    ),
    Scenario(
        "limits-quality",
        "\n".join(
            f"GET /instances/{{a1}}/file?transcode=1.2.840.10008.1.2.4.50&lossy-quality={quality}"
            for quality in ("+x", "++5", "+", "-5", "+4294967296", "+0101")
        ),
        "a1 = POST /instances @a1",
    ),
    Scenario(
        "limits-nesting",
        "\n".join(f'POST /tools/create-dicom {{"Tags": {_nested(depth)}}}' for depth in (10, 30, 40, 41)),
    ),
    Scenario(
        "limits-unpacking",
        """
        POST /tools/create-dicom {"Tags": {}, "Content": "data:image/png;base64,{b64:png-blank}"}
        POST /instances [Content-Encoding: gzip] @blank-gzip
        POST /instances @zip-blank
        POST /instances @zip-overlapping
        """,
    ),
    Scenario("limits-pictures", "GET /instances/{rgb}/rendered?width=5000", "rgb = POST /instances @rgb"),
]
