"""``orthanc-lab completion``: prints a script by which bash completes commands, options and lessons."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from orthanc_lab.lab.notebooks import packaged_notebooks
from orthanc_lab.server.command_line import COMMANDS

__all__ = ["main"]

_DESCRIPTION = """\
Print a script by which bash completes commands, options and lessons. To use it, add this line to ~/.bashrc:

  source <(orthanc-lab completion)"""

# Options are those that --help names, so that none is forgotten here.
_SCRIPT = """\
_orthanc_lab() {
    local word=$2 command=
    COMPREPLY=()
    ((COMP_CWORD > 1)) && [[ " @COMMANDS@ " == *" ${COMP_WORDS[1]} "* ]] && command=${COMP_WORDS[1]}
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$("$1" $command --help | grep -oE -- '--[a-z][a-z-]*')" -- "$word"))
    elif ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "@COMMANDS@" -- "$word") $(compgen -f -- "$word"))
    elif [[ $command == lab ]]; then
        COMPREPLY=($(compgen -W "@LESSONS@" -- "$word"))
    fi
}
complete -o default -F _orthanc_lab orthanc-lab
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the script; returns the exit code."""
    argparse.ArgumentParser(
        prog="orthanc-lab completion", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    lessons = sorted(path.name[:2] for path in packaged_notebooks().glob("[0-9][0-9]_*.ipynb"))
    print(_SCRIPT.replace("@COMMANDS@", " ".join(["serve", *COMMANDS])).replace("@LESSONS@", " ".join(lessons)), end="")
    return 0
