"""What this server refuses to unpack or to compare, and the real one takes its time for, or the other way round."""

from orthanc_lab.testing.scenario import Scenario

__all__ = ["SCENARIOS"]

_PATTERNS = ("*a*a*a*a*a*b", "*a*a*b", "*a*b", "*a?a*", "a?a*a", "*", "**", "?" * 112, "?" * 111, "*" + "a" * 113)


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
