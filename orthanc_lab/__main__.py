"""``python -m orthanc_lab``: the same as the command ``orthanc-lab``."""

import signal
import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line, in a process of its own; returns the exit code."""
    try:
        from orthanc_lab.server.command_line import main as run  # noqa: PLC0415 - Ctrl-C may come while it is loaded

        return run()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # all is done: no traceback from the end of the interpreter


if __name__ == "__main__":
    sys.exit(main())
