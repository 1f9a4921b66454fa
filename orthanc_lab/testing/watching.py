"""A process that waits for the end of this one, to do what this one would have done had it not been killed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["KILL", "Watcher"]

KILL = 'kill -9 "$0"; rm -rf -- "$@"'
"""Kills the process of the first argument, and removes the folders of the others."""

_LONGEST = 60.0  # seconds, for its end


class Watcher:
    """Runs a few words of the shell when this process ends before `end` was called, however it ends.

    Parameters
    ----------
    words
        What to run.
    *arguments
        ``$0``, ``$1`` … of the words.
    user
        The beginning of a command that runs the rest of it as another user.
    """

    def __init__(self, words: str, *arguments: str | Path, user: Sequence[str] = ()) -> None:
        # It reads a line when there is nothing left to do, and the end of its input when we died without that.
        script = f"read -r done || {{ {words}; }}"
        self._process = subprocess.Popen(  # noqa: S603 - the shell, and words of this package
            [*user, "sh", "-c", script, *map(str, arguments)],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # whoever kills our process group does not kill it
        )

    def end(self) -> None:
        """Let it end: there is nothing left to do."""
        self._process.communicate(b"\n", timeout=_LONGEST)
