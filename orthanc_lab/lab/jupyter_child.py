"""The program of the child process: runs JupyterLab until it is shut down or its standard input closes."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orthanc_lab.lab.json_schemas import import_without_iri
from orthanc_lab.lab.jupyter import READY
from orthanc_lab.server.embedding.end_of_input import at_end_of_input

__all__ = ["main"]

PATIENCE_S = 15.0
"""How long an orderly stop may take; the parent, if it is still there, waits a little longer."""

_DEFAULTS = Path(__file__).with_name("jupyter_config")  # so that the names of lessons fit into the side bar
_PATH = "JUPYTER_CONFIG_PATH"


def main() -> int:
    """Run JupyterLab; returns the exit code."""
    logging.captureWarnings(True)  # warnings between Jupyter's packages do not concern the user
    import_without_iri()
    from jupyterlab.labapp import LabApp  # noqa: PLC0415 - after the import of what it checks with

    with _our_defaults():
        server: Any = LabApp.initialize_server(argv=sys.argv[1:])
    server.web_app.settings["page_config_hook"] = _without_news
    address = _address(server)
    server.identity_provider.token_generated = False  # otherwise it would also print the address
    server.io_loop.add_callback(lambda: print(f"{READY}{address}", flush=True))
    at_end_of_input(lambda: _end(server))
    server.start()
    return 0


@contextmanager
def _our_defaults() -> Iterator[None]:
    """Let JupyterLab read other defaults for its settings, which the settings of the user override; kernels do not."""
    given = os.environ.get(_PATH)
    os.environ[_PATH] = os.pathsep.join([str(_DEFAULTS), *([given] if given else [])])
    try:
        yield
    finally:
        if given is None:
            del os.environ[_PATH]
        else:
            os.environ[_PATH] = given


def _end(server: Any) -> None:
    """Stop, whatever happens to the orderly stop: nobody is left who could see that this program goes on."""
    server.io_loop.add_callback(server.stop)
    time.sleep(PATIENCE_S)
    os._exit(1)  # its kernels notice, and end too


def _without_news(handler: Any, page: dict[str, Any]) -> dict[str, Any]:
    # Neither a question nor a network request at the start of a lesson.
    page["disabledExtensions"] = [*page.get("disabledExtensions", []), "@jupyterlab/apputils-extension:announcements"]
    return page


def _address(server: Any) -> str:
    url = str(server.local_url)
    # A token configured by the user is a secret, and must not be printed.
    return url if server.identity_provider.token_generated else url.partition("?")[0]


if __name__ == "__main__":
    sys.exit(main())
