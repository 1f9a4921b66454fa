"""``python -m tests.coverage.record``: run all twin scenarios, write what they hit, and COVERAGE.md.

With ``--page`` only COVERAGE.md is written, from what the last run saw.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import orthanc_lab
from orthanc_lab.testing.real import MISSING, RealOrthanc, find_program
from orthanc_lab.testing.scenarios import SCENARIOS
from orthanc_lab.testing.scenarios.bodies import build
from orthanc_lab.testing.twin import Twin
from tests.coverage.observing import KINDS, REAL, SEEN, Observation, read_json
from tests.coverage.page import PAGE, page
from tests.dimse.scripted_node import ScriptedNode

__all__ = ["real_operations", "real_options"]


def real_operations(program: str) -> list[str]:
    """Return the operations that the real server documents."""
    document = _written_by(program, "openapi")
    paths: dict[str, Any] = json.loads(document)["paths"]
    return sorted(f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs)


def real_options(program: str) -> list[str]:
    """Return the options in the sample configuration of the real server."""
    return sorted(set(re.findall(r'^  (?:// ?)?"([A-Z]\w+)" *:', _written_by(program, "config"), re.MULTILINE)))


def _written_by(program: str, what: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        subprocess.run([program, f"--{what}={file}"], cwd=folder, capture_output=True, timeout=60, check=True)
        return file.read_text("utf-8")


def _record() -> None:
    program = find_program()
    assert program is not None, MISSING
    real = read_json(REAL)
    _write(REAL, real | {"operations": real_operations(program), "options": real_options(program)})
    seen: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    twin = Twin(orthanc_lab.serve, RealOrthanc, build(), ScriptedNode)
    for scenario in SCENARIOS:
        observation = Observation(scenario)
        twin.run(scenario, observation)
        for kind in KINDS:
            for item in observation.found[kind]:
                seen[kind].setdefault(item, scenario.name)
    _write(SEEN, seen)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    if "--page" not in sys.argv:
        _record()
    PAGE.write_text(page(), "utf-8")
