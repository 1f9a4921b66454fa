"""The site, built once for all tests of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SPHINX = """if True:
    import sys
    from orthanc_lab.lab.json_schemas import import_without_iri
    import_without_iri()  # takes longer than the rest of the imports
    from sphinx.cmd.build import main
    sys.exit(main())
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as CI does: every warning is an error, every reference must have a target."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-c", SPHINX, "-n", "-W", "--keep-going", "-q", "-E", "-d", str(out / ".doctrees")]
    done = subprocess.run([*command, str(DOCS), str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out
