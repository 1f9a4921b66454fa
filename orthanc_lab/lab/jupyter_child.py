"""The program of the child process: JupyterLab, until it is shut down or its standard input ends."""

from __future__ import annotations

import logging
import sys
from typing import Any

from jupyterlab.labapp import LabApp

from orthanc_lab.lab.jupyter import READY
from orthanc_lab.server.embedding.end_of_input import at_end_of_input

__all__ = ["main"]


def main() -> int:
    """Run JupyterLab; returns the exit code."""
    logging.captureWarnings(True)  # warnings of Jupyter's parts for each other: no news for a person
    server: Any = LabApp.initialize_server(argv=sys.argv[1:])
    server.web_app.settings["page_config_hook"] = _without_news
    address = _address(server)
    server.identity_provider.token_generated = False  # else it writes the address, too
    server.io_loop.add_callback(lambda: print(f"{READY}{address}", flush=True))
    at_end_of_input(lambda: server.io_loop.add_callback(server.stop))
    server.start()
    return 0


def _without_news(handler: Any, page: dict[str, Any]) -> dict[str, Any]:
    # Neither a question nor a request to elsewhere at the start of a lesson.
    page["disabledExtensions"] = [*page.get("disabledExtensions", []), "@jupyterlab/apputils-extension:announcements"]
    return page


def _address(server: Any) -> str:
    url = str(server.local_url)
    # A token that the user has configured is the user's secret, and not written.
    return url if server.identity_provider.token_generated else url.partition("?")[0]


if __name__ == "__main__":
    sys.exit(main())
