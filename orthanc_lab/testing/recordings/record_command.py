"""``orthanc-lab record --upstream URL --port N FILE``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.signals import ending
from orthanc_lab.server.file_words import port_number, words_of, words_of_port
from orthanc_lab.server.log_lines import log_to
from orthanc_lab.testing.recordings.proxy import Recorder

__all__ = ["main"]

_FAILED = 255


def main(arguments: Sequence[str] | None = None) -> int:
    """Record until Ctrl-C or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="orthanc-lab record",
        description="A proxy before an Orthanc that writes down all that passes, until Ctrl-C or SIGTERM. "
        "Passwords and other credentials pass, and are not written.",
        epilog="The file holds what the server and its clients sent, patients too: see orthanc-lab capsule.",
    )
    parser.add_argument(
        "--upstream",
        default=os.environ.get("ORTHANC_URL", "http://127.0.0.1:8042"),
        help="address of the Orthanc (default: the variable ORTHANC_URL, else http://127.0.0.1:8042); "
        "http://name:password@… logs in for clients that do not, but other users of this machine see it in the command",
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=8043,
        help="port of the proxy on the loopback interface (default %(default)s; 0 takes a free one)",
    )
    parser.add_argument("--insecure", action="store_true", help="accept any certificate of the Orthanc")
    parser.add_argument("file", type=Path, help="the recording; it must not exist")
    chosen = parser.parse_args(arguments)
    log_to(None)
    with ending() as end:
        try:
            recorder = Recorder(chosen.upstream, chosen.file, port=chosen.port, verify=not chosen.insecure)
            recorder.start(end.ask)
        except OrthancError:
            print(words_of_port(chosen.port), file=sys.stderr)
            return _FAILED
        except (OSError, ValueError) as error:
            print(words_of(error) if isinstance(error, OSError) else error, file=sys.stderr)
            return _FAILED
        print(f"Recording what passes {recorder.url} into {chosen.file}; Ctrl-C ends it", flush=True)
        try:
            end.wait()
        finally:
            recorder.stop()
    print(f"{recorder.exchanges} exchanges in {chosen.file}", flush=True)
    return _FAILED if recorder.failure else 0
