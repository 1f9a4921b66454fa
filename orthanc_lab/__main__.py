"""``python -m orthanc_lab``: the same as the command ``orthanc-lab``."""

import sys

from orthanc_lab.server.command_line import main

if __name__ == "__main__":
    sys.exit(main())
