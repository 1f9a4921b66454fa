"""``orthanc-lab replay FILE --port N``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.signals import ending
from orthanc_lab.server.file_words import port_number, words_of, words_of_port
from orthanc_lab.server.log_lines import log_to
from orthanc_lab.testing.recordings.errors import RecordingError
from orthanc_lab.testing.recordings.replay import Replay

__all__ = ["main"]

_FAILED = 255


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a recording until Ctrl-C or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="orthanc-lab replay",
        description="A server that answers as a recording does, until Ctrl-C or SIGTERM. "
        "A request that is not in it is answered by 501, with the nearest ones.",
    )
    parser.add_argument("file", type=Path, help="a recording or a capsule")
    parser.add_argument(
        "--port",
        type=port_number,
        default=8042,
        help="port on the loopback interface (default %(default)s; 0 takes a free one)",
    )
    chosen = parser.parse_args(arguments)
    log_to(None)
    with ending() as end:
        try:
            replay = Replay(chosen.file, port=chosen.port, strict=False).start()
        except OrthancError:
            print(words_of_port(chosen.port), file=sys.stderr)
            return _FAILED
        except (OSError, RecordingError) as error:
            print(words_of(error) if isinstance(error, OSError) else error, file=sys.stderr)
            return _FAILED
        if not replay.recording.is_complete:
            print("The program that recorded was killed: what it had not finished is missing", file=sys.stderr)
        print(f"{len(replay.recording)} exchanges of {chosen.file} at {replay.url}; Ctrl-C ends it", flush=True)
        try:
            end.wait()
        finally:
            replay.stop()
    return 0
