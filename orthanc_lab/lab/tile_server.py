"""The server behind the tile: with sample data, running as long as the Jupyter that started it."""

from __future__ import annotations

import os
import sys
import threading
import time

from orthanc_lab.lab.credentials import PASSWORD_VARIABLE
from orthanc_lab.lab.events import Events, Happening
from orthanc_lab.lab.own_server import OwnServer, ServerChoice

__all__ = ["main"]

_PARENT_INTERVAL_S = 1.0


def main(port: int) -> int:
    """Serve on a port of the loopback interface; returns the exit code."""
    events = Events()
    events.listen_to_signals()
    parent = os.getppid()

    def end_with_parent() -> None:  # there is no pipe from the parent to watch
        while os.getppid() == parent:
            time.sleep(_PARENT_INTERVAL_S)
        events.happened(Happening.SIGNAL)

    threading.Thread(target=end_with_parent, daemon=True).start()
    server = OwnServer(ServerChoice(port=port, password=os.environ.pop(PASSWORD_VARIABLE, None)))
    try:
        server.fill()
        server.serve(lambda why: events.happened(Happening.ORTHANC_ENDED, why))
        why = events.next().text
    finally:
        server.stop()
    print(why, file=sys.stderr, end="\n" if why else "")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
