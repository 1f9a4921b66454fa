"""``orthanc-lab completion``: prints a script by which bash, zsh or fish completes commands, options and lessons."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence

from orthanc_lab.lab.notebooks import packaged_notebooks
from orthanc_lab.server.command_line import COMMANDS

__all__ = ["main"]

_DESCRIPTION = """\
Print a script by which a shell completes commands, options and lessons. To use it, add one of these lines:

  source <(orthanc-lab completion)         to ~/.bashrc
  source <(orthanc-lab completion zsh)     to ~/.zshrc, below compinit
  orthanc-lab completion fish | source     to ~/.config/fish/config.fish"""

# In each of them, options are those that --help names, so that none is forgotten here.
_BASH = """\
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

_ZSH = """\
_orthanc_lab() {
    local command=
    local -a commands
    commands=(@DESCRIBED@)
    ((CURRENT > 2)) && [[ " @COMMANDS@ " == *" $words[2] "* ]] && command=$words[2]
    if [[ $PREFIX == -* ]]; then
        compadd -- ${(f)"$($words[1] $command --help | grep -oE -- '--[a-z][a-z-]*')"}
    elif ((CURRENT == 2)); then
        _describe command commands
        _files
    elif [[ $command == lab ]]; then
        compadd -- @LESSONS@
    else
        _files
    fi
}
compdef _orthanc_lab orthanc-lab
"""

_FISH = """\
function __orthanc_lab_command
    set -l words (commandline -opc)
    set -q words[2]; and contains -- $words[2] @COMMANDS@; and echo $words[2]
end
function __orthanc_lab_options
    set -l words (commandline -opc)
    $words[1] (__orthanc_lab_command) --help | grep -oE -- '--[a-z][a-z-]*'
end
function __orthanc_lab_is_first
    test (count (commandline -opc)) = 1
end
complete -c orthanc-lab -n 'string match -q -- "-*" (commandline -ct)' -a '(__orthanc_lab_options)'
complete -c orthanc-lab -n 'test "$(__orthanc_lab_command)" = lab' -f -a '@LESSONS@'
"""
_FISH_COMMAND = "complete -c orthanc-lab -n __orthanc_lab_is_first -a {name} -d {words}\n"


def _bash(commands: Mapping[str, str]) -> str:
    return _BASH


def _zsh(commands: Mapping[str, str]) -> str:
    described = " ".join(shlex.quote(f"{name}:{words}") for name, words in commands.items())
    return _ZSH.replace("@DESCRIBED@", described)


def _fish(commands: Mapping[str, str]) -> str:
    lines = [_FISH_COMMAND.format(name=name, words=_in_fish(words)) for name, words in commands.items()]
    return _FISH + "".join(lines)


def _in_fish(words: str) -> str:
    """Return a text between quotation marks, as fish reads it."""
    escaped = words.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_SCRIPTS = {"bash": _bash, "zsh": _zsh, "fish": _fish}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the script; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="orthanc-lab completion", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shell", nargs="?", choices=list(_SCRIPTS), default="bash", help="bash, unless it is named")
    shell = parser.parse_args(arguments).shell
    commands = {"serve": "start the server", **{name: words for name, (_, words) in COMMANDS.items()}}
    lessons = sorted(path.name[:2] for path in packaged_notebooks().glob("[0-9][0-9]_*.ipynb"))
    script = _SCRIPTS[shell](commands)
    print(script.replace("@COMMANDS@", " ".join(commands)).replace("@LESSONS@", " ".join(lessons)), end="")
    return 0
