"""``python -m orthanc_lab``: the same as the command ``orthanc-lab``."""

import signal
import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line, in a process of its own; returns the exit code."""
    # While all is loaded, and at the end, there is nothing to clean up: Ctrl-C ends the process, without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from orthanc_lab.server.command_line import main as run  # noqa: PLC0415

    return run()


if __name__ == "__main__":
    sys.exit(main())
