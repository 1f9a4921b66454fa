"""The server without any thread."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import orthanc_lab


def test_it_serves_where_nothing_but_python_is() -> None:
    """No threads, no fcntl, no resource, no ssl: as in a browser."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.server.blocked"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("done\n", "")


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match='"threads", "inline" or an Executor, not \'fast\''):
        orthanc_lab.in_process(executor="fast")  # type: ignore[arg-type] # what this is about
    with pytest.raises(ValueError, match="or an Executor, not 5"):
        orthanc_lab.in_process(executor=5)  # type: ignore[arg-type]
