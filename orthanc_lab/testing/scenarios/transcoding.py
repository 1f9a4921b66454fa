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
]
