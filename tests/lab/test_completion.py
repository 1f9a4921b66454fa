"""What each shell completes, with the script that the command prints for it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.programs import program

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
ASKED = ("orthanc-lab dem", "orthanc-lab lab 0", "orthanc-lab grade --for", "orthanc-lab --no-")

BASH = """
source <(orthanc-lab completion) || exit 1
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _orthanc_lab "$1" "${!#}"; echo "${COMPREPLY[@]}"; }
"""
ZSH = """\
PS1= PS2= RPS1= HISTFILE=; unsetopt zle_bracketed_paste prompt_cr; setopt menu_complete
autoload -Uz compinit && compinit -u -D; source <(orthanc-lab completion zsh)
"""
ZSH_ASKED = (
    ("cert", "certify"),
    ("demons", "demonstration.json"),
    ("lab 0", "lab 00"),
    ("grade --for", "grade --format"),
    ("--no-", "--no-jobs"),
)


def run(*words: str, folder: Path) -> list[str]:
    environment = {**os.environ, "PATH": PATH, "HOME": str(folder)}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def test_commands_lessons_and_options_in_bash(tmp_path: Path) -> None:
    (tmp_path / "demonstration.json").touch()
    asked = "; ".join(f"ask {line}" for line in ASKED)
    commands, lessons, format_, jobs = (
        line.split() for line in run(program("bash"), "-c", BASH + asked, folder=tmp_path)
    )
    assert commands == ["demo", "demonstration.json"]
    assert lessons[:3] == ["00", "01", "02"]
    assert set(format_) == {"--format"}
    assert set(jobs) == {"--no-jobs"}


def test_commands_lessons_and_options_in_fish(tmp_path: Path) -> None:
    (tmp_path / "demonstration.json").touch()
    asked = "; ".join(f"complete -C '{line}'; echo" for line in ASKED)
    found = "\n".join(run(program("fish"), "-c", f"orthanc-lab completion fish | source; {asked}", folder=tmp_path))
    commands, lessons, format_, jobs = (text.splitlines() for text in found.split("\n\n"))
    assert commands[0] == "demo\ta tour of the server on sample data"
    assert "demonstration.json" in commands[-1]
    assert lessons[:3] == ["00", "01", "02"]
    assert set(format_) == {"--format"}
    assert [line for line in jobs if line] == ["--no-jobs"]


def test_commands_lessons_and_options_in_zsh(tmp_path: Path) -> None:
    """zsh completes only what is typed at a terminal."""
    (tmp_path / "demonstration.json").touch()
    terminal, end = pty.openpty()
    environment = {"PATH": PATH, "HOME": str(tmp_path), "TERM": "dumb"}
    shell = subprocess.Popen(
        [program("zsh"), "-f", "-i"],
        cwd=tmp_path,
        env=environment,
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    try:
        os.write(terminal, f"{ZSH}print -r -- rea''dy\n".encode())
        read_until(terminal, "ready")
        for typed, expected in ZSH_ASKED:
            os.write(terminal, f"orthanc-lab {typed}\t\x01print -r -- '<\x05>'\n".encode())
            assert read_until(terminal, rf"\n<orthanc-lab {expected} ?>")
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)


def read_until(terminal: int, pattern: str) -> str:
    limit = time.monotonic() + 60
    said = ""
    while not re.search(pattern, said.replace("\r", "")):
        ready, _, _ = select.select([terminal], [], [], max(0, limit - time.monotonic()))
        assert ready, said
        said += os.read(terminal, 4096).decode(errors="replace")
    return said


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    from orthanc_lab.lab.completion import main

    with pytest.raises(SystemExit):
        main(["tcsh"])
    assert "choose from" in capsys.readouterr().err
