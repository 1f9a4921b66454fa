"""The tile in JupyterLab's launcher: the page of a server, through jupyter-server-proxy (extra ``proxy``)."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE

__all__ = ["orthanc"]

_LOOPBACK = {"127.0.0.1", "localhost"}
_START_S = 30


def orthanc() -> dict[str, Any]:
    """Return what jupyter-server-proxy is to serve below ``/orthanc/``.

    Inside of ``orthanc-lab lab`` it is the server of the lab. Elsewhere a click starts one: on sample data, in a
    temporary folder, as long as Jupyter runs.

    Examples
    --------
    >>> orthanc()["launcher_entry"]["title"]
    'Orthanc'
    """
    launcher: dict[str, Any] = {  # in the category of the notebooks: in others JupyterLab shows no icon
        "title": "Orthanc",
        "icon_path": str(Path(__file__).with_name("orthanc.svg")),
        "path_info": "orthanc/app/explorer.html",
    }
    address = os.environ.get(VARIABLE) or os.environ.get(LAB_VARIABLE)
    if address is None:
        command = [sys.executable, "-m", "orthanc_lab.lab.tile_server", "{port}"]
        return {"command": command, "timeout": _START_S, "launcher_entry": launcher}
    parts = urlsplit(address)
    # What is elsewhere, or behind a prefix or HTTPS, cannot be passed on: it has no tile.
    launcher["enabled"] = parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.path in ("", "/")
    return {
        "command": [],
        "port": parts.port or 80,
        "request_headers_override": _credentials(parts),
        "launcher_entry": launcher,
    }


def _credentials(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    # Braces would be taken for fields of a template; base64 has none.
    return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
