"""The program of a child process: serves until its standard input ends."""

from __future__ import annotations

import sys

from orthanc_lab.server.command_line import serve_until_stopped
from orthanc_lab.server.embedding.end_of_input import at_end_of_input
from orthanc_lab.server.lifecycle import Server

__all__ = ["main"]


def main() -> int:
    """Serve; returns the exit code."""

    def started(server: Server) -> None:
        print(f"ports {server.port} {server.dicom_port}", flush=True)
        at_end_of_input(server.shutdown)

    return serve_until_stopped(sys.argv[1:], started)


if __name__ == "__main__":
    sys.exit(main())
