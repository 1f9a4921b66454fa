"""``orthanc-lab capsule FILE OUT``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from orthanc_lab.protocol.target_file import check_target
from orthanc_lab.server.file_words import words_of
from orthanc_lab.testing.capsule.capsule import make_capsule
from orthanc_lab.testing.recordings.errors import RecordingError
from orthanc_lab.testing.recordings.reader import Recording

__all__ = ["main"]

_FAILED = 255


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a capsule, show its manifest, and ask whether it is to be saved; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="orthanc-lab capsule",
        description="Makes a recording fit to be shared: DICOM files become synthetic ones of the same shape, words "
        "and identifiers pseudonyms, pixels and free text are gone. It shows what stays, and asks before it saves.",
        epilog="Read what it shows: you decide whether what stays may be shared.",
    )
    parser.add_argument("file", type=Path, help="the recording")
    parser.add_argument("out", type=Path, help="the capsule; it must not exist")
    parser.add_argument("--yes", action="store_true", help="save without asking")
    chosen = parser.parse_args(arguments)
    out: Path = chosen.out
    part = out.parent / f"{out.name}.part"
    try:
        if out.is_file():
            raise FileExistsError(f"{out} exists; a capsule needs a new file")
        check_target(out)
        part.unlink(missing_ok=True)
        with Recording(chosen.file) as recording:
            is_complete = recording.is_complete
        manifest = make_capsule(chosen.file, part)
    except (OSError, RecordingError) as error:
        print(words_of(error) if isinstance(error, OSError) else error, file=sys.stderr)
        return _FAILED
    if not is_complete:
        print("The program that recorded was killed: what it had not finished is missing", file=sys.stderr)
    print(manifest)
    print(f"{part.stat().st_size} bytes")
    if chosen.yes or _agrees(out):
        os.replace(part, out)  # noqa: PTH105 - the name of the function says it
        print(f"Saved as {out}")
        return 0
    part.unlink()
    print("Not saved")
    return 1


def _agrees(out: Path) -> bool:
    try:
        return input(f"Save it as {out}? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        return False
