"""The tile in JupyterLab's launcher: the page of a server as a tab, through jupyter-server-proxy (extra ``proxy``)."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from orthanc_lab.lab.credentials import PASSWORD_VARIABLE, USER
from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE

__all__ = ["orthanc"]

_LOOPBACK = {"127.0.0.1", "localhost"}
_START_S = 30


def orthanc() -> dict[str, Any]:
    """Return the entry for jupyter-server-proxy, which serves it below ``/orthanc/``.

    Inside ``orthanc-lab lab``, it is the lab's server. Elsewhere a click starts one, with sample data in a temporary
    folder, which runs as long as Jupyter does; its password is known to Jupyter alone.

    Examples
    --------
    >>> orthanc()["launcher_entry"]["title"]
    'Orthanc'
    """
    launcher: dict[str, Any] = {  # in the notebook category: JupyterLab shows no icon in others
        "title": "Orthanc",
        "icon_path": str(Path(__file__).with_name("orthanc.svg")),
        "path_info": "orthanc/app/explorer.html",
    }
    address = os.environ.get(VARIABLE) or os.environ.get(LAB_VARIABLE)
    if address is None:
        password = secrets.token_urlsafe(16)
        return {
            "command": [sys.executable, "-m", "orthanc_lab.lab.tile_server", "{port}"],
            "environment": {PASSWORD_VARIABLE: password},
            "timeout": _START_S,
            "request_headers_override": _credentials(USER, password),
            "launcher_entry": launcher,
            "new_browser_tab": False,
        }
    parts = urlsplit(address)
    # A server on another machine, or behind a path prefix or HTTPS, cannot be proxied, so it has no tile.
    launcher["enabled"] = parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.path in ("", "/")
    return {
        "command": [],
        "port": parts.port or 80,
        "request_headers_override": {}
        if parts.username is None
        else _credentials(unquote(parts.username), unquote(parts.password or "")),
        "launcher_entry": launcher,
        "new_browser_tab": False,
    }


def _credentials(user: str, password: str) -> dict[str, str]:
    words = f"{user}:{password}"
    # Braces would be treated as template fields; base64 contains none.
    return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
