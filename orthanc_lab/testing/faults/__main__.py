"""``python -m orthanc_lab.testing.faults``: a server whose faults nobody switches on, for ``orthanc-lab bench``."""

from __future__ import annotations

import sys

from orthanc_lab.server.command_line import serve_until_stopped
from orthanc_lab.testing.faults.faults import Faults

if __name__ == "__main__":
    sys.exit(serve_until_stopped(sys.argv[1:], faults=Faults()))
