"""Files in another transfer syntax: gray levels of lossy JPEG, colours, headers."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.bodies import pictures

_UID = "1.2.840.10008.1.2"
_BODIES = pictures.build()


def _files(prefix: str | tuple[str, ...], targets: tuple[str, ...]) -> str:
    lines = []
    for name in _BODIES:
        if name.startswith(prefix):
            lines.append(f"{name} = POST /instances @{name}")
            lines += [f"GET /instances/{{{name}}}/file?transcode={_UID}{target}" for target in targets]
            lines.append(f"DELETE /instances/{{{name}}}")
    return "GENERATES\n" + "\n".join(lines)


_REPEATED = f"""
GENERATES
a1, study:ParentStudy = POST /instances @a1
GET /instances/{{a1}}/file?transcode={_UID}.4.51
GET /instances/{{a1}}/file?transcode={_UID}.4.51&lossy-quality=50
GET /instances/{{a1}}/file?transcode={_UID}.4.51&lossy-quality=90
GET /studies/{{study}}/archive?transcode={_UID}.4.51
GET /studies/{{study}}/archive?transcode={_UID}.4.51
GET /instances/{{a1}}/file?transcode={_UID}.4.51
"""


def _stored_bits() -> str:
    lines = []
    for bits in ("", "1", "7", "8", "12", "13", "16"):
        lines.append(f'bare = POST /tools/create-dicom {{"Tags": {{"PatientID": "{bits}", "BitsStored": "{bits}"}}}}')
        lines += [f"GET /instances/{{bare}}/file?transcode={_UID}{target}" for target in (".4.50", ".4.51", ".4.70")]
    lines.append("palette = POST /instances @palette")
    lines += [f"GET /instances/{{palette}}/file?transcode={_UID}.4.{target}" for target in (50, 51, 81)]
    return "GENERATES\n" + "\n".join(lines)


SCENARIOS = [
    Scenario("transcoding-gray", _files("gray-", (".4.50", ".4.50&lossy-quality=100", ".4.50&lossy-quality=30"))),
    Scenario("transcoding-gray-extended", _files("gray-", (".4.51&lossy-quality=100",))),
    Scenario("transcoding-gray-lossless", _files("gray-", (".4.57", ".4.70"))),
    # Some of the others end the real server.
    Scenario("transcoding-gray-jpeg-ls", _files(("gray-full", "gray-two", "gray-six-", "gray-eight"), (".4.80",))),
    Scenario("transcoding-noise", _files("gray-noise", (".4.80", ".4.81"))),
    Scenario("transcoding-runs", _files("runs-", ("", ".1", ".2", ".1.99", ".4.50"))),
    Scenario("transcoding-native", _files("native-", (".4.50", ".4.51"))),
    Scenario("transcoding-headers", _files("group-", ("", ".1", ".2", ".1.99", ".4.50", ".4.80"))),
    Scenario("transcoding-bare", _files("bare-", ("", ".1", ".2", ".1.99", ".4.50", ".4.80"))),
    Scenario("transcoding-stored-bits", _stored_bits()),
    Scenario("transcoding-repeated", _REPEATED),
    Scenario(
        "transcoding-icons",
        "\n".join(
            f"GET /instances/{{icon}}/file?transcode={_UID}{target}" for target in ("", ".1", ".2", ".1.99", ".4.70")
        )
        + f'\nPOST /instances/{{icon}}/modify {{"Transcode": "{_UID}"}}',
        "icon = POST /instances @jpeg-icon",
    ),
]
